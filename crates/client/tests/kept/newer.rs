//! What a newer version has written is told and left as it is.

use keyport_client::ClientNotice;
use keyport_client::keychain::Item;
use keyport_core::{CallbackReceiver, Problem, Refreshed, SessionStore};

use crate::signed_in;

#[tokio::test]
async fn the_account_of_a_newer_version_is_told_and_left_alone() {
    let (fixture, sessions, account) = signed_in().await;
    let item = Item::Account(account.clone());
    let before = fixture.keychain.text_of(&item).await;
    fixture.keychain.is_of_a_newer_version(&item);
    let accounts = sessions.list_accounts().await.unwrap();
    assert_eq!((accounts.entries.len(), accounts.error), (0, Some(Problem::KeychainNewer)));
    assert_eq!(sessions.access_token(&account).await, Err(Problem::KeychainNewer));
    assert_eq!(sessions.refresh(&account).await, Refreshed::Later(Problem::KeychainNewer));
    assert_eq!(sessions.sign_out(&account).await, Err(Problem::KeychainNewer));
    assert_eq!(fixture.keychain.text_of(&item).await, before);
    assert_eq!(fixture.keychain.set_aside_so_far(), Vec::<String>::new());
    assert_eq!(fixture.companion.count("refresh"), 0);
}

#[tokio::test]
async fn a_newer_index_is_used_and_not_changed() {
    let (fixture, sessions, account) = signed_in().await;
    let before = fixture.keychain.text_of(&Item::Index).await;
    fixture.keychain.is_of_a_newer_version(&Item::Index);
    let accounts = sessions.list_accounts().await.unwrap();
    assert_eq!((accounts.entries.len(), accounts.error), (1, Some(Problem::KeychainNewer)));
    assert!(sessions.access_token(&account).await.is_ok());
    assert_eq!(sessions.probe_keychain().await, Err(Problem::KeychainNewer), "before a browser");
    assert!(sessions.sign_out(&account).await.is_ok(), "its session is of this version");
    assert_eq!(fixture.keychain.text_of(&Item::Index).await, before);
    assert_eq!(fixture.keychain.set_aside_so_far(), Vec::<String>::new());
}

#[tokio::test]
async fn a_newer_device_key_opens_no_browser_and_draws_no_key() {
    let (fixture, _, _) = signed_in().await;
    let before = fixture.keychain.text_of(&Item::Device).await;
    fixture.keychain.is_of_a_newer_version(&Item::Device);
    let mut fixture = fixture.restarted().await;
    let pushed = fixture.companion.count("push");
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    fixture.shows_problem("keychain_newer").await;
    assert_eq!((fixture.browsers_opened(), fixture.companion.count("push")), (0, pushed));
    assert_eq!(fixture.keychain.text_of(&Item::Device).await, before);
    assert_eq!(fixture.keychain.set_aside_so_far(), Vec::<String>::new());
}

/// Also one that the index does not name: the session would be written over it.
#[tokio::test]
async fn with_an_account_of_a_newer_version_no_browser_opens() {
    for is_listed in [true, false] {
        let (fixture, _, account) = signed_in().await;
        fixture.keychain.is_of_a_newer_version(&Item::Account(account));
        if !is_listed {
            let index = r#"{"accounts":[],"current":null}"#;
            fixture.keychain.put(&Item::Index, index).await;
        }
        let mut fixture = fixture.restarted().await;
        let pushed = fixture.companion.count("push");
        fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
        // With the attempt: the start has said the same without one.
        let of_attempt = |notice| match notice {
            ClientNotice::Problem { problem, attempt: Some(_) } => Some(problem),
            _ => None,
        };
        assert_eq!(fixture.notice(of_attempt).await, Problem::KeychainNewer);
        assert_eq!((fixture.browsers_opened(), fixture.companion.count("push")), (0, pushed));
    }
}

#[tokio::test]
async fn without_a_list_the_accounts_of_the_index_are_probed() {
    let (fixture, sessions, account) = signed_in().await;
    fixture.keychain.cannot_list();
    assert_eq!(sessions.probe_keychain().await, Ok(()));
    fixture.keychain.is_of_a_newer_version(&Item::Account(account));
    assert_eq!(sessions.probe_keychain().await, Err(Problem::KeychainNewer));
}
