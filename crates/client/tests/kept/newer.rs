//! What a newer version has written is told and left as it is.

use keyport_client::Notice;
use keyport_client::keychain::Item;
use keyport_core::{Door, Problem, Refreshed, Store};

use crate::signed_in;

#[tokio::test]
async fn the_account_of_a_newer_version_is_told_and_left_alone() {
    let (desk, sessions, account) = signed_in().await;
    let item = Item::Account(account.clone());
    let before = desk.keychain.text_of(&item).await;
    desk.keychain.is_of_a_newer_version(&item);
    let accounts = sessions.list_accounts().await.unwrap();
    assert_eq!((accounts.entries.len(), accounts.trouble), (0, Some(Problem::KeychainNewer)));
    assert_eq!(sessions.access_token(&account).await, Err(Problem::KeychainNewer));
    assert_eq!(sessions.refresh(&account).await, Refreshed::Later(Problem::KeychainNewer));
    assert_eq!(sessions.sign_out(&account).await, Err(Problem::KeychainNewer));
    assert_eq!(desk.keychain.text_of(&item).await, before);
    assert_eq!(desk.keychain.set_aside_so_far(), Vec::<String>::new());
    assert_eq!(desk.companion.count("refresh"), 0);
}

#[tokio::test]
async fn with_an_index_of_a_newer_version_accounts_are_used_and_none_is_added() {
    let (desk, sessions, account) = signed_in().await;
    let before = desk.keychain.text_of(&Item::Index).await;
    desk.keychain.is_of_a_newer_version(&Item::Index);
    let accounts = sessions.list_accounts().await.unwrap();
    assert_eq!((accounts.entries.len(), accounts.trouble), (1, Some(Problem::KeychainNewer)));
    assert!(sessions.access_token(&account).await.is_ok());
    assert_eq!(sessions.probe_keychain().await, Err(Problem::KeychainNewer), "before a browser");
    assert!(sessions.sign_out(&account).await.is_ok(), "its session is of this version");
    assert_eq!(desk.keychain.text_of(&Item::Index).await, before);
    assert_eq!(desk.keychain.set_aside_so_far(), Vec::<String>::new());
}

#[tokio::test]
async fn with_a_device_key_of_a_newer_version_no_browser_opens_and_no_key_is_drawn() {
    let (desk, _, _) = signed_in().await;
    let before = desk.keychain.text_of(&Item::Device).await;
    desk.keychain.is_of_a_newer_version(&Item::Device);
    let mut desk = desk.restarted().await;
    let pushed = desk.companion.count("push");
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    desk.shows_problem("keychain_newer").await;
    assert_eq!((desk.browsers_opened(), desk.companion.count("push")), (0, pushed));
    assert_eq!(desk.keychain.text_of(&Item::Device).await, before);
    assert_eq!(desk.keychain.set_aside_so_far(), Vec::<String>::new());
}

/// Also one that the index does not name: the session would be written over it.
#[tokio::test]
async fn with_an_account_of_a_newer_version_no_browser_opens() {
    for is_listed in [true, false] {
        let (desk, _, account) = signed_in().await;
        desk.keychain.is_of_a_newer_version(&Item::Account(account));
        if !is_listed {
            let index = r#"{"accounts":[],"current":null}"#;
            desk.keychain.put(&Item::Index, index).await;
        }
        let mut desk = desk.restarted().await;
        let pushed = desk.companion.count("push");
        desk.click_sign_in(Door::Loopback, Store::Keychain);
        // With the attempt: the start has said the same without one.
        let of_attempt = |notice| match notice {
            Notice::Problem { problem, attempt: Some(_) } => Some(problem),
            _ => None,
        };
        assert_eq!(desk.notice(of_attempt).await, Problem::KeychainNewer);
        assert_eq!((desk.browsers_opened(), desk.companion.count("push")), (0, pushed));
    }
}

#[tokio::test]
async fn where_items_cannot_be_listed_the_accounts_of_the_index_are_looked_at() {
    let (desk, sessions, account) = signed_in().await;
    desk.keychain.cannot_list();
    assert_eq!(sessions.probe_keychain().await, Ok(()));
    desk.keychain.is_of_a_newer_version(&Item::Account(account));
    assert_eq!(sessions.probe_keychain().await, Err(Problem::KeychainNewer));
}
