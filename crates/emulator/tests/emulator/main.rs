//! The emulator over real HTTP, through its library and, in `binary`, as a process. One test
//! program, to link once.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod authkit;
mod authorize;
mod binary;
mod connections;
mod directories;
mod events;
mod faults;
mod idp_initiated;
mod links;
mod organizations;
mod pages;
mod profile;
mod seeds;
mod sessions;
mod sso_errors;
mod support;
mod supported;
mod token;
mod webhooks;
mod writing;
