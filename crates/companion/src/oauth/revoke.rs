//! `POST /oauth/revoke` (RFC 7009): 200 whatever the token was. No proof: a device that lost its
//! key must still be able to sign out, and holding the token is enough to end it.
//!
//! A device that has thrown the token away names the session by its id (`session_id`) and proves
//! that it has the session's device key (RFC 9449 §4): it signed out while it was offline.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};

use super::gate::prove;
use crate::app::App;
use crate::domain::SecretText;
use crate::storage::Revoke;
use crate::web::form::Form;
use crate::web::{AppState, OAuthError};

/// See the module.
pub async fn revoke(
    State(app): AppState,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, OAuthError> {
    let form = Form::from_body(&headers, &body)?;
    let client =
        app.client(form.required("client_id")?).ok_or(OAuthError::invalid_client())?.id.clone();
    let what = match form.value("session_id") {
        None => named(&app, form.required("token")?),
        Some(id) => {
            let jkt = prove(&app, &headers, &method, "/oauth/revoke", None)?;
            // An id that is none names no session.
            let Ok(session) = id.parse() else { return Ok(StatusCode::OK) };
            Revoke::SessionOfKey { session, jkt }
        }
    };
    let revocation = app.storage.revoke(what, client, app.now()).await?;
    tracing::info!(?revocation, "revocation");
    Ok(StatusCode::OK)
}

/// An access token ends its session; anything else is looked at as a refresh token.
fn named(app: &App, token: &str) -> Revoke {
    let issuer = app.issuer.as_str();
    match app.keys.access_token_key().verify(token, issuer, issuer, app.now()) {
        Ok(claims) => Revoke::Session(claims.sid),
        Err(_) => Revoke::RefreshToken(SecretText::new(token)),
    }
}
