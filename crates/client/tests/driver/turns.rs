//! Turns: what is kept changes in one program at a time, no wait is without an end, and what the
//! lock or the device key does not allow is said by its name.

use std::time::Duration;

use keyport_client::keychain::{Item, Keychain};
use keyport_client::locks::LockTrouble;
use keyport_client::{Intent, Notice, Sessions};
use keyport_core::{AccountId, Door, Problem, Refreshed, Screen, Store, Stored};
use tokio::time::timeout;

use crate::support::desk::visit;
use crate::support::{Desk, PATIENCE};

async fn signed_in() -> (Desk, Sessions, AccountId) {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Keychain).await;
    let sessions = desk.another_process();
    let account = sessions.current().await.unwrap().unwrap().id;
    (desk, sessions, account)
}

/// The refresh of a session, which must end.
async fn refreshed(sessions: &Sessions, account: &AccountId) -> Refreshed {
    timeout(PATIENCE, sessions.refresh(account)).await.expect("a refresh ends")
}

async fn key_is(how: &str, desk: &Desk) {
    match how {
        "lost" => desk.keychain.delete(&Item::Device).await.unwrap(),
        // Also what two items of one name are read as.
        "unreadable" => desk.keychain.damage(&Item::Device),
        "another" => {
            desk.keychain.delete(&Item::Device).await.unwrap();
            desk.another_process().device_key(Store::Keychain).await.unwrap();
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_lost_device_key_is_said_and_holds_up_no_other_program() {
    for how in ["lost", "unreadable", "another"] {
        let (desk, sessions, account) = signed_in().await;
        let kept = desk.keychain.text_of(&Item::Account(account.clone())).await;
        key_is(how, &desk).await;
        let lost = Refreshed::Later(Problem::DeviceKeyLost);
        assert_eq!(refreshed(&sessions, &account).await, lost, "{how}");
        assert_eq!(sessions.access_token(&account).await, Err(Problem::DeviceKeyLost), "{how}");
        assert_eq!(desk.companion.count("refresh"), 0, "{how}: no other key is presented");
        assert_eq!(desk.keychain.text_of(&Item::Account(account)).await, kept, "{how}");
        drop(desk.keychain.lock(Duration::ZERO).await.expect("the lock is free"));
    }
}

#[tokio::test]
async fn the_window_says_that_the_device_key_is_lost_and_signing_in_again_makes_a_new_one() {
    for how in ["lost", "unreadable"] {
        let mut desk = Desk::new().await;
        desk.signs_in(Store::Keychain).await;
        key_is(how, &desk).await;
        let mut desk = desk.restarted().await;
        desk.shows_problem("device_key_lost").await;
        desk.signs_in(Store::Keychain).await;
        let sessions = desk.another_process();
        let account = sessions.current().await.unwrap().unwrap().id;
        let fresh = refreshed(&sessions, &account).await;
        assert!(matches!(fresh, Refreshed::Done { stored: Stored::Keychain, .. }), "{fresh:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_lost_during_a_sign_in_is_kept_again_with_its_session() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    let url = desk.browser_opens().await;
    key_is("lost", &desk).await;
    visit(&desk.companion.signs_in(&url)).await;
    let Screen::SignedIn { account, stored, .. } = desk.shows_signed_in().await else {
        unreachable!()
    };
    assert_eq!(stored, Stored::Keychain);
    let fresh = refreshed(&desk.another_process(), &account.id).await;
    assert!(matches!(fresh, Refreshed::Done { stored: Stored::Keychain, .. }), "{fresh:?}");
}

#[tokio::test]
async fn a_finished_sign_in_waits_for_the_lock_longer_than_a_save_may_take() {
    let mut desk = Desk::new().await;
    let mut waits = desk.keychain.lock_waits();
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    let url = desk.browser_opens().await;
    let held = desk.keychain.lock(PATIENCE).await.unwrap();
    visit(&desk.companion.signs_in(&url)).await;
    waits.wait_for(|waits| *waits > 0).await.unwrap();
    for _ in 0..4 {
        desk.clock.jump(Duration::from_secs(6));
        tokio::task::yield_now().await;
    }
    desk.shows("finishing", |screen| *screen == Screen::Finishing).await;
    drop(held);
    let Screen::SignedIn { account, stored, .. } = desk.shows_signed_in().await else {
        unreachable!()
    };
    assert_eq!(stored, Stored::Keychain);
    assert!(desk.keychain.text_of(&Item::Account(account.id)).await.is_some());
}

#[tokio::test]
async fn a_sign_in_that_never_gets_the_lock_is_held_in_memory_and_the_earlier_item_stays() {
    let (mut desk, _, account) = signed_in().await;
    let item = Item::Account(account);
    let kept = desk.keychain.text_of(&item).await;
    desk.keychain.fails_locks(Some(|| LockTrouble::Busy));
    desk.signs_in(Store::Keychain).await;
    let in_memory = |screen: &Screen| {
        matches!(screen, Screen::SignedIn { not_saved: Some("keychain_busy"), .. })
    };
    desk.shows("not saved", in_memory).await;
    assert_eq!(desk.keychain.text_of(&item).await, kept);
    let sessions = desk.client.sessions();
    let accounts = sessions.accounts().await.unwrap();
    assert!(accounts.iter().all(|entry| entry.stored == Stored::Memory), "{accounts:?}");
}

#[tokio::test]
async fn a_command_line_that_never_gets_the_lock_leaves_the_earlier_session_alive() {
    let (mut desk, sessions, account) = signed_in().await;
    let client = desk.command_line_beside();
    let mut notices = client.notices();
    let loopback = vec![Door::Loopback];
    let (hints, store) = (keyport_core::Hints::default(), Store::Keychain);
    client.intend(Intent::SignIn { hints, doors: loopback, store });
    let url = desk.browser_opens().await;
    desk.keychain.fails_locks(Some(|| LockTrouble::Busy));
    visit(&desk.companion.signs_in(&url)).await;
    let problem = timeout(PATIENCE, async {
        loop {
            if let Notice::Problem { problem, .. } = notices.recv().await.unwrap() {
                return problem;
            }
        }
    });
    assert_eq!(problem.await.expect("a problem"), Problem::KeychainBusy);
    client.shut_down().await;
    assert_eq!(desk.companion.count("exchange"), 1, "the code was not redeemed");
    desk.keychain.fails_locks(None);
    let fresh = refreshed(&sessions, &account).await;
    assert!(matches!(fresh, Refreshed::Done { stored: Stored::Keychain, .. }), "{fresh:?}");
}

#[tokio::test]
async fn where_the_lock_is_refused_nothing_is_renewed_or_written_and_reading_goes_on() {
    let (mut desk, sessions, account) = signed_in().await;
    let token = sessions.access_token(&account).await.unwrap();
    let item = Item::Account(account.clone());
    let kept = desk.keychain.text_of(&item).await;
    desk.keychain.fails_locks(Some(|| LockTrouble::Refused));
    assert_eq!(sessions.accounts().await.unwrap().len(), 1);
    assert_eq!(sessions.access_token(&account).await, Ok(token), "it is good for a while");
    let refused = Refreshed::Later(Problem::KeychainLockRefused);
    let before = desk.companion.count("refresh");
    assert_eq!(refreshed(&sessions, &account).await, refused);
    assert_eq!(desk.companion.count("refresh"), before, "and nothing was asked");
    assert_eq!(sessions.probe_keychain().await, Err(Problem::KeychainLockRefused));
    assert_eq!(desk.keychain.text_of(&item).await, kept);
    while desk.browsers_opened() > 0 {}
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    desk.shows_problem("keychain_lock_refused").await;
    assert_eq!(desk.browsers_opened(), 0, "found before the browser opens");
}
