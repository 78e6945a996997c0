//! `/_emulator/…` for what happens at the customer's side: people come, change and leave in
//! directories, and connections are switched on and off. Each call makes its event. And what goes
//! wrong with the webhooks. No credentials, as in `admin`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::answers::ApiError;
use crate::directories::{DirectoryUserChange, STATES, SeedDirectoryUser};
use crate::emulator::{self, Emulator};
use crate::ids::Random;
use crate::seed::ConnectionState;
use crate::webhooks::MishapOrder;

pub fn router() -> Router<Emulator> {
    Router::new()
        .route("/_emulator/directories/{id}/users", post(create_directory_user))
        .route(
            "/_emulator/directory_users/{id}",
            patch(change_directory_user).delete(delete_directory_user),
        )
        .route("/_emulator/connections/{id}", patch(change_connection))
        .route("/_emulator/webhooks", post(order_mishap))
}

fn known_state(state: Option<&str>) -> Result<(), ApiError> {
    match state {
        Some(state) if !STATES.contains(&state) => {
            Err(ApiError::unprocessable(format!("`state` is one of {}.", STATES.join(", "))))
        }
        _ => Ok(()),
    }
}

async fn create_directory_user(
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    Json(user): Json<SeedDirectoryUser>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    known_state(Some(&user.state))?;
    let random = Random::new(emulator::draw_secret()?);
    let made = emulator.with(|state| state.create_directory_user(&id, user, random));
    let made = made.ok_or_else(|| ApiError::not_found("Directory", &id))?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn change_directory_user(
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    Json(change): Json<DirectoryUserChange>,
) -> Result<Json<Value>, ApiError> {
    known_state(change.state.as_deref())?;
    let random = Random::new(emulator::draw_secret()?);
    let changed = emulator.with(|state| state.change_directory_user(&id, change, random));
    changed.map(Json).ok_or_else(|| ApiError::not_found("Directory user", &id))
}

async fn delete_directory_user(
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let random = Random::new(emulator::draw_secret()?);
    match emulator.with(|state| state.delete_directory_user(&id, random)) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("Directory user", &id)),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionChange {
    state: ConnectionState,
}

async fn change_connection(
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    Json(change): Json<ConnectionChange>,
) -> Result<StatusCode, ApiError> {
    let random = Random::new(emulator::draw_secret()?);
    match emulator.with(|state| state.change_connection(&id, change.state, random)) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("Connection", &id)),
    }
}

/// For the next events that go to an endpoint, in their order.
async fn order_mishap(
    State(emulator): State<Emulator>,
    Json(order): Json<MishapOrder>,
) -> StatusCode {
    emulator.with(|state| state.webhooks.order(order));
    StatusCode::NO_CONTENT
}
