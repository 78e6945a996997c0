//! `keyport-companion`: an OAuth 2.1 authorization server for native apps, and an OAuth client of WorkOS. It
//! holds the WorkOS API key and is the only part of Keyport that does. Not an OIDC provider: no id_token.

pub mod admission;
pub mod ambient;
pub mod app;
pub mod client_record;
pub mod config;
pub mod domain;
pub mod dpop;
mod handoff;
pub mod issuer;
pub mod keys;
pub mod logging;
mod oauth;
pub mod pages;
mod serve;
pub mod storage;
pub mod upstream;
pub mod web;

pub use serve::serve;
