//! Attempts that are given up, and what of them comes too late.

use std::time::Duration;

use keyport_client::Intent;
use keyport_client::keychain::Item;
use keyport_core::secret::RawCallback;
use keyport_core::{Door, Screen, Store, Stored};
use tokio::sync::watch;

use crate::support::desk::visit;
use crate::support::{Desk, Fault};

#[tokio::test]
async fn cancelling_closes_the_door_and_tells_the_companion() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Loopback, Store::Memory);
    let url = desk.browser_opens().await;
    let (redirect_uri, _) = desk.companion.request_of(&url);
    desk.client.intend(Intent::Cancel);
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    let cancelled = desk.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, desk.attempt());
    desk.client.shut_down().await;
    assert!(reqwest::get(redirect_uri).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_new_click_replaces_the_attempt() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Link, Store::Keychain);
    let first = desk.browser_opens().await;
    let (old, old_back) = (desk.attempt(), desk.companion.signs_in(&first));
    desk.click_sign_in(Door::Link, Store::Keychain);
    let second = desk.browser_opens().await;
    let cancelled = desk.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, old);
    desk.client.deliver_link(RawCallback::new(old_back));
    desk.client.deliver_link(RawCallback::new(desk.companion.signs_in(&second)));
    desk.shows_signed_in().await;
    assert_eq!(desk.companion.count("exchange"), 1);
}

#[tokio::test]
async fn a_success_that_comes_after_cancelling_is_revoked() {
    let mut desk = Desk::new().await;
    let (go, waits) = watch::channel(false);
    desk.companion.next_fails("exchange", Fault::Waits(waits));
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    let url = desk.browser_opens().await;
    visit(&desk.companion.signs_in(&url)).await;
    let waiting = |what: &str| what == "exchange waits";
    desk.companion.until(|world| world.seen.iter().any(|s| waiting(&s.what)).then_some(())).await;
    desk.client.intend(Intent::Cancel);
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    go.send_replace(true);
    let revoked = desk.companion.until(|world| world.revoked.first().cloned()).await;
    assert!(revoked.starts_with("kpr_canary"));
    let screen = desk.client.views().borrow().screen.clone();
    assert_eq!(screen, Screen::SignedOut);
}

#[tokio::test]
async fn an_attempt_that_nobody_finishes_times_out_and_is_cancelled_over_there() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Loopback, Store::Memory);
    desk.browser_opens().await;
    desk.shows("waiting", |screen| matches!(screen, Screen::Waiting { .. })).await;
    desk.clock.jump(Duration::from_secs(601));
    desk.shows_problem("timed_out").await;
    let cancelled = desk.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, desk.attempt());
}

#[tokio::test]
async fn a_save_that_is_given_up_and_then_succeeds_leaves_one_session_and_it_works() {
    let mut desk = Desk::new().await;
    let (go, waits) = watch::channel(false);
    desk.keychain.stalls_writes("account:", waits);
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    let url = desk.browser_opens().await;
    visit(&desk.companion.signs_in(&url)).await;
    desk.shows("finishing", |screen| *screen == Screen::Finishing).await;
    desk.companion
        .until(|world| world.seen.iter().any(|s| s.what == "exchange").then_some(()))
        .await;
    let in_memory =
        |screen: &Screen| matches!(screen, Screen::SignedIn { stored: Stored::Memory, .. });
    // Whenever the exchange is through, six seconds are more than a save may take.
    while !in_memory(&desk.client.views().borrow().screen) {
        desk.clock.jump(Duration::from_secs(6));
        tokio::task::yield_now().await;
    }
    go.send_replace(true);
    let Screen::SignedIn { account, .. } = desk.shows_signed_in().await else { unreachable!() };
    let Desk { client, keychain, companion, .. } = desk;
    let sessions = client.sessions().clone();
    client.shut_down().await;
    assert_eq!(keychain.text_of(&Item::Account(account.id.clone())).await, None);
    sessions.refresh(&account.id).await;
    assert!(!companion.world().over);
    assert_eq!(sessions.accounts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_late_success_in_memory_leaves_the_kept_session_its_key() {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Keychain).await;
    let Screen::SignedIn { account, .. } = desk.shows_signed_in().await else { unreachable!() };
    let (go, waits) = watch::channel(false);
    desk.companion.next_fails("exchange", Fault::Waits(waits));
    desk.click_sign_in(Door::Loopback, Store::Memory);
    let url = desk.browser_opens().await;
    visit(&desk.companion.signs_in(&url)).await;
    let is_waiting = |s: &crate::support::companion::Seen| s.what == "exchange waits";
    desk.companion.until(|world| world.seen.iter().any(is_waiting).then_some(())).await;
    desk.client.intend(Intent::Cancel);
    desk.shows_signed_in().await;
    go.send_replace(true);
    desk.companion.until(|world| (!world.revoked.is_empty()).then_some(())).await;
    desk.client.sessions().refresh(&account.id).await;
    let refreshed = desk.companion.seen("refresh");
    let exchanged = desk.companion.seen("exchange");
    assert_eq!(refreshed[0].thumbprint, exchanged[0].thumbprint);
    assert_ne!(refreshed[0].thumbprint, exchanged[1].thumbprint);
}

#[tokio::test]
async fn cancelling_while_the_request_is_pushed_opens_no_browser() {
    let mut desk = Desk::new().await;
    let (go, waits) = watch::channel(false);
    desk.companion.next_fails("push", Fault::Waits(waits));
    desk.click_sign_in(Door::Loopback, Store::Memory);
    let is_waiting = |s: &crate::support::companion::Seen| s.what == "push waits";
    desk.companion.until(|world| world.seen.iter().any(is_waiting).then_some(())).await;
    desk.client.intend(Intent::Cancel);
    let cancelled = desk.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, desk.companion.seen("push waits")[0].fields["attempt"]);
    go.send_replace(true);
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    assert_eq!(desk.browsers_opened(), 0);
}

#[tokio::test]
async fn a_session_that_arrives_while_the_client_ends_is_not_left_behind() {
    let mut desk = Desk::new().await;
    let (go, waits) = watch::channel(false);
    desk.companion.next_fails("exchange", Fault::Waits(waits));
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    let url = desk.browser_opens().await;
    visit(&desk.companion.signs_in(&url)).await;
    let is_waiting = |s: &crate::support::companion::Seen| s.what == "exchange waits";
    desk.companion.until(|world| world.seen.iter().any(is_waiting).then_some(())).await;
    desk.client.intend(Intent::Cancel);
    let Desk { client, companion, .. } = desk;
    let (_, ()) = tokio::join!(client.shut_down(), async {
        companion.until(|world| (!world.outcomes.is_empty()).then_some(())).await;
        go.send_replace(true);
    });
    assert_eq!(companion.world().revoked.len(), 1);
}
