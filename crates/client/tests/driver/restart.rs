//! A process that ends and starts again: the kept attempt, the kept session.

use std::time::Duration;

use keyport_client::Intent;
use keyport_client::keychain::{Item, Keychain as _, KeychainError};
use keyport_core::secret::RawCallback;
use keyport_core::{AttemptId, CallbackReceiver, Problem, Screen, SessionStore, Stored};
use serde_json::json;
use tokio::sync::watch;

use crate::support::ClientFixture;

/// An access token of the test companion is over after this long.
const ACCESS_TOKEN: Duration = Duration::from_secs(300);

#[tokio::test]
async fn a_link_completes_the_attempt_that_an_earlier_process_began() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    let fixture = fixture.restarted().await;
    let waiting = |s: &Screen| matches!(s, Screen::Waiting { can_open_again: false, .. });
    fixture.shows("waiting without its link", waiting).await;
    fixture.client.deliver_link(RawCallback::new(fixture.companion.signs_in(&url)));
    let Screen::SignedIn { stored, .. } = fixture.shows_signed_in().await else { unreachable!() };
    assert_eq!(stored, Stored::Keychain);
    let attempt = fixture.attempt();
    let told = fixture.companion.until(|world| world.outcomes.first().cloned()).await;
    assert_eq!(told.0, attempt);
    let ClientFixture { client, keychain, .. } = fixture;
    client.shut_down().await;
    assert_eq!(keychain.text_of(&Item::Attempt).await, None, "what was kept of it is forgotten");
}

/// The session is kept and the attempt is not: a process that is killed just then would otherwise
/// wait for a link that was used.
#[tokio::test]
async fn a_process_killed_at_its_sign_in_waits_for_no_used_link() {
    let mut fixture = ClientFixture::new().await;
    let (_go, waits) = watch::channel(false);
    // What follows the save does not end before the process does.
    fixture.keychain.stalls_writes("access:", waits);
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    fixture.client.deliver_link(RawCallback::new(fixture.companion.signs_in(&url)));
    fixture.shows_signed_in().await;
    assert_eq!(fixture.keychain.text_of(&Item::Attempt).await, None);
}

#[tokio::test]
async fn a_link_at_start_is_held_until_the_keychain_is_read() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    let fixture = fixture.restarted().await;
    fixture.client.deliver_link(RawCallback::new(fixture.companion.signs_in(&url)));
    fixture.shows_signed_in().await;
}

#[tokio::test]
async fn a_sign_out_and_a_sign_in_of_another_process_are_followed() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let Screen::SignedIn { account, .. } = fixture.shows_signed_in().await else { unreachable!() };
    let session = fixture.keychain.text_of(&Item::Account(account.id.clone())).await.unwrap();
    // Another process signs out.
    let index = fixture.keychain.text_of(&Item::Index).await.unwrap();
    fixture.keychain.delete(&Item::Account(account.id.clone())).await.unwrap();
    fixture.keychain.delete(&Item::Index).await.unwrap();
    fixture.client.follow_keychain();
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    // It signs in again.
    fixture.keychain.put(&Item::Index, &index).await;
    fixture.keychain.put(&Item::Account(account.id), &session).await;
    fixture.client.follow_keychain();
    fixture.shows_signed_in().await;
}

#[tokio::test]
async fn an_attempt_past_its_deadline_is_not_taken_up_again() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    let back = fixture.companion.signs_in(&url);
    fixture.clock.jump(Duration::from_secs(601));
    let fixture = fixture.restarted().await;
    fixture.client.deliver_link(RawCallback::new(back));
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    assert_eq!(fixture.companion.count("exchange"), 0);
}

/// An item that could not be forgotten in time, or a process that was killed, leaves one behind.
#[tokio::test]
async fn an_attempt_that_is_over_at_the_companion_ends_at_once() {
    for (state, shown) in [
        ("redeemed", None),
        ("stored", None),
        ("memory", None),
        ("cancelled", Some("cancelled")),
        ("failed", Some("internal")),
    ] {
        let mut fixture = ClientFixture::new().await;
        fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
        fixture.browser_opens().await;
        fixture.window_is_killed();
        fixture.companion.attempt_is(&fixture.attempt(), json!({"state": state}));
        let fixture = fixture.restarted().await;
        match shown {
            Some(problem) => fixture.shows_problem(problem).await,
            None => {
                fixture.shows(state, |screen| *screen == Screen::SignedOut).await;
            }
        }
        let ClientFixture { client, keychain, .. } = fixture;
        client.shut_down().await;
        assert_eq!(keychain.text_of(&Item::Attempt).await, None, "{state}");
    }
}

#[tokio::test]
async fn an_attempt_that_could_not_be_forgotten_is_forgotten_later() {
    for is_read in [false, true] {
        let mut fixture = ClientFixture::new().await;
        fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
        let url = fixture.browser_opens().await;
        let attempt = AttemptId(fixture.attempt());
        fixture.keychain.fails_reads((!is_read).then_some(KeychainError::Absent));
        fixture.keychain.fails_deletes("", KeychainError::Absent);
        fixture.keychain.fails_writes("", KeychainError::Absent);
        fixture.client.deliver_link(RawCallback::new(fixture.companion.signs_in(&url)));
        fixture.shows_signed_in().await;
        let sessions = fixture.client.sessions();
        assert_eq!(sessions.forget_attempt(&attempt).await, Err(Problem::KeychainAbsent));
        assert!(fixture.keychain.text_of(&Item::Attempt).await.is_some());
        fixture.keychain.is_well_again();
        let accounts = sessions.accounts().await.unwrap();
        assert_eq!(accounts[0].stored, Stored::Memory);
        assert_eq!(fixture.keychain.text_of(&Item::Attempt).await, None);
    }
}

#[tokio::test]
async fn an_attempt_that_could_not_be_forgotten_is_asked_for_at_the_end() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    fixture.browser_opens().await;
    let attempt = AttemptId(fixture.attempt());
    fixture.keychain.fails_reads(KeychainError::Slow);
    fixture.client.intend(Intent::Cancel);
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    let sessions = fixture.client.sessions();
    assert_eq!(sessions.forget_attempt(&attempt).await, Err(Problem::KeychainSlow));
    fixture.keychain.is_well_again();
    let ClientFixture { client, keychain, .. } = fixture;
    client.shut_down().await;
    assert_eq!(keychain.text_of(&Item::Attempt).await, None);
}

#[tokio::test]
async fn an_attempt_of_another_companion_is_kept_until_it_is_over() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    fixture.browser_opens().await;
    let kept = fixture.keychain.text_of(&Item::Attempt).await.unwrap();
    let elsewhere = kept.replace(fixture.companion.issuer(), "https://sign-in.other.test");
    fixture.keychain.put(&Item::Attempt, &elsewhere).await;
    fixture.another_process().accounts().await.unwrap();
    assert_eq!(fixture.keychain.text_of(&Item::Attempt).await, Some(elsewhere));
    fixture.clock.jump(Duration::from_secs(601));
    fixture.another_process().accounts().await.unwrap();
    assert_eq!(fixture.keychain.text_of(&Item::Attempt).await, None);
}

#[tokio::test]
async fn an_attempt_in_memory_leaves_nothing_in_the_keychain() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Memory);
    fixture.browser_opens().await;
    let ClientFixture { client, keychain, .. } = fixture;
    client.shut_down().await;
    for item in [Item::Attempt, Item::Device, Item::Index] {
        assert_eq!(keychain.text_of(&item).await, None, "{item:?}");
    }
}

#[tokio::test]
async fn a_kept_session_is_refreshed_with_the_same_key() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let exchanged = fixture.companion.seen("exchange")[0].clone();
    fixture.clock.jump(ACCESS_TOKEN);
    let fixture = fixture.restarted().await;
    fixture.shows_signed_in().await;
    fixture
        .companion
        .until(|world| world.seen.iter().any(|s| s.what == "refresh").then_some(()))
        .await;
    let refreshed = fixture.companion.seen("refresh")[0].clone();
    assert_eq!(refreshed.thumbprint, exchanged.thumbprint);
}

#[tokio::test]
async fn a_fresh_session_is_not_refreshed_at_the_start() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let fixture = fixture.restarted().await;
    fixture.shows_signed_in().await;
    // What would begin on the first tick has begun when the end is over.
    let ClientFixture { client, companion, .. } = fixture;
    client.shut_down().await;
    assert_eq!(companion.count("refresh"), 0);
}

#[tokio::test]
async fn a_session_in_memory_is_gone_with_its_process() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Memory).await;
    let fixture = fixture.restarted().await;
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_set_aside_and_said() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let Screen::SignedIn { account, .. } = fixture.shows_signed_in().await else { unreachable!() };
    let item = Item::Account(account.id);
    fixture.keychain.damage(&item);
    let mut fixture = fixture.restarted().await;
    fixture.shows_problem("keychain_corrupt").await;
    assert_eq!(fixture.keychain.set_aside_so_far(), [item.name()]);
    fixture.signs_in(SessionStore::Keychain).await;
}

#[tokio::test]
async fn a_locked_keychain_at_start_is_not_signed_out() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    fixture.keychain.fails_reads(KeychainError::Locked);
    let fixture = fixture.restarted().await;
    fixture.shows_problem("keychain_locked").await;
    fixture.client.intend(Intent::TryAgain);
    fixture.shows_signed_in().await;
}

#[tokio::test]
async fn a_command_line_beside_the_app_leaves_the_apps_attempt_alone() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    let beside = fixture.command_line_beside();
    beside.intend(Intent::SignIn { email: None });
    fixture.browser_opens().await;
    beside.intend(Intent::Cancel);
    beside.shut_down().await;
    assert_eq!(fixture.companion.world().cancelled.len(), 1, "its own");
    fixture.client.deliver_link(RawCallback::new(fixture.companion.signs_in(&url)));
    fixture.shows_signed_in().await;
}
