//! A lost, damaged or doubled index costs no account: it is rebuilt from the items.

use keyport_client::keychain::{Item, Keychain as _};
use keyport_client::locks::LockTrouble;
use keyport_core::Problem;

use crate::signed_in;

#[tokio::test]
async fn a_lost_or_damaged_index_is_rebuilt_from_the_items() {
    for is_lost in [true, false] {
        let (desk, sessions, account) = signed_in().await;
        let before = desk.keychain.text_of(&Item::Index).await;
        if is_lost {
            desk.keychain.delete(&Item::Index).await.unwrap();
        } else {
            desk.keychain.damage(&Item::Index);
        }
        let accounts = sessions.list_accounts().await.unwrap();
        assert_eq!(accounts.entries.len(), 1);
        assert_eq!((&accounts.entries[0].account.id, accounts.trouble), (&account, None));
        assert_eq!(desk.keychain.text_of(&Item::Index).await, before, "as it was");
        let aside = desk.keychain.set_aside_so_far();
        assert_eq!(aside.len(), usize::from(!is_lost), "what was damaged is not lost");
        assert!(sessions.access_token(&account).await.is_ok());
    }
}

#[tokio::test]
async fn without_the_lock_the_accounts_are_told_all_the_same() {
    let (desk, _, account) = signed_in().await;
    desk.keychain.damage(&Item::Index);
    desk.keychain.fails_locks(Some(|| LockTrouble::Refused));
    let sessions = desk.another_process();
    assert_eq!(sessions.current().await.unwrap().unwrap().id, account);
    assert_eq!(desk.keychain.set_aside_so_far(), Vec::<String>::new());
}

#[tokio::test]
async fn where_items_cannot_be_listed_a_damaged_index_is_set_aside_and_said() {
    let (desk, sessions, _) = signed_in().await;
    desk.keychain.cannot_list();
    desk.keychain.damage(&Item::Index);
    let accounts = sessions.list_accounts().await.unwrap();
    assert_eq!((accounts.entries.len(), accounts.trouble), (0, Some(Problem::KeychainCorrupt)));
    assert_eq!(desk.keychain.set_aside_so_far(), ["index"]);
}

#[tokio::test]
async fn a_sign_out_with_a_damaged_index_signs_out_of_that_account_alone() {
    let (desk, sessions, account) = signed_in().await;
    desk.keychain.damage(&Item::Index);
    sessions.sign_out(&account).await.unwrap();
    assert_eq!(sessions.accounts().await, Ok(vec![]));
    assert_eq!(desk.keychain.text_of(&Item::Account(account)).await, None);
}
