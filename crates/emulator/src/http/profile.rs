//! `GET /sso/profile`: the bare profile for an access token of `/sso/token`.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::key::bearer;
use crate::emulator::Emulator;

pub async fn show(State(emulator): State<Emulator>, headers: HeaderMap) -> Response {
    let token = bearer(&headers);
    let profile =
        emulator.with(|state| state.access_tokens.profile_of(&token?, state.now()).cloned());
    match profile {
        Some(profile) => Json(profile).into_response(),
        None => {
            (StatusCode::UNAUTHORIZED, Json(json!({ "error": "Unauthorized" }))).into_response()
        }
    }
}
