//! `/oauth/attempt/{attempt}`: the client's side channel for one sign-in, owned by the device key
//! that pushed it. An attempt of another key is answered as one that has not begun.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use keyport_problems::Problem;
use serde::Deserialize;
use serde_json::{Value, json};

use super::gate::prove;
use crate::app::App;
use crate::domain::{AttemptId, AttemptKey, AttemptState, Outcome, ProblemCode};
use crate::handoff::problem_of_cancel;
use crate::web::{AppState, OAuthError};

/// `GET`: how far it is.
pub async fn state(
    State(app): AppState,
    Path(attempt): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<Value>, OAuthError> {
    let key = owned(&app, &attempt, &method, &headers)?;
    Ok(Json(told(app.storage.attempt_state(key, app.now()).await?)))
}

fn told(state: AttemptState) -> Value {
    match state {
        AttemptState::Waiting => json!({ "state": "waiting" }),
        AttemptState::Confirm(number) => {
            json!({ "state": "confirm", "number": number.to_string() })
        }
        AttemptState::Minted => json!({ "state": "minted" }),
        AttemptState::Redeemed => json!({ "state": "redeemed" }),
        AttemptState::Stored => json!({ "state": "stored" }),
        AttemptState::Memory => json!({ "state": "memory" }),
        AttemptState::Failed(code) => {
            let code = code.as_ref().map_or(Problem::Internal.code(), ProblemCode::as_str);
            json!({ "state": "failed", "problem": code })
        }
        AttemptState::Cancelled(by) => {
            json!({ "state": "cancelled", "problem": problem_of_cancel(by).code() })
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutcomeRequest {
    outcome: String,
    code: Option<String>,
}

/// `POST`: how it ended on the device; the tab then tells the truth.
pub async fn outcome(
    State(app): AppState,
    Path(attempt): Path<String>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, OAuthError> {
    let key = owned(&app, &attempt, &method, &headers)?;
    let outcome = read_outcome(&body)?;
    tracing::info!(attempt = %key.attempt, ?outcome, "the app says how it ended");
    app.storage.attempt_outcome(key, outcome, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read_outcome(body: &Bytes) -> Result<Outcome, OAuthError> {
    const BAD: OAuthError =
        OAuthError::invalid_request("the body must be {\"outcome\", \"code\"?} with a known code");
    let said: OutcomeRequest = serde_json::from_slice(body).map_err(|_| BAD)?;
    let code = match &said.code {
        Some(code) => Some(
            Problem::from_code(code)
                .and_then(|problem| ProblemCode::new(problem.code()))
                .ok_or(BAD)?,
        ),
        None => None,
    };
    match said.outcome.as_str() {
        "stored" => Ok(Outcome::Stored),
        "memory" => Ok(Outcome::Memory),
        "failed" => Ok(Outcome::Failed(code)),
        _ => Err(BAD),
    }
}

/// `DELETE`: cancelled; a code that is already out is no longer redeemable.
pub async fn cancel(
    State(app): AppState,
    Path(attempt): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<StatusCode, OAuthError> {
    let key = owned(&app, &attempt, &method, &headers)?;
    tracing::info!(attempt = %key.attempt, "the app cancels");
    app.storage.cancel_attempt(key, app.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn owned(
    app: &App,
    attempt: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Result<AttemptKey, OAuthError> {
    let attempt: AttemptId = attempt.parse().map_err(|_| OAuthError {
        status: StatusCode::NOT_FOUND,
        ..OAuthError::invalid_request("no such attempt")
    })?;
    let jkt = prove(app, headers, method, &format!("/oauth/attempt/{attempt}"), None)
        .map_err(OAuthError::at_resource)?;
    Ok(AttemptKey { attempt, jkt })
}
