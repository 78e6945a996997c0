//! Signing out while the companion cannot be told: the session's name alone stays, and the device
//! key ends it when the network is back.

use std::time::Duration;

use keyport_client::Intent;
use keyport_client::keychain::Item;
use keyport_client::session::SignedOut;
use keyport_core::{Problem, SessionStore};

use crate::support::ClientFixture;
use crate::support::companion::World;

const LEFT: Item = Item::LeftSessions;

/// Signed in, and signed out again while the companion was away.
async fn left() -> ClientFixture {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    fixture.companion.stop().await;
    fixture.client.intend(Intent::SignOut);
    fixture.shows_problem(Problem::SignedOutHere.code()).await;
    let text = fixture.keychain.text_of(&LEFT).await.unwrap();
    assert!(text.contains("session_1") && text.len() <= 1024, "{text}");
    for secret in ["kpr_", "at_canary", "ada@"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    fixture
}

async fn is_ended(fixture: &ClientFixture) {
    let named = |world: &World| {
        let seen = world.seen.iter().find(|seen| seen.what == "revoke named")?;
        Some(seen.fields["session_id"].clone())
    };
    assert_eq!(fixture.companion.until(named).await, "session_1");
    assert!(fixture.another_process().end_left_sessions().await);
    assert_eq!(fixture.keychain.text_of(&LEFT).await, None, "and its name is forgotten");
}

#[tokio::test]
async fn it_is_ended_by_the_same_client_when_the_network_is_back() {
    let mut fixture = left().await;
    fixture.clock.jump(Duration::from_secs(60));
    fixture.companion.start_again().await;
    for _ in 0..3 {
        fixture.clock.jump(Duration::from_secs(400));
        tokio::task::yield_now().await;
    }
    fixture.client.follow_keychain();
    is_ended(&fixture).await;
}

#[tokio::test]
async fn it_is_ended_by_the_next_process_of_the_app() {
    let mut fixture = left().await.restarted().await;
    fixture.companion.start_again().await;
    fixture.client.follow_keychain();
    is_ended(&fixture).await;
}

#[tokio::test]
async fn offline_it_is_kept_and_tried_again() {
    let mut fixture = left().await;
    let sessions = fixture.another_process();
    assert!(!sessions.end_left_sessions().await);
    assert!(fixture.keychain.text_of(&LEFT).await.is_some());
    fixture.companion.start_again().await;
    assert!(sessions.end_left_sessions().await);
    is_ended(&fixture).await;
}

#[tokio::test]
async fn after_its_longest_lifetime_or_without_its_key_it_is_forgotten() {
    let fixture = left().await;
    fixture.clock.jump(Duration::from_secs(180 * 24 * 3600));
    assert!(fixture.another_process().end_left_sessions().await, "the companion is not asked");
    assert_eq!(fixture.keychain.text_of(&LEFT).await, None);

    let fixture = left().await;
    fixture.keychain.damage(&Item::Device);
    assert!(fixture.another_process().end_left_sessions().await);
    assert_eq!(fixture.keychain.text_of(&LEFT).await, None);
}

#[tokio::test]
async fn a_sign_out_that_the_companion_heard_of_leaves_nothing() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let sessions = fixture.another_process();
    let account = sessions.current().await.unwrap().unwrap().id;
    assert_eq!(sessions.sign_out(&account).await, Ok(SignedOut::Everywhere));
    assert_eq!(fixture.keychain.text_of(&LEFT).await, None);
    assert!(sessions.end_left_sessions().await);
    assert_eq!(fixture.companion.count("revoke named"), 0);
}
