//! What every request and every answer has in common: routes, limits, the request id, cookies,
//! forms, faults.

pub(crate) mod body;
pub mod browser;
mod connections;
pub mod form;
mod listen;
pub mod oauth_error;
mod peer;
pub(crate) mod present;
pub(crate) mod problem_address;

pub mod state_cookie;

pub use listen::{ServerLimits, serve_until};
pub use oauth_error::OAuthError;
pub use present::{HttpRequestId, accepts_html};

use std::sync::Arc;

/// What the handlers get.
pub type AppState = axum::extract::State<Arc<crate::app::App>>;
