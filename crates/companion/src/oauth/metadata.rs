//! What the service says of itself (RFC 8414), its public keys, and whether it can serve.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use keyport_problems::Problem;
use serde_json::{Value, json};

use crate::domain::ClockDoubt;
use crate::setup::Setup;
use crate::storage::StorageError;
use crate::web::{AppState, OAuthError};

type Public = ([(HeaderName, &'static str); 1], Json<Value>);

fn public(document: Value) -> Public {
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(document))
}

/// `GET /.well-known/oauth-authorization-server`
pub async fn metadata(State(app): AppState) -> Public {
    let at = |path| app.issuer.address(path);
    let mut document = json!({
        "issuer": app.issuer.as_str(),
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "pushed_authorization_request_endpoint": at("/oauth/par"),
        "revocation_endpoint": at("/oauth/revoke"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "jwks_uri": at("/oauth/jwks"),
        "keyport_attempt_endpoint": at("/oauth/attempt"),
        "keyport_sessions_endpoint": at("/oauth/sessions"),
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
    });
    if !app.resource_servers.now().is_empty() {
        document["introspection_endpoint"] = at("/oauth/introspect").into();
        document["introspection_endpoint_auth_methods_supported"] = json!(["client_secret_basic"]);
    }
    public(document)
}

/// `GET /oauth/jwks`
pub async fn jwks(State(app): AppState) -> Public {
    public(app.keys.access_token_key().jwks())
}

/// `GET /ready`. A set-up that the provider refuses and a clock in doubt are told here, but do not
/// make the service unready: sessions go on.
pub async fn ready(State(app): AppState) -> Result<Json<Value>, OAuthError> {
    let now = app.now();
    app.storage.ready(now).await.map_err(|cause| match cause {
        StorageError::FileReplaced(reason) | StorageError::Unfit(reason) => {
            OAuthError { description: reason, ..OAuthError::unavailable() }
        }
        other => other.into(),
    })?;
    let known = app.setup.now();
    let setup = match &known {
        Setup::Unknown => "unknown",
        Setup::Right => "accepted",
        Setup::Wrong(_) => Problem::SetupWrong.code(),
    };
    let (clock, about_clock) = clock(app.storage.clock_doubt(now), app.clock.follows_machine());
    let details: Vec<&str> = known.sentence().into_iter().chain(about_clock).collect();
    let detail = (!details.is_empty()).then(|| details.join(". "));
    Ok(Json(json!({ "status": "ready", "setup": setup, "clock": clock, "detail": detail })))
}

/// The word for the state of the clock, and a sentence for the operator.
const fn clock(
    doubt: Option<ClockDoubt>,
    follows_machine: bool,
) -> (&'static str, Option<&'static str>) {
    match (doubt, follows_machine) {
        (Some(ClockDoubt::Ahead), _) => (
            "ahead",
            Some(
                "the clock of this machine is more than 7 days ahead of the database: nothing is \
                 deleted and no session ends by age for a day",
            ),
        ),
        (Some(ClockDoubt::Behind), _) => (
            "behind",
            Some(
                "the clock of this machine is more than an hour behind the database: nothing is \
                 deleted and no session ends by age for a day",
            ),
        ),
        (None, false) => (
            "set",
            Some(
                "the clock of this machine was set by more than an hour: the service keeps its own \
                 time. Restart it if the new time is right",
            ),
        ),
        (None, true) => ("plausible", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_while_the_service_runs_is_told() {
        assert_eq!(clock(None, true), ("plausible", None));
        let (word, sentence) = clock(None, false);
        assert!(word == "set" && sentence.is_some_and(|sentence| sentence.contains("own time")));
    }
}
