//! What every request and every answer has in common: routes, limits, the request id, cookies, forms, faults.

pub mod browser;
pub mod fault;
pub mod form;
mod listen;
mod present;
mod router;

pub use fault::Fault;
pub use listen::serve_until;
pub use present::{RequestId, accepts_html};
pub use router::router;

use std::sync::Arc;

/// What the handlers get.
pub type AppState = axum::extract::State<Arc<crate::app::App>>;
