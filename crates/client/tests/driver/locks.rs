//! SessionLocks: what is kept changes in one program at a time, no wait is without an end, and what
//! the lock or the device key does not allow is said by its name.

use std::time::Duration;

use keyport_client::keychain::{Item, Keychain};
use keyport_client::locks::LockError;
use keyport_client::{ClientNotice, Intent, Sessions};
use keyport_core::{AccountId, CallbackReceiver, Problem, Refreshed, Screen, SessionStore, Stored};
use tokio::time::timeout;

use crate::support::fixture::visit;
use crate::support::{ClientFixture, WAIT_TIMEOUT};

async fn signed_in() -> (ClientFixture, Sessions, AccountId) {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let sessions = fixture.another_process();
    let account = sessions.current().await.unwrap().unwrap().id;
    (fixture, sessions, account)
}

/// The refresh of a session, which must end.
async fn refreshed(sessions: &Sessions, account: &AccountId) -> Refreshed {
    timeout(WAIT_TIMEOUT, sessions.refresh(account)).await.expect("a refresh ends")
}

async fn key_is(how: &str, fixture: &ClientFixture) {
    match how {
        "lost" => fixture.keychain.delete(&Item::Device).await.unwrap(),
        // Also what two items of one name are read as.
        "unreadable" => fixture.keychain.damage(&Item::Device),
        "another" => {
            fixture.keychain.delete(&Item::Device).await.unwrap();
            fixture.another_process().device_key(SessionStore::Keychain).await.unwrap();
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_lost_device_key_is_said_and_holds_up_no_other_program() {
    for how in ["lost", "unreadable", "another"] {
        let (fixture, sessions, account) = signed_in().await;
        let kept = fixture.keychain.text_of(&Item::Account(account.clone())).await;
        key_is(how, &fixture).await;
        let lost = Refreshed::Later(Problem::DeviceKeyLost);
        assert_eq!(refreshed(&sessions, &account).await, lost, "{how}");
        assert_eq!(sessions.access_token(&account).await, Err(Problem::DeviceKeyLost), "{how}");
        assert_eq!(fixture.companion.count("refresh"), 0, "{how}: no other key is presented");
        assert_eq!(fixture.keychain.text_of(&Item::Account(account)).await, kept, "{how}");
        drop(fixture.keychain.lock(Duration::ZERO).await.expect("the lock is free"));
    }
}

#[tokio::test]
async fn a_lost_device_key_is_shown_and_a_new_sign_in_replaces_it() {
    for how in ["lost", "unreadable"] {
        let mut fixture = ClientFixture::new().await;
        fixture.signs_in(SessionStore::Keychain).await;
        key_is(how, &fixture).await;
        let mut fixture = fixture.restarted().await;
        fixture.shows_problem("device_key_lost").await;
        fixture.signs_in(SessionStore::Keychain).await;
        let sessions = fixture.another_process();
        let account = sessions.current().await.unwrap().unwrap().id;
        let fresh = refreshed(&sessions, &account).await;
        assert!(matches!(fresh, Refreshed::Done { stored: Stored::Keychain, .. }), "{fresh:?}");
    }
}

#[tokio::test]
async fn a_device_key_lost_during_sign_in_is_kept_again() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    key_is("lost", &fixture).await;
    visit(&fixture.companion.signs_in(&url)).await;
    let Screen::SignedIn { account, stored, .. } = fixture.shows_signed_in().await else {
        unreachable!()
    };
    assert_eq!(stored, Stored::Keychain);
    let fresh = refreshed(&fixture.another_process(), &account.id).await;
    assert!(matches!(fresh, Refreshed::Done { stored: Stored::Keychain, .. }), "{fresh:?}");
}

#[tokio::test]
async fn a_sign_in_waits_for_the_lock_longer_than_a_save_takes() {
    let mut fixture = ClientFixture::new().await;
    let mut waits = fixture.keychain.lock_waits();
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    let held = fixture.keychain.lock(WAIT_TIMEOUT).await.unwrap();
    visit(&fixture.companion.signs_in(&url)).await;
    waits.wait_for(|waits| *waits > 0).await.unwrap();
    for _ in 0..4 {
        fixture.clock.jump(Duration::from_secs(6));
        tokio::task::yield_now().await;
    }
    fixture.shows("finishing", |screen| *screen == Screen::Finishing).await;
    drop(held);
    let Screen::SignedIn { account, stored, .. } = fixture.shows_signed_in().await else {
        unreachable!()
    };
    assert_eq!(stored, Stored::Keychain);
    assert!(fixture.keychain.text_of(&Item::Account(account.id)).await.is_some());
}

#[tokio::test]
async fn without_the_lock_a_sign_in_is_held_in_memory_only() {
    let (mut fixture, _, account) = signed_in().await;
    let item = Item::Account(account);
    let kept = fixture.keychain.text_of(&item).await;
    fixture.keychain.fails_locks(Some(|| LockError::Busy));
    fixture.signs_in(SessionStore::Keychain).await;
    let in_memory = |screen: &Screen| {
        matches!(screen, Screen::SignedIn { not_saved: Some("keychain_busy"), .. })
    };
    fixture.shows("not saved", in_memory).await;
    assert_eq!(fixture.keychain.text_of(&item).await, kept);
    let sessions = fixture.client.sessions();
    let accounts = sessions.accounts().await.unwrap();
    assert!(accounts.iter().all(|entry| entry.stored == Stored::Memory), "{accounts:?}");
}

#[tokio::test]
async fn without_the_lock_a_command_keeps_the_earlier_session() {
    let (mut fixture, sessions, account) = signed_in().await;
    let client = fixture.command_line_beside();
    let mut notices = client.notices();
    client.intend(Intent::SignIn { email: None });
    let url = fixture.browser_opens().await;
    fixture.keychain.fails_locks(Some(|| LockError::Busy));
    visit(&fixture.companion.signs_in(&url)).await;
    let problem = timeout(WAIT_TIMEOUT, async {
        loop {
            if let ClientNotice::Problem { problem, .. } = notices.recv().await.unwrap() {
                return problem;
            }
        }
    });
    assert_eq!(problem.await.expect("a problem"), Problem::KeychainBusy);
    client.shut_down().await;
    assert_eq!(fixture.companion.count("exchange"), 1, "the code was not redeemed");
    fixture.keychain.fails_locks(None);
    let fresh = refreshed(&sessions, &account).await;
    assert!(matches!(fresh, Refreshed::Done { stored: Stored::Keychain, .. }), "{fresh:?}");
}

#[tokio::test]
async fn a_refused_lock_stops_writing_and_not_reading() {
    let (mut fixture, sessions, account) = signed_in().await;
    let token = sessions.access_token(&account).await.unwrap();
    let item = Item::Account(account.clone());
    let kept = fixture.keychain.text_of(&item).await;
    fixture.keychain.fails_locks(Some(|| LockError::Refused));
    assert_eq!(sessions.accounts().await.unwrap().len(), 1);
    assert_eq!(sessions.access_token(&account).await, Ok(token), "it is good for a while");
    let refused = Refreshed::Later(Problem::KeychainLockRefused);
    let before = fixture.companion.count("refresh");
    assert_eq!(refreshed(&sessions, &account).await, refused);
    assert_eq!(fixture.companion.count("refresh"), before, "and nothing was asked");
    assert_eq!(sessions.probe_keychain().await, Err(Problem::KeychainLockRefused));
    assert_eq!(fixture.keychain.text_of(&item).await, kept);
    while fixture.browsers_opened() > 0 {}
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    fixture.shows_problem("keychain_lock_refused").await;
    assert_eq!(fixture.browsers_opened(), 0, "found before the browser opens");
}
