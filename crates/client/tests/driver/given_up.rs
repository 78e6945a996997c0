//! Attempts that are given up, and what of them comes too late.

use std::time::Duration;

use keyport_client::Intent;
use keyport_client::keychain::Item;
use keyport_core::secret::RawCallback;
use keyport_core::{CallbackReceiver, Screen, SessionStore, Stored};
use tokio::sync::watch;

use crate::support::fixture::visit;
use crate::support::{ClientFixture, Fault};

#[tokio::test]
async fn cancelling_closes_the_receiver_and_tells_the_companion() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    let url = fixture.browser_opens().await;
    let (redirect_uri, _) = fixture.companion.request_of(&url);
    fixture.client.intend(Intent::Cancel);
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    let cancelled = fixture.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, fixture.attempt());
    fixture.client.shut_down().await;
    assert!(reqwest::get(redirect_uri).await.is_err(), "the listener is closed");
}

#[tokio::test]
async fn a_new_click_replaces_the_attempt() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    let first = fixture.browser_opens().await;
    let (old, old_back) = (fixture.attempt(), fixture.companion.signs_in(&first));
    fixture.click_sign_in(CallbackReceiver::Link, SessionStore::Keychain);
    let second = fixture.browser_opens().await;
    let cancelled = fixture.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, old);
    fixture.client.deliver_link(RawCallback::new(old_back));
    fixture.client.deliver_link(RawCallback::new(fixture.companion.signs_in(&second)));
    fixture.shows_signed_in().await;
    assert_eq!(fixture.companion.count("exchange"), 1);
}

#[tokio::test]
async fn a_success_that_comes_after_cancelling_is_revoked() {
    let mut fixture = ClientFixture::new().await;
    let (go, waits) = watch::channel(false);
    fixture.companion.next_fails("exchange", Fault::Waits(waits));
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    visit(&fixture.companion.signs_in(&url)).await;
    let waiting = |what: &str| what == "exchange waits";
    fixture
        .companion
        .until(|world| world.seen.iter().any(|s| waiting(&s.what)).then_some(()))
        .await;
    fixture.client.intend(Intent::Cancel);
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    go.send_replace(true);
    let revoked = fixture.companion.until(|world| world.revoked.first().cloned()).await;
    assert!(revoked.starts_with("kpr_canary"));
    let screen = fixture.client.views().borrow().screen.clone();
    assert_eq!(screen, Screen::SignedOut);
}

#[tokio::test]
async fn an_unfinished_attempt_times_out_and_is_cancelled() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    fixture.browser_opens().await;
    fixture.shows("waiting", |screen| matches!(screen, Screen::Waiting { .. })).await;
    fixture.clock.jump(Duration::from_secs(601));
    fixture.shows_problem("timed_out").await;
    let cancelled = fixture.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, fixture.attempt());
}

#[tokio::test]
async fn a_late_successful_save_leaves_one_working_session() {
    let mut fixture = ClientFixture::new().await;
    let (go, waits) = watch::channel(false);
    fixture.keychain.stalls_writes("account:", waits);
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    visit(&fixture.companion.signs_in(&url)).await;
    fixture.shows("finishing", |screen| *screen == Screen::Finishing).await;
    fixture
        .companion
        .until(|world| world.seen.iter().any(|s| s.what == "exchange").then_some(()))
        .await;
    let in_memory =
        |screen: &Screen| matches!(screen, Screen::SignedIn { stored: Stored::Memory, .. });
    // Whenever the exchange is through, six seconds are more than a save may take.
    while !in_memory(&fixture.client.views().borrow().screen) {
        fixture.clock.jump(Duration::from_secs(6));
        tokio::task::yield_now().await;
    }
    go.send_replace(true);
    let Screen::SignedIn { account, .. } = fixture.shows_signed_in().await else { unreachable!() };
    let ClientFixture { client, keychain, companion, .. } = fixture;
    let sessions = client.sessions().clone();
    client.shut_down().await;
    assert_eq!(keychain.text_of(&Item::Account(account.id.clone())).await, None);
    sessions.refresh(&account.id).await;
    assert!(!companion.world().over);
    assert_eq!(sessions.accounts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_late_success_in_memory_leaves_the_kept_session_its_key() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let Screen::SignedIn { account, .. } = fixture.shows_signed_in().await else { unreachable!() };
    let (go, waits) = watch::channel(false);
    fixture.companion.next_fails("exchange", Fault::Waits(waits));
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    let url = fixture.browser_opens().await;
    visit(&fixture.companion.signs_in(&url)).await;
    let is_waiting = |s: &crate::support::companion::Seen| s.what == "exchange waits";
    fixture.companion.until(|world| world.seen.iter().any(is_waiting).then_some(())).await;
    fixture.client.intend(Intent::Cancel);
    fixture.shows_signed_in().await;
    go.send_replace(true);
    fixture.companion.until(|world| (!world.revoked.is_empty()).then_some(())).await;
    fixture.client.sessions().refresh(&account.id).await;
    let refreshed = fixture.companion.seen("refresh");
    let exchanged = fixture.companion.seen("exchange");
    assert_eq!(refreshed[0].thumbprint, exchanged[0].thumbprint);
    assert_ne!(refreshed[0].thumbprint, exchanged[1].thumbprint);
}

#[tokio::test]
async fn cancelling_while_the_request_is_pushed_opens_no_browser() {
    let mut fixture = ClientFixture::new().await;
    let (go, waits) = watch::channel(false);
    fixture.companion.next_fails("push", Fault::Waits(waits));
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    let is_waiting = |s: &crate::support::companion::Seen| s.what == "push waits";
    fixture.companion.until(|world| world.seen.iter().any(is_waiting).then_some(())).await;
    fixture.client.intend(Intent::Cancel);
    let cancelled = fixture.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, fixture.companion.seen("push waits")[0].fields["attempt"]);
    go.send_replace(true);
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    assert_eq!(fixture.browsers_opened(), 0);
}

#[tokio::test]
async fn a_session_that_arrives_at_shutdown_is_revoked() {
    let mut fixture = ClientFixture::new().await;
    let (go, waits) = watch::channel(false);
    fixture.companion.next_fails("exchange", Fault::Waits(waits));
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    visit(&fixture.companion.signs_in(&url)).await;
    let is_waiting = |s: &crate::support::companion::Seen| s.what == "exchange waits";
    fixture.companion.until(|world| world.seen.iter().any(is_waiting).then_some(())).await;
    fixture.client.intend(Intent::Cancel);
    let ClientFixture { client, companion, .. } = fixture;
    let (_, ()) = tokio::join!(client.shut_down(), async {
        companion.until(|world| (!world.outcomes.is_empty()).then_some(())).await;
        go.send_replace(true);
    });
    assert_eq!(companion.world().revoked.len(), 1);
}
