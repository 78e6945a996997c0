//! A lost, damaged or doubled index costs no account: it is rebuilt from the items.

use keyport_client::keychain::{Item, Keychain as _};
use keyport_client::locks::LockError;
use keyport_core::{AccountId, Problem, SessionStore};
use serde_json::json;

use crate::signed_in;
use crate::support::ClientFixture;

#[tokio::test]
async fn a_lost_or_damaged_index_is_rebuilt_from_the_items() {
    for is_lost in [true, false] {
        let (fixture, sessions, account) = signed_in().await;
        let before = fixture.keychain.text_of(&Item::Index).await;
        if is_lost {
            fixture.keychain.delete(&Item::Index).await.unwrap();
        } else {
            fixture.keychain.damage(&Item::Index);
        }
        let accounts = sessions.list_accounts().await.unwrap();
        assert_eq!(accounts.entries.len(), 1);
        assert_eq!((&accounts.entries[0].account.id, accounts.error), (&account, None));
        assert_eq!(fixture.keychain.text_of(&Item::Index).await, before, "as it was");
        let aside = fixture.keychain.set_aside_so_far();
        assert_eq!(aside.len(), usize::from(!is_lost), "what was damaged is not lost");
        assert!(sessions.access_token(&account).await.is_ok());
    }
}

#[tokio::test]
async fn without_the_lock_the_accounts_are_told_all_the_same() {
    let (fixture, _, account) = signed_in().await;
    fixture.keychain.damage(&Item::Index);
    fixture.keychain.fails_locks(Some(|| LockError::Refused));
    let sessions = fixture.another_process();
    assert_eq!(sessions.current().await.unwrap().unwrap().id, account);
    assert_eq!(fixture.keychain.set_aside_so_far(), Vec::<String>::new());
}

#[tokio::test]
async fn without_a_list_a_damaged_index_is_set_aside_and_said() {
    let (fixture, sessions, _) = signed_in().await;
    fixture.keychain.cannot_list();
    fixture.keychain.damage(&Item::Index);
    let accounts = sessions.list_accounts().await.unwrap();
    assert_eq!((accounts.entries.len(), accounts.error), (0, Some(Problem::KeychainCorrupt)));
    assert_eq!(fixture.keychain.set_aside_so_far(), ["index"]);
}

#[tokio::test]
async fn sign_out_with_a_damaged_index_ends_that_account_alone() {
    let (fixture, sessions, account) = signed_in().await;
    fixture.keychain.damage(&Item::Index);
    sessions.sign_out(&account).await.unwrap();
    assert_eq!(sessions.accounts().await, Ok(vec![]));
    assert_eq!(fixture.keychain.text_of(&Item::Account(account)).await, None);
}

/// Sixteen hexadecimal digits, as every account has.
fn id_of(number: usize) -> AccountId {
    AccountId(format!("{number:016x}"))
}

/// So many accounts in the index as it can hold.
async fn fills_the_index(fixture: &ClientFixture, first: &AccountId) {
    let others = (0..).map(id_of);
    let mut accounts: Vec<_> = std::iter::once(first.clone()).chain(others.take(52)).collect();
    let text = |accounts: &[AccountId]| json!({"accounts": accounts, "current": first}).to_string();
    while text(&accounts).len() > 1024 {
        accounts.pop();
    }
    fixture.keychain.put(&Item::Index, &text(&accounts)).await;
}

/// Signs a person in who was not signed in before.
async fn another_person_signs_in(fixture: ClientFixture) -> ClientFixture {
    fixture.companion.world().account = Some(json!({
        "sub": "user_grace", "email": "grace@acme.test", "name": "Grace Hopper",
        "organization": {"id": "org_1", "name": "Acme"},
        "connection": {"id": "conn_1", "type": "OktaSAML"},
    }));
    let mut fixture = fixture.restarted().await;
    fixture.signs_in(SessionStore::Keychain).await;
    fixture
}

#[tokio::test]
async fn a_full_index_loses_the_names_that_have_no_item() {
    let (fixture, sessions, account) = signed_in().await;
    fills_the_index(&fixture, &account).await;
    let fixture = another_person_signs_in(fixture).await;
    let accounts = sessions.accounts().await.unwrap();
    assert_eq!(accounts.len(), 2);
    assert!(accounts[0].is_current && accounts[0].account.id != account);
    let index = fixture.keychain.text_of(&Item::Index).await.unwrap();
    assert!(!index.contains(&id_of(0).0), "{index}");
}

#[tokio::test]
async fn where_no_index_can_name_all_accounts_the_items_tell_them() {
    let (fixture, sessions, account) = signed_in().await;
    let text = fixture.keychain.text_of(&Item::Account(account.clone())).await.unwrap();
    for number in 0..60 {
        let of_another = text.replace(&account.0, &id_of(number).0);
        fixture.keychain.put(&Item::Account(id_of(number)), &of_another).await;
    }
    fills_the_index(&fixture, &account).await;
    let fixture = another_person_signs_in(fixture).await;
    let accounts = sessions.accounts().await.unwrap();
    assert_eq!(accounts.len(), 62);
    assert_eq!(accounts[0].account.subject, "user_grace", "who signed in last is the current one");
    // Once more, now that there is no index.
    let fixture = another_person_signs_in(fixture).await;
    assert_eq!(sessions.accounts().await.unwrap().len(), 62);
    for number in 0..30 {
        sessions.sign_out(&id_of(number)).await.unwrap();
    }
    assert_eq!(sessions.accounts().await.unwrap().len(), 32);
    let index = fixture.keychain.text_of(&Item::Index).await;
    assert!(index.is_some_and(|index| index.contains(&id_of(30).0)), "it fits again");
}

#[tokio::test]
async fn without_a_list_a_full_index_is_found_before_the_browser() {
    let (fixture, sessions, account) = signed_in().await;
    fixture.keychain.cannot_list();
    assert_eq!(sessions.probe_keychain().await, Ok(()));
    fills_the_index(&fixture, &account).await;
    assert_eq!(sessions.probe_keychain().await, Err(Problem::Internal));
    sessions.sign_out(&account).await.unwrap();
    assert_eq!(sessions.probe_keychain().await, Ok(()));
}
