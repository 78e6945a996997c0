//! The thin HTTP shell: routes to handlers, handlers to one transition each. No rule of WorkOS is
//! decided here.

mod admin;
mod answers;
mod authorize;
mod body;
pub(crate) mod connections;
mod control;
mod directories;
mod events;
mod idp_initiated;
mod intercept;
mod key;
mod links;
pub(crate) mod organizations;
mod profile;
mod sign_in;
pub(crate) mod table;
mod token;
mod user_management;
mod webhook_endpoints;
mod writing;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;

use crate::emulator::Emulator;
use answers::ApiError;

const BODY_LIMIT_BYTES: usize = 16 * 1024;

pub(crate) fn router(emulator: Emulator) -> Router {
    table::router()
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        })
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "Not Found"))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(from_fn_with_state(emulator.clone(), intercept::intercept))
        .merge(admin::router())
        .merge(control::router())
        .with_state(emulator)
}
