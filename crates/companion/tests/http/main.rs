//! The companion over real HTTP, hostile first. Full-system runs with the emulator are in the
//! `tests` package.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod attempt;
mod authkit;
mod authorize;
mod bounds;
mod callback;
mod clients;
mod database_files;
mod device_key;
mod dpop;
mod ended_access;
mod exchanges;
mod handoff;
mod identity;
mod introspect;
mod leavers;
mod limits;
mod pages;
mod par;
mod provider_answers;
mod replay;
mod second_upstream;
mod sessions;
mod start;
mod state_cookies;
mod support;
mod tab;
mod token;
