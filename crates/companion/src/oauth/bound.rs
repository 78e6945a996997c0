//! Who asks with a bound access token (RFC 9449 §7): the token, the proof over it, and the session,
//! which is read, so that one that was ended is refused at once.

use axum::http::{HeaderMap, Method, header};

use super::gate::prove;
use crate::app::App;
use crate::domain::{Scope, Session};
use crate::web::OAuthError;

const INVALID: OAuthError =
    OAuthError::new("invalid_token", "the access token is not valid here").at_resource();

/// The living session of the request's access token, and the token's scope. `path` is the
/// endpoint's own, below the issuer.
///
/// # Errors
/// 401: no token, a proof that does not fit, a token of another key or of a session that is over.
pub async fn signed_in(
    app: &App,
    headers: &HeaderMap,
    method: &Method,
    path: &str,
) -> Result<(Session, Scope), OAuthError> {
    let token = access_token(headers).ok_or(
        OAuthError::invalid_request("an access token of type DPoP is needed").at_resource(),
    )?;
    let jkt = prove(app, headers, method, path, Some(token)).map_err(OAuthError::at_resource)?;
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
    Ok((session, Scope::parse(&claims.scope)))
}

fn access_token(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(header::AUTHORIZATION).into_iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let (scheme, token) = line.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("DPoP").then_some(token.trim())
}
