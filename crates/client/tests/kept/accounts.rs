//! Which accounts are signed in, signing all of them out, and hearing that something changed.

use std::time::Duration;

use keyport_client::keychain::{Item, KeychainError};
use keyport_client::session::{AccountEntry, SignedOut};
use keyport_core::{AccountId, Problem, Stored};
use tokio::time::timeout;

use crate::signed_in;
use crate::support::{ClientFixture, WAIT_TIMEOUT};

/// Puts the session of another account beside the one that is there.
async fn second_account(fixture: &ClientFixture, first: &AccountId) -> AccountId {
    let second = AccountId("5ec0".repeat(4));
    let item = |id: &AccountId| Item::Account(id.clone());
    let text = fixture.keychain.text_of(&item(first)).await.unwrap();
    let text = text.replace(&first.0, &second.0).replace("ada@", "grace@");
    fixture.keychain.put(&item(&second), &text.replace("kpr_canary-", "kpr_second-")).await;
    let index = fixture.keychain.text_of(&Item::Index).await.unwrap();
    let both = format!("\"{}\",\"{}\"]", first.0, second.0);
    let index = index.replace(&format!("\"{}\"]", first.0), &both);
    fixture.keychain.put(&Item::Index, &index).await;
    second
}

#[tokio::test]
async fn every_account_is_listed_and_one_of_them_is_current() {
    let (fixture, sessions, first) = signed_in().await;
    let second = second_account(&fixture, &first).await;
    let index = fixture.keychain.text_of(&Item::Index).await.unwrap();
    let current = |id: &AccountId| {
        let (before, _) = index.split_once("\"current\"").unwrap();
        format!("{before}\"current\":\"{}\"}}", id.0)
    };
    for expected in [&first, &second] {
        fixture.keychain.put(&Item::Index, &current(expected)).await;
        let accounts = sessions.accounts().await.unwrap();
        assert_eq!(accounts.len(), 2);
        let is_current = |entry: &&AccountEntry| entry.is_current;
        let marked: Vec<_> = accounts.iter().filter(is_current).map(|e| &e.account.id).collect();
        assert_eq!(marked, [expected]);
        assert_eq!(accounts[0].account.id, *expected, "and it is first");
        assert!(accounts.iter().all(|entry| entry.stored == Stored::Keychain));
        assert_eq!(sessions.current().await.unwrap().unwrap().id, *expected);
    }
    fixture.keychain.put(&Item::Index, &current(&AccountId("elsewhere".into()))).await;
    let accounts = sessions.accounts().await.unwrap();
    assert_eq!(accounts.iter().filter(|entry| entry.is_current).count(), 1);
}

#[tokio::test]
async fn signing_out_of_one_account_leaves_the_others() {
    let (fixture, sessions, first) = signed_in().await;
    let second = second_account(&fixture, &first).await;
    sessions.sign_out(&first).await.unwrap();
    assert_eq!(sessions.current().await.unwrap().unwrap().id, second);

    let (fixture, sessions, first) = signed_in().await;
    let second = second_account(&fixture, &first).await;
    let ended = sessions.sign_out_all().await.unwrap();
    let ended: Vec<_> = ended.into_iter().map(|one| (one.account.id, one.result)).collect();
    let everywhere = Ok(SignedOut::Everywhere);
    assert_eq!(ended, [(first.clone(), everywhere), (second.clone(), everywhere)]);
    assert_eq!(fixture.companion.world().revoked.len(), 2);
    for id in [first, second] {
        assert_eq!(fixture.keychain.text_of(&Item::Account(id)).await, None);
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_signed_out_does_not_keep_the_others() {
    let (fixture, sessions, first) = signed_in().await;
    let second = second_account(&fixture, &first).await;
    fixture.keychain.fails_deletes(&format!("account:{}", first.0), KeychainError::Locked);
    let ended = sessions.sign_out_all().await.unwrap();
    let results: Vec<_> = ended.iter().map(|one| one.result).collect();
    assert_eq!(results, [Err(Problem::KeychainLocked), Ok(SignedOut::Everywhere)]);
    assert_eq!(fixture.keychain.text_of(&Item::Account(second)).await, None);
}

#[tokio::test]
async fn changes_of_the_keychain_are_heard() {
    let (fixture, sessions, _) = signed_in().await;
    let mut changes = sessions.changes().unwrap();
    assert!(!changes.has_changed().unwrap());
    fixture.keychain.signals_a_change();
    timeout(WAIT_TIMEOUT, changes.changed()).await.unwrap().unwrap();
    assert!(timeout(Duration::ZERO, changes.changed()).await.is_err(), "once");
}
