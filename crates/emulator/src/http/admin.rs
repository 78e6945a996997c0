//! `/_emulator/…`: what WorkOS does not have. Tests order faults here and read the counts. No
//! credentials: whoever reaches an emulator owns it.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::ApiError;
use crate::emulator::Emulator;
use crate::faults::FaultOrder;

pub fn router() -> Router<Emulator> {
    Router::new()
        .route("/_emulator/faults", post(order).delete(clear_faults))
        .route("/_emulator/calls", get(calls).delete(clear_calls))
        .route("/_emulator/sessions", post(keep_sessions).delete(end_sessions))
        .route("/_emulator/clock", post(advance_clock).delete(reset_clock))
}

async fn order(
    State(emulator): State<Emulator>,
    Json(wanted): Json<FaultOrder>,
) -> Result<StatusCode, ApiError> {
    emulator.with(|state| state.faults.order(&wanted)).map_err(ApiError::unprocessable)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Releases the held calls too.
async fn clear_faults(State(emulator): State<Emulator>) -> StatusCode {
    emulator.with(|state| state.faults.clear());
    emulator.release().notify_waiters();
    StatusCode::NO_CONTENT
}

async fn calls(State(emulator): State<Emulator>) -> Json<Value> {
    emulator.with(|state| {
        Json(json!({
            "calls": state.faults.calls(),
            "codes": state.codes.tally(),
            "user_management_codes": state.authkit.codes.tally(),
        }))
    })
}

async fn clear_calls(State(emulator): State<Emulator>) -> StatusCode {
    emulator.with(|state| {
        state.faults.clear_calls();
        state.codes.clear_tally();
        state.authkit.codes.clear_tally();
    });
    StatusCode::NO_CONTENT
}

async fn keep_sessions(State(emulator): State<Emulator>) -> StatusCode {
    emulator.with(|state| state.sessions.keep(true));
    StatusCode::NO_CONTENT
}

async fn end_sessions(State(emulator): State<Emulator>) -> StatusCode {
    emulator.with(|state| state.sessions.keep(false));
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

/// Puts the emulator's clock forward, once more each time: what has a lifetime expires.
async fn advance_clock(State(emulator): State<Emulator>, Json(by): Json<Advance>) -> StatusCode {
    emulator.with(|state| state.clock_ahead += Duration::from_secs(by.advance_seconds));
    StatusCode::NO_CONTENT
}

/// Back to the clock of the machine.
async fn reset_clock(State(emulator): State<Emulator>) -> StatusCode {
    emulator.with(|state| state.clock_ahead = Duration::ZERO);
    StatusCode::NO_CONTENT
}
