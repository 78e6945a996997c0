//! What every request and every answer has in common: routes, limits, the request id, cookies, forms, faults.

mod body;
pub mod browser;
mod connections;
pub mod fault;
pub mod form;
mod listen;
mod peer;
mod present;
mod problem_address;
mod router;
pub mod state_cookie;

pub use fault::Fault;
pub use listen::{Limits, serve_until};
pub use peer::{PeerAddress, site};
pub use present::{RequestId, accepts_html};
pub use router::router;

use std::sync::Arc;

/// What the handlers get.
pub type AppState = axum::extract::State<Arc<crate::app::App>>;
