//! The sessions without the machine, as `keyport token` and `keyport sign-out` use them.

use keyport_client::Intent;
use keyport_client::keychain::{Item, KeychainError};
use keyport_client::session::{AccountEntry, SignedOut};
use keyport_core::{Problem, SessionStore, Stored};
use url::Url;

use crate::support::{ClientFixture, proof};

#[tokio::test]
async fn who_is_signed_in_is_read_from_the_keychain() {
    let mut fixture = ClientFixture::new().await;
    assert_eq!(fixture.another_process().accounts().await, Ok(vec![]));
    fixture.signs_in(SessionStore::Keychain).await;
    let accounts = fixture.another_process().accounts().await.unwrap();
    let [AccountEntry { account, stored: Stored::Keychain, is_current: true }] = &accounts[..]
    else {
        panic!("{accounts:?}")
    };
    assert_eq!(account.email.as_deref(), Some("ada@acme.test"));
    assert_eq!(account.id.0.len(), 16);
    fixture.keychain.fails_reads(KeychainError::Locked);
    assert_eq!(fixture.another_process().accounts().await, Err(Problem::KeychainLocked));
}

#[tokio::test]
async fn every_item_fits_where_windows_keeps_it() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let account = fixture.another_process().current().await.unwrap().unwrap();
    for item in [Item::Device, Item::Index, Item::Account(account.id)] {
        let text = fixture.keychain.text_of(&item).await.unwrap();
        assert!(text.len() <= 1024 && text.is_ascii(), "{item:?}: {}", text.len());
    }
}

#[tokio::test]
async fn a_proof_for_a_request_names_it_and_its_token() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let sessions = fixture.another_process();
    let account = sessions.current().await.unwrap().unwrap().id;
    let elsewhere = Url::parse("https://api.acme.test/things?page=2").unwrap();
    let proven = sessions.proof(&account, "POST", &elsewhere).await.unwrap();
    let token = proven.access.token.expose();
    let address = "https://api.acme.test/things";
    let (_, _, nonce) = proof::check(proven.proof.expose(), "POST", address, Some(token));
    assert_eq!(nonce, None, "the companion's nonce is nothing for others");
    let userinfo = fixture.companion.url.join("/oauth/userinfo").unwrap();
    let proven = sessions.proof(&account, "GET", &userinfo).await.unwrap();
    let (_, _, nonce) = proof::check(proven.proof.expose(), "GET", userinfo.as_str(), Some(token));
    assert_eq!(nonce.as_deref(), Some("nonce-0"));
}

#[tokio::test]
async fn signing_out_erases_here_and_revokes_over_there() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let sessions = fixture.another_process();
    let account = sessions.current().await.unwrap().unwrap().id;
    assert_eq!(sessions.sign_out(&account).await, Ok(SignedOut::Everywhere));
    assert_eq!(sessions.accounts().await, Ok(vec![]));
    assert_eq!(fixture.keychain.text_of(&Item::Account(account.clone())).await, None);
    assert_eq!(fixture.companion.world().revoked.len(), 1);
    assert_eq!(sessions.access_token(&account).await, Err(Problem::SessionEnded));
}

#[tokio::test]
async fn signing_out_offline_is_signing_out() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let sessions = fixture.another_process();
    let account = sessions.current().await.unwrap().unwrap().id;
    fixture.companion.stop().await;
    assert_eq!(sessions.sign_out(&account).await, Ok(SignedOut::HereOnly));
    assert_eq!(sessions.accounts().await, Ok(vec![]));
}

#[tokio::test]
async fn a_sign_out_that_did_not_reach_everything_is_shown() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    fixture.companion.stop().await;
    fixture.client.intend(Intent::SignOut);
    fixture.shows_problem("signed_out_here").await;

    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    fixture.keychain.fails_deletes("account:", KeychainError::Locked);
    fixture.client.intend(Intent::SignOut);
    fixture.shows_problem("not_signed_out").await;
}

#[tokio::test]
async fn signing_out_of_a_locked_keychain_says_that_it_did_not() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let sessions = fixture.another_process();
    let account = sessions.current().await.unwrap().unwrap().id;
    fixture.keychain.fails_deletes("account:", KeychainError::Locked);
    assert_eq!(sessions.sign_out(&account).await, Err(Problem::KeychainLocked));
    assert_eq!(fixture.companion.world().revoked.len(), 1, "over there it is over all the same");
}

#[tokio::test]
async fn an_account_of_another_companion_is_neither_shown_nor_used() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let account = fixture.another_process().current().await.unwrap().unwrap().id;
    let item = Item::Account(account.clone());
    let text = fixture.keychain.text_of(&item).await.unwrap();
    let elsewhere = text.replace(fixture.companion.issuer(), "https://sign-in.other.test");
    fixture.keychain.put(&item, &elsewhere).await;
    let sessions = fixture.another_process();
    assert_eq!(sessions.accounts().await, Ok(vec![]));
    assert!(sessions.access_token(&account).await.is_err());
    assert_eq!(fixture.companion.count("refresh"), 0);
    assert_eq!(fixture.keychain.text_of(&item).await, Some(elsewhere), "and it stays where it is");
}

#[tokio::test]
async fn a_damaged_index_or_key_is_set_aside_and_sign_in_works() {
    for item in [Item::Index, Item::Device] {
        let mut fixture = ClientFixture::new().await;
        fixture.signs_in(SessionStore::Keychain).await;
        fixture.keychain.damage(&item);
        let mut fixture = fixture.restarted().await;
        fixture.signs_in(SessionStore::Keychain).await;
        assert_eq!(fixture.keychain.set_aside_so_far(), [item.name()]);
    }
}
