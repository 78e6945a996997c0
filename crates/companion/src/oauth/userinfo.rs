//! `GET /oauth/userinfo`: who is signed in, for a bound access token and a proof over it (RFC 9449
//! §7). Reads the session, so a revoked one is refused at once.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, header};
use serde_json::{Value, json};

use super::gate::prove;
use crate::domain::{Scope, User};
use crate::web::{AppState, OAuthError};

const INVALID: OAuthError =
    OAuthError::new("invalid_token", "the access token is not valid here").at_resource();

/// See the module.
pub async fn userinfo(
    State(app): AppState,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<Value>, OAuthError> {
    let token = access_token(&headers).ok_or(
        OAuthError::invalid_request("an access token of type DPoP is needed").at_resource(),
    )?;
    let jkt = prove(&app, &headers, &method, "/oauth/userinfo", Some(token))
        .map_err(OAuthError::at_resource)?;
    let issuer = app.issuer.as_str();
    let claims =
        app.keys.access_token_key().verify(token, issuer, issuer, app.now()).map_err(|reason| {
            tracing::info!(%reason, "access token refused");
            INVALID
        })?;
    if claims.cnf.jkt != jkt {
        tracing::warn!(session = %claims.sid, "an access token came with another device key");
        return Err(INVALID);
    }
    let session = app.storage.read_session(claims.sid, app.now()).await?.ok_or(INVALID)?;
    Ok(Json(said(&session.user, &Scope::parse(&claims.scope))))
}

fn access_token(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(header::AUTHORIZATION).into_iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let (scheme, token) = line.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("DPoP").then_some(token.trim())
}

/// By scope: `email` tells the address, `profile` the name and where the person belongs.
fn said(user: &User, scope: &Scope) -> Value {
    let mut said = json!({ "sub": user.id });
    if scope.has("email") {
        said["email"] = user.email.as_str().into();
    }
    if scope.has("profile") {
        said["name"] = user.name.clone().into();
        said["connection_id"] = user.connection.id.as_str().into();
        said["connection_type"] = user.connection.kind.as_str().into();
        if let Some(organization) = &user.organization {
            said["org_id"] = organization.id.as_str().into();
            said["organization_name"] = organization.name.clone().into();
        }
    }
    said
}
