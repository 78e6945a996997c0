//! From the provider's answer back to the app: the page that asks, leads on and tells the truth
//! afterwards.

pub mod routes;
mod state;

pub use state::problem_of_cancel;
