//! What is kept for other processes and later ones: access tokens, the index of accounts, items of
//! a newer version, and that changes are heard.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]

mod access;
mod accounts;
mod index;
mod newer;
#[allow(dead_code, reason = "the other test binaries use the rest")]
#[path = "../driver/support/mod.rs"]
mod support;

use keyport_client::Sessions;
use keyport_core::{AccountId, SessionStore};

use support::ClientFixture;

/// A device with a session in the keychain, and a process that has just started, without a window.
async fn signed_in() -> (ClientFixture, Sessions, AccountId) {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    fixture.window_is_killed();
    let sessions = fixture.another_process();
    let account = sessions.current().await.unwrap().unwrap().id;
    (fixture, sessions, account)
}
