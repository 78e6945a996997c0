//! The keychain against a real Secret Service (GNOME Keyring) on a bus of its own, with a home of
//! its own. The client runs in processes of its own, as it takes the bus from the environment.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]
#![allow(clippy::disallowed_methods, reason = "tests write files")]

mod changes;
mod client;
mod errors;
mod items;
mod session;
