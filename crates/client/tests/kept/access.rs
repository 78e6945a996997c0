//! The access token is kept in the keychain and given until it is due, and only with its session.

use std::time::Duration;

use futures_util::future::join_all;
use keyport_client::keychain::{Item, Keychain as _, KeychainError};
use keyport_client::locks::LockError;
use keyport_client::{ClientNotice, Sessions, session::Access};
use keyport_core::{AccountId, CallbackReceiver, Problem, SessionStore};

use crate::signed_in;
use crate::support::Fault;
use crate::support::fixture::visit;

/// The token is due 30 seconds before its five minutes are over.
const DUE: Duration = Duration::from_secs(271);

async fn token(sessions: &Sessions, account: &AccountId) -> Access {
    sessions.access_token(account).await.unwrap()
}

fn access(account: &AccountId) -> Item {
    Item::Access(account.clone())
}

#[tokio::test]
async fn two_processes_share_one_refresh_and_a_good_token() {
    let (fixture, one, account) = signed_in().await;
    let given = token(&one, &account).await;
    assert_eq!(token(&fixture.another_process(), &account).await, given);
    assert_eq!(fixture.companion.count("refresh"), 0, "the sign-in brought it");
    fixture.clock.jump(DUE);
    let renewed = token(&fixture.another_process(), &account).await;
    assert_ne!(renewed, given);
    assert_eq!(token(&fixture.another_process(), &account).await, renewed);
    assert_eq!(fixture.companion.count("refresh"), 1);
}

#[tokio::test]
async fn many_processes_at_once_renew_once_and_all_get_the_same_token() {
    let (fixture, _, account) = signed_in().await;
    fixture.clock.jump(DUE);
    let processes: Vec<Sessions> = (0..8).map(|_| fixture.another_process()).collect();
    let tokens = join_all(processes.iter().map(|sessions| token(sessions, &account))).await;
    assert!(tokens.iter().all(|given| *given == tokens[0]));
    assert_eq!(fixture.companion.count("refresh"), 1);
}

#[tokio::test]
async fn a_good_token_needs_neither_the_lock_nor_the_companion() {
    let (mut fixture, _, account) = signed_in().await;
    fixture.companion.stop().await;
    fixture.keychain.fails_locks(Some(|| LockError::Refused));
    assert!(fixture.another_process().access_token(&account).await.is_ok());
    fixture.clock.jump(DUE);
    assert!(fixture.another_process().access_token(&account).await.is_err(), "and now it is due");
}

#[tokio::test]
async fn the_token_of_a_replaced_session_is_not_given() {
    let (fixture, sessions, account) = signed_in().await;
    let item = Item::Account(account.clone());
    let text = fixture.keychain.text_of(&item).await.unwrap();
    fixture.keychain.put(&item, &text.replace("kpr_canary-", "kpr_other-")).await;
    fixture.companion.next_fails("refresh", Fault::Answers(503, serde_json::json!({})));
    let refused = sessions.access_token(&account).await;
    assert_eq!(
        refused,
        Err(Problem::ServiceUnavailable),
        "it is renewed, and not taken from there"
    );
}

#[tokio::test]
async fn the_token_of_another_companions_account_is_not_given() {
    let (fixture, sessions, account) = signed_in().await;
    let item = Item::Account(account.clone());
    let text = fixture.keychain.text_of(&item).await.unwrap();
    let elsewhere = text.replace(fixture.companion.issuer(), "https://sign-in.other.test");
    fixture.keychain.put(&item, &elsewhere).await;
    assert_eq!(sessions.access_token(&account).await, Err(Problem::ServiceRefused));
}

#[tokio::test]
async fn the_token_goes_with_its_session() {
    let (fixture, sessions, account) = signed_in().await;
    assert!(fixture.keychain.text_of(&access(&account)).await.is_some());
    sessions.sign_out(&account).await.unwrap();
    assert_eq!(fixture.keychain.text_of(&access(&account)).await, None, "signed out");

    let (fixture, sessions, account) = signed_in().await;
    fixture.companion.world().over = true;
    fixture.clock.jump(DUE);
    assert_eq!(sessions.access_token(&account).await, Err(Problem::SessionEnded));
    assert_eq!(fixture.keychain.text_of(&access(&account)).await, None, "ended at the companion");

    let (fixture, sessions, account) = signed_in().await;
    sessions.erase(&account).await.unwrap();
    assert_eq!(fixture.keychain.text_of(&access(&account)).await, None, "erased");
}

#[tokio::test]
async fn a_token_that_cannot_be_read_or_kept_is_renewed_instead() {
    let (fixture, _, account) = signed_in().await;
    fixture.keychain.damage(&access(&account));
    token(&fixture.another_process(), &account).await;
    assert_eq!(fixture.companion.count("refresh"), 1);

    let (fixture, _, account) = signed_in().await;
    fixture.clock.jump(DUE);
    for refused in [KeychainError::TooLarge, KeychainError::Refused] {
        fixture.keychain.fails_writes("access:", refused);
        token(&fixture.another_process(), &account).await;
    }
    assert_eq!(fixture.companion.count("refresh"), 2, "each process renews for itself");
}

#[tokio::test]
async fn a_child_that_is_not_kept_leaves_no_token_of_its_own() {
    let (fixture, sessions, account) = signed_in().await;
    let before = fixture.keychain.text_of(&access(&account)).await;
    fixture.keychain.fails_writes("account:", KeychainError::Locked);
    fixture.clock.jump(DUE);
    sessions.refresh(&account).await;
    assert_eq!(fixture.keychain.text_of(&access(&account)).await, before, "the child comes first");
}

/// A token without its session: whoever writes next removes it, for whichever account.
#[tokio::test]
async fn the_token_of_a_session_that_was_lost_does_not_stay() {
    let (fixture, sessions, account) = signed_in().await;
    let left_behind = access(&AccountId("0123456789abcdef".into()));
    fixture.keychain.put(&left_behind, "{}").await;
    sessions.sign_out(&account).await.unwrap();
    assert_eq!(fixture.keychain.text_of(&left_behind).await, None, "at a sign-out");

    let (fixture, sessions, account) = signed_in().await;
    fixture.keychain.delete(&Item::Account(account.clone())).await.unwrap();
    assert!(fixture.keychain.text_of(&access(&account)).await.is_some());
    fixture.clock.jump(DUE);
    assert_eq!(sessions.access_token(&account).await, Err(Problem::SessionEnded));
    assert_eq!(fixture.keychain.text_of(&access(&account)).await, None, "when it is missed");

    let (fixture, _, _) = signed_in().await;
    let mut fixture = fixture.restarted().await;
    fixture.shows_signed_in().await;
    fixture.keychain.put(&left_behind, "{}").await;
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    visit(&fixture.companion.signs_in(&url)).await;
    fixture.notice(|notice| matches!(notice, ClientNotice::SignedIn { .. }).then_some(())).await;
    assert_eq!(fixture.keychain.text_of(&left_behind).await, None, "at a sign-in");
}

#[tokio::test]
async fn the_token_of_a_session_that_cannot_be_read_goes_with_it() {
    let (fixture, sessions, account) = signed_in().await;
    fixture.keychain.damage(&Item::Account(account.clone()));
    assert_eq!(sessions.accounts().await, Ok(vec![]));
    assert_eq!(fixture.keychain.text_of(&access(&account)).await, None);
}
