//! `POST /oauth/introspect` (RFC 7662): an API asks whether an access token is good now. The answer
//! comes from the session's row each time, so a session that was ended is inactive at once. Why a
//! token is inactive is not said.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::clients::ResourceServer;
use crate::domain::SecretText;
use crate::keys::AccessClaims;
use crate::web::form::Form;
use crate::web::{AppState, OAuthError};

/// Longest `Authorization` line that is looked at, in bytes.
const LONGEST: usize = 1024;

type Refused = ([(HeaderName, &'static str); 1], OAuthError);

/// See the module.
pub async fn introspect(
    State(app): AppState,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refused> {
    let asks = authenticated(&app, &headers).ok_or_else(|| {
        tracing::warn!("an introspection without the credential of a resource server");
        challenge()
    })?;
    let plain = |fault: OAuthError| ([(header::CACHE_CONTROL, "no-store")], fault);
    let form = Form::from_body(&headers, &body).map_err(plain)?;
    let token = form.required("token").map_err(plain)?;
    let claims = active(&app, &asks, token).await.map_err(plain)?;
    tracing::info!(resource_server = asks.id, active = claims.is_some(), "introspected");
    Ok(Json(claims.map_or_else(|| json!({ "active": false }), |claims| said(&claims))))
}

/// RFC 6749 §5.2: the scheme that the caller used, or should use.
fn challenge() -> Refused {
    let fault = OAuthError::new("invalid_client", "no such resource server, or another credential");
    let fault = OAuthError { status: StatusCode::UNAUTHORIZED, ..fault };
    ([(header::WWW_AUTHENTICATE, "Basic realm=\"introspection\"")], fault)
}

/// The resource server whose id and credential the request has (RFC 6749 §2.3.1).
fn authenticated(app: &App, headers: &HeaderMap) -> Option<ResourceServer> {
    let mut lines = headers.get_all(header::AUTHORIZATION).into_iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let line = line.to_str().ok().filter(|line| line.len() <= LONGEST)?;
    let (scheme, encoded) = line.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let pair =
        String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok().map(SecretText::new)?;
    let (id, secret) = pair.expose().split_once(':')?;
    let decoded = |text| percent_encoding::percent_decode_str(text).decode_utf8().ok();
    let (id, secret) = (decoded(id)?, decoded(secret)?);
    let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
    ResourceServer::proved(&app.resource_servers.now(), &id, &hash).cloned()
}

/// The claims of a token of ours for this audience, whose session is alive now.
async fn active(
    app: &App,
    asks: &ResourceServer,
    token: &str,
) -> Result<Option<AccessClaims>, OAuthError> {
    let (issuer, now) = (app.issuer.as_str(), app.now());
    let Ok(claims) = app.keys.access_token_key().verify(token, issuer, &asks.audience, now) else {
        return Ok(None);
    };
    let session = app.storage.read_session(claims.sid, now).await?;
    let is_same =
        |alive: &crate::domain::Session| alive.user.id == claims.sub && alive.jkt == claims.cnf.jkt;
    Ok(session.as_ref().is_some_and(is_same).then_some(claims))
}

fn said(claims: &AccessClaims) -> Value {
    let mut said = json!(claims);
    said["active"] = true.into();
    said["token_type"] = "DPoP".into();
    said
}
