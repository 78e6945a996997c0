//! What the service says of itself (RFC 8414), its public keys, and whether it can serve.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use keyport_core::Problem;
use serde_json::{Value, json};

use crate::database_file::GONE;
use crate::setup::Setup;
use crate::web::{AppState, Fault};

type Public = ([(HeaderName, &'static str); 1], Json<Value>);

fn public(document: Value) -> Public {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(document))
}

/// `GET /.well-known/oauth-authorization-server`
pub async fn metadata(State(app): AppState) -> Public {
    let at = |path| app.issuer.address(path);
    public(json!({
        "issuer": app.issuer.as_str(),
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "pushed_authorization_request_endpoint": at("/oauth/par"),
        "revocation_endpoint": at("/oauth/revoke"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "jwks_uri": at("/oauth/jwks"),
        "keyport_attempt_endpoint": at("/oauth/attempt"),
        "require_pushed_authorization_requests": true,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
    }))
}

/// `GET /oauth/jwks`
pub async fn jwks(State(app): AppState) -> Public {
    public(app.keys.access_token_key().jwks())
}

/// `GET /ready`. A set-up that the provider refuses is told here, but does not make the service
/// unready: sessions go on.
pub async fn ready(State(app): AppState) -> Result<Json<Value>, Fault> {
    if !app.database_file_is_there() {
        return Err(Fault { description: GONE, ..Fault::unavailable() });
    }
    app.storage.ready().await?;
    let setup = match app.setup.now() {
        Setup::Unknown => "unknown",
        Setup::Right => "accepted",
        Setup::WrongKey | Setup::WrongPair => Problem::SetupWrong.code(),
    };
    let detail = app.setup.now().sentence(app.upstream.issuer());
    Ok(Json(json!({ "status": "ready", "setup": setup, "detail": detail })))
}
