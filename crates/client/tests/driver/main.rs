//! The client from its public interface alone, against a small companion that speaks
//! `docs/protocol.md` and checks every proof with code of its own. The browser, the clock and the
//! keychain's faults are the tests'.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]

mod callbacks;
mod errors;
mod facts;
mod given_up;
mod http;
mod left_sessions;
mod locks;
mod not_kept;
mod races;
mod refresh;
mod restart;
mod saving;
mod sessions;
mod sign_in;
#[allow(dead_code, reason = "the other test binaries use the rest")]
mod support;
mod two_sign_ins;
mod unfinished_sign_out;
