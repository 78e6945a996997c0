//! The authorization server's endpoints (RFC 6749, 9126, 9449, 7009, 8414). Handlers here are thin:
//! parse, ask a pure rule or the storage, answer.

pub mod attempt;
pub mod authorize;
mod bound;
pub mod callback;
mod compact;
mod gate;
pub mod introspect;
pub mod metadata;
pub mod par;
mod pending_callback;
mod pushed_request;
mod request;
pub mod revoke;
pub mod sessions;
pub mod token;
mod upstream_authorization;
pub mod userinfo;
