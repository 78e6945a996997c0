//! `/user_management/…`: the API of AuthKit. One module per resource.

pub mod authenticate;
pub mod authorize;
pub mod factors;
pub mod hosted;
pub mod leaving;
pub mod memberships;
pub mod sessions;
pub mod users;
mod visit;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use super::answers::ApiError;
use crate::emulator::Emulator;

/// `GET /sso/jwks/{client_id}`, without credentials.
pub async fn jwks(
    State(emulator): State<Emulator>,
    Path(client_id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let known = emulator.with(|state| state.environment.client_by_id(&client_id).is_some());
    if !known {
        return Err(ApiError::not_found("Client", &client_id));
    }
    Ok(Json(emulator.signing_key()?.jwks().clone()))
}
