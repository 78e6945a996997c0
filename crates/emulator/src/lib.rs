//! A WorkOS-shaped service for development and tests: as strict as the real one, hostile on
//! request. Not a part of Keyport: it shares no code with core, client or companion, so that it
//! cannot share their mistakes. The modules from `secret` to `faults` are the domain (no HTTP, no
//! clock, no random numbers); `http` is the shell.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod authkit;
mod authorization;
mod changes;
mod codes;
mod deliver;
mod directories;
mod emulator;
mod environment;
mod events;
mod faults;
mod http;
mod ids;
mod links;
mod listing;
mod pages;
mod parameters;
mod pkce;
mod profile;
mod redirect_uri;
mod secret;
mod seed;
mod serve;
mod sessions;
mod sign_in;
mod signing;
mod sso_error;
mod timestamp;
mod totp;
mod users;
mod webhooks;
mod wire;

pub use emulator::Emulator;
pub use http::table::supported;
pub use seed::Seed;
pub use serve::serve;
