//! `keyport-companion`: an OAuth 2.1 authorization server for native apps, and an OAuth client of
//! WorkOS. It holds the WorkOS API key and is the only part of Keyport that does. Not an OIDC
//! provider: no id_token.

#![deny(clippy::print_stderr)]

pub mod admin;
pub mod admission;
pub mod ambient;
pub mod app;
pub mod clients;
pub mod config;
pub mod domain;
pub mod dpop;
mod handoff;
pub mod issuer;
pub mod keys;
pub mod logging;
mod oauth;
mod open_files;
pub mod operator;
pub mod pages;
mod reload;
mod router;
mod serve;
pub mod session_check;
pub mod setup;
pub mod storage;
pub mod upstream;
pub mod web;
pub mod webhooks;

pub use serve::{serve, serve_app};
