//! A process that ends and starts again: the kept attempt, the kept session.

use std::time::Duration;

use keyport_client::Intent;
use keyport_client::keychain::{Item, Keychain as _};
use keyport_core::secret::RawCallback;
use keyport_core::{Door, Screen, Store, Stored};

use crate::support::Desk;

/// An access token of the test companion is over after this long.
const ACCESS_TOKEN: Duration = Duration::from_secs(300);

#[tokio::test]
async fn a_link_completes_the_attempt_that_an_earlier_process_began() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Link, Store::Keychain);
    let url = desk.browser_opens().await;
    let desk = desk.restarted().await;
    let waiting = |s: &Screen| matches!(s, Screen::Waiting { can_open_again: false, .. });
    desk.shows("waiting without its link", waiting).await;
    desk.client.deliver_link(RawCallback::new(desk.companion.signs_in(&url)));
    let Screen::SignedIn { stored, .. } = desk.shows_signed_in().await else { unreachable!() };
    assert_eq!(stored, Stored::Keychain);
    let attempt = desk.attempt();
    let told = desk.companion.until(|world| world.outcomes.first().cloned()).await;
    assert_eq!(told.0, attempt);
    let Desk { client, keychain, .. } = desk;
    client.shut_down().await;
    assert_eq!(keychain.text_of(&Item::Attempt).await, None, "what was kept of it is forgotten");
}

#[tokio::test]
async fn a_link_that_starts_the_process_is_held_until_the_keychain_is_read() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Link, Store::Keychain);
    let url = desk.browser_opens().await;
    let desk = desk.restarted().await;
    desk.client.deliver_link(RawCallback::new(desk.companion.signs_in(&url)));
    desk.shows_signed_in().await;
}

#[tokio::test]
async fn a_sign_out_and_a_sign_in_of_another_process_are_followed() {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Keychain).await;
    let Screen::SignedIn { account, .. } = desk.shows_signed_in().await else { unreachable!() };
    let session = desk.keychain.text_of(&Item::Account(account.id.clone())).await.unwrap();
    // Another process signs out.
    let index = desk.keychain.text_of(&Item::Index).await.unwrap();
    desk.keychain.delete(&Item::Account(account.id.clone())).await.unwrap();
    desk.keychain.delete(&Item::Index).await.unwrap();
    desk.client.intend(Intent::Follow);
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    // It signs in again.
    desk.keychain.put(&Item::Index, &index).await;
    desk.keychain.put(&Item::Account(account.id), &session).await;
    desk.client.intend(Intent::Follow);
    desk.shows_signed_in().await;
}

#[tokio::test]
async fn an_attempt_past_its_deadline_is_not_taken_up_again() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Link, Store::Keychain);
    let url = desk.browser_opens().await;
    let back = desk.companion.signs_in(&url);
    desk.clock.jump(Duration::from_secs(601));
    let desk = desk.restarted().await;
    desk.client.deliver_link(RawCallback::new(back));
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    assert_eq!(desk.companion.count("exchange"), 0);
}

#[tokio::test]
async fn an_attempt_at_another_companion_is_left_alone_until_it_is_over() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Link, Store::Keychain);
    desk.browser_opens().await;
    let kept = desk.keychain.text_of(&Item::Attempt).await.unwrap();
    let elsewhere = kept.replace(desk.companion.issuer(), "https://sign-in.other.test");
    desk.keychain.put(&Item::Attempt, &elsewhere).await;
    desk.another_process().accounts().await.unwrap();
    assert_eq!(desk.keychain.text_of(&Item::Attempt).await, Some(elsewhere));
    desk.clock.jump(Duration::from_secs(601));
    desk.another_process().accounts().await.unwrap();
    assert_eq!(desk.keychain.text_of(&Item::Attempt).await, None);
}

#[tokio::test]
async fn an_attempt_in_memory_leaves_nothing_in_the_keychain() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Link, Store::Memory);
    desk.browser_opens().await;
    let Desk { client, keychain, .. } = desk;
    client.shut_down().await;
    for item in [Item::Attempt, Item::Device, Item::Index] {
        assert_eq!(keychain.text_of(&item).await, None, "{item:?}");
    }
}

#[tokio::test]
async fn a_session_in_the_keychain_is_there_again_and_is_refreshed_with_the_same_key() {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Keychain).await;
    let exchanged = desk.companion.seen("exchange")[0].clone();
    desk.clock.jump(ACCESS_TOKEN);
    let desk = desk.restarted().await;
    desk.shows_signed_in().await;
    desk.companion
        .until(|world| world.seen.iter().any(|s| s.what == "refresh").then_some(()))
        .await;
    let refreshed = desk.companion.seen("refresh")[0].clone();
    assert_eq!(refreshed.thumbprint, exchanged.thumbprint);
}

#[tokio::test]
async fn a_session_whose_access_token_is_fresh_is_not_refreshed_at_the_start() {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Keychain).await;
    let desk = desk.restarted().await;
    desk.shows_signed_in().await;
    // What would begin on the first tick has begun when the end is over.
    let Desk { client, companion, .. } = desk;
    client.shut_down().await;
    assert_eq!(companion.count("refresh"), 0);
}

#[tokio::test]
async fn a_session_in_memory_is_gone_with_its_process() {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Memory).await;
    let desk = desk.restarted().await;
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_set_aside_and_said() {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Keychain).await;
    let Screen::SignedIn { account, .. } = desk.shows_signed_in().await else { unreachable!() };
    let item = Item::Account(account.id);
    desk.keychain.damage(&item);
    let mut desk = desk.restarted().await;
    desk.shows_problem("keychain_corrupt").await;
    assert_eq!(desk.keychain.set_aside_so_far(), [item.name()]);
    desk.signs_in(Store::Keychain).await;
}

#[tokio::test]
async fn a_keychain_that_is_locked_at_the_start_is_not_the_same_as_signed_out() {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Keychain).await;
    desk.keychain.fails_reads(keyport_client::keychain::KeychainTrouble::Locked);
    let desk = desk.restarted().await;
    desk.shows_problem("keychain_locked").await;
    desk.client.intend(keyport_client::Intent::LoadAgain);
    desk.shows_signed_in().await;
}

#[tokio::test]
async fn a_command_line_beside_the_app_leaves_the_apps_attempt_alone() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Link, Store::Keychain);
    let url = desk.browser_opens().await;
    let beside = desk.command_line_beside();
    let (hints, doors) = (keyport_core::Hints::default(), vec![Door::Loopback]);
    beside.intend(keyport_client::Intent::SignIn { hints, doors, store: Store::Keychain });
    desk.browser_opens().await;
    beside.intend(keyport_client::Intent::Cancel);
    beside.shut_down().await;
    assert_eq!(desk.companion.world().cancelled.len(), 1, "its own");
    desk.client.deliver_link(RawCallback::new(desk.companion.signs_in(&url)));
    desk.shows_signed_in().await;
}
