//! The loopback listener against real sockets: what a browser sends, what a hostile page or process
//! sends, and what must never happen to a sign-in that is waiting (RFC 8252 §7.3, §8.3).
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]

mod answers;
mod binding;
mod closing;
mod refusals;
mod short_link;
mod support;
mod torture;
