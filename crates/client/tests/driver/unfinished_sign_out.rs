//! A sign-out that the keychain could not be asked about: it is said, and it is finished as soon as
//! the keychain can be read, unless the person has signed in anew.

use keyport_client::keychain::{Item, KeychainError};
use keyport_client::{ClientNotice, Intent};
use keyport_core::{AccountId, Problem, Screen, SessionStore, Stored};
use tokio::time::timeout;

use crate::support::fixture::visit;
use crate::support::{ClientFixture, WAIT_TIMEOUT};

/// Ada's session is in a keychain that is locked; she has signed in again in memory and out.
async fn signed_out_beside_a_locked_keychain() -> (ClientFixture, AccountId) {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let Screen::SignedIn { account, .. } = fixture.shows_signed_in().await else { unreachable!() };
    fixture.keychain.fails_reads(KeychainError::Locked);
    fixture.keychain.fails_deletes("", KeychainError::Locked);
    let mut fixture = fixture.restarted().await;
    fixture.shows_problem("keychain_locked").await;
    fixture.signs_in(SessionStore::Memory).await;
    fixture.client.intend(Intent::SignOut);
    fixture.shows_problem("not_signed_out").await;
    (fixture, account.id)
}

#[tokio::test]
async fn a_session_in_a_locked_keychain_ends_when_it_can_be_read() {
    let (fixture, account) = signed_out_beside_a_locked_keychain().await;
    let in_memory = fixture.companion.world().given[3].clone();
    assert_eq!(fixture.companion.world().revoked, [in_memory], "over there it is over at once");
    fixture.keychain.is_well_again();
    fixture.client.follow_keychain();
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    assert_eq!(fixture.keychain.text_of(&Item::Account(account)).await, None);
    let older = fixture.companion.world().given[1].clone();
    fixture.companion.until(|world| world.revoked.contains(&older).then_some(())).await;
}

#[tokio::test]
async fn an_unfinished_sign_out_that_was_read_is_finished_too() {
    let (fixture, account) = signed_out_beside_a_locked_keychain().await;
    fixture.client.intend(Intent::Dismiss);
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    let sessions = fixture.client.sessions().clone();
    assert_eq!(sessions.accounts().await, Err(Problem::KeychainLocked));
    fixture.keychain.is_well_again();
    assert_eq!(sessions.accounts().await, Ok(vec![]));
    assert_eq!(fixture.keychain.text_of(&Item::Account(account)).await, None);
}

#[tokio::test]
async fn an_unfinished_sign_out_ends_no_session_of_a_newer_sign_in() {
    let (mut fixture, account) = signed_out_beside_a_locked_keychain().await;
    fixture.keychain.is_well_again();
    fixture.signs_in(SessionStore::Keychain).await;
    fixture.client.follow_keychain();
    let accounts = fixture.client.sessions().accounts().await.unwrap();
    assert_eq!(accounts[0].stored, Stored::Keychain);
    assert!(fixture.keychain.text_of(&Item::Account(account)).await.is_some());
    fixture.shows_signed_in().await;
}

#[tokio::test]
async fn an_unfinished_sign_out_ends_no_session_that_another_program_has_begun_since() {
    let (mut fixture, account) = signed_out_beside_a_locked_keychain().await;
    fixture.keychain.is_well_again();
    let beside = fixture.command_line_beside();
    let mut notices = beside.notices();
    beside.intend(Intent::SignIn { email: None });
    let url = fixture.browser_opens().await;
    visit(&fixture.companion.signs_in(&url)).await;
    let signed_in =
        async { while !matches!(notices.recv().await.unwrap(), ClientNotice::SignedIn { .. }) {} };
    timeout(WAIT_TIMEOUT, signed_in).await.expect("the other program signs in");
    beside.shut_down().await;
    let kept = fixture.keychain.text_of(&Item::Account(account.clone())).await;
    fixture.client.follow_keychain();
    fixture.shows("signed in", |screen| !matches!(screen, Screen::SignedOut)).await;
    fixture.client.intend(Intent::Dismiss);
    fixture.shows_signed_in().await;
    assert_eq!(fixture.keychain.text_of(&Item::Account(account)).await, kept);
}

/// Where there is no keychain no session is in one: a sign-out in memory is a whole one.
#[tokio::test]
async fn without_a_keychain_a_sign_out_is_finished_and_one_that_appears_is_asked() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let Screen::SignedIn { account, .. } = fixture.shows_signed_in().await else { unreachable!() };
    fixture.keychain.fails_reads(KeychainError::Absent);
    fixture.keychain.fails_deletes("", KeychainError::Absent);
    let mut fixture = fixture.restarted().await;
    fixture.signs_in(SessionStore::Memory).await;
    fixture.client.intend(Intent::SignOut);
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    fixture.companion.until(|world| world.revoked.first().cloned()).await;
    assert_eq!(fixture.client.views().borrow().screen, Screen::SignedOut);
    fixture.keychain.is_well_again();
    let sessions = fixture.client.sessions();
    assert_eq!(sessions.accounts().await, Ok(vec![]));
    assert_eq!(fixture.keychain.text_of(&Item::Account(account.id)).await, None);
}
