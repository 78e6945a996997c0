//! The thin HTTP shell: routes to handlers, handlers to one transition each. No rule of WorkOS is
//! decided here.

mod admin;
mod answers;
mod authorize;
mod connections;
mod idp_initiated;
mod intercept;
mod key;
mod organizations;
mod profile;
mod token;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::emulator::Emulator;
use answers::ApiError;

const BODY_LIMIT_BYTES: usize = 16 * 1024;

pub(crate) fn router(emulator: Emulator) -> Router {
    Router::new()
        .route("/sso/authorize", get(authorize::show).post(authorize::submit))
        .route("/sso/token", post(token::exchange))
        .route("/sso/profile", get(profile::show))
        .route("/connections", get(connections::list))
        .route("/connections/{id}", get(connections::show).delete(connections::delete))
        .route("/organizations/{id}", get(organizations::show))
        .route("/idp-initiated", get(idp_initiated::show).post(idp_initiated::submit))
        .method_not_allowed_fallback(async || {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        })
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "Not Found"))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(from_fn_with_state(emulator.clone(), intercept::intercept))
        .merge(admin::router())
        .with_state(emulator)
}
