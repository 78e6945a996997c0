//! What happens to a session while something else happens to it: a save that comes late, a
//! sign-out, a new sign-in, damage.

use keyport_client::Sessions;
use keyport_client::keychain::{Item, KeychainError};
use keyport_client::session::{AccountEntry, SignedOut};
use keyport_core::secret::{AccessToken, RefreshToken};
use keyport_core::{
    Account, Moment, NewSession, Problem, Refreshed, Screen, SessionStore, Stored, Tokens,
};
use serde_json::json;
use tokio::sync::watch;

use crate::support::fixture::visit;
use crate::support::{ClientFixture, Fault};

const NEW: &str = "kpr_new";

async fn signed_in(store: SessionStore) -> (ClientFixture, Sessions, Account) {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(store).await;
    let sessions = match store {
        SessionStore::Keychain => fixture.another_process(),
        SessionStore::Memory => fixture.client.sessions().clone(),
    };
    let account = sessions.current().await.unwrap().unwrap();
    (fixture, sessions, account)
}

/// What a new sign-in of the same person gives.
fn new_session(account: &Account) -> NewSession {
    let tokens = Tokens {
        refresh: RefreshToken::new(NEW),
        access: AccessToken::new("at_new"),
        access_deadline: Moment(301_000),
        session: None,
    };
    NewSession { account: account.clone(), tokens }
}

fn presented(fixture: &ClientFixture) -> Vec<String> {
    let refreshes = fixture.companion.seen("refresh");
    refreshes.iter().map(|seen| seen.fields["refresh_token"].clone()).collect()
}

#[tokio::test]
async fn a_failed_save_that_happened_is_undone_before_rotation() {
    let mut fixture = ClientFixture::new().await;
    fixture.keychain.writes_late("account:");
    fixture.keychain.fails_deletes("account:", KeychainError::Slow);
    fixture.signs_in(SessionStore::Keychain).await;
    let Screen::SignedIn { account, stored, .. } = fixture.shows_signed_in().await else {
        unreachable!()
    };
    assert_eq!(stored, Stored::Memory);
    let item = Item::Account(account.id.clone());
    assert!(fixture.keychain.text_of(&item).await.is_some(), "it is there, whatever was answered");
    fixture.keychain.is_well_again();
    for _ in 0..2 {
        let refreshed = fixture.client.sessions().refresh(&account.id).await;
        assert!(matches!(refreshed, Refreshed::Done { stored: Stored::Memory, .. }));
    }
    assert_eq!(fixture.keychain.text_of(&item).await, None);
    assert_eq!(fixture.another_process().current().await, Ok(None));
}

#[tokio::test]
async fn a_failed_save_leaves_nothing_in_the_keychain() {
    let mut fixture = ClientFixture::new().await;
    fixture.keychain.writes_late("account:");
    fixture.signs_in(SessionStore::Keychain).await;
    let Screen::SignedIn { account, .. } = fixture.shows_signed_in().await else { unreachable!() };
    assert_eq!(fixture.keychain.text_of(&Item::Account(account.id)).await, None);
}

#[tokio::test]
async fn a_refresh_that_ends_after_the_sign_out_brings_nothing_back() {
    for store in [SessionStore::Keychain, SessionStore::Memory] {
        let (fixture, sessions, account) = signed_in(store).await;
        let (go, waits) = watch::channel(false);
        fixture.companion.next_fails("refresh", Fault::Waits(waits));
        let (_, signed_out) = tokio::join!(sessions.refresh(&account.id), async {
            fixture.companion.until_waiting("refresh").await;
            let (signed_out, _) =
                tokio::join!(sessions.sign_out(&account.id), async { go.send_replace(true) });
            signed_out
        });
        assert_eq!(signed_out, Ok(SignedOut::Everywhere));
        assert_eq!(sessions.accounts().await, Ok(vec![]), "{store:?}");
        assert_eq!(sessions.access_token(&account.id).await, Err(Problem::SessionEnded));
        // In memory the child of the refresh finds its parent gone: nothing holds it, so it is
        // revoked beside the session itself.
        let expected = match store {
            SessionStore::Keychain => 1,
            SessionStore::Memory => 2,
        };
        assert_eq!(fixture.companion.world().revoked.len(), expected, "{store:?}");
    }
}

#[tokio::test]
async fn the_end_of_an_old_session_is_not_the_end_of_the_new_one() {
    for store in [SessionStore::Keychain, SessionStore::Memory] {
        let (fixture, sessions, account) = signed_in(store).await;
        let (go, waits) = watch::channel(false);
        let ended = Fault::WaitsAndAnswers(waits, 400, json!({"error": "invalid_grant"}));
        fixture.companion.next_fails("refresh", ended);
        fixture.companion.next_fails("refresh", Fault::Answers(503, json!({})));
        let (refreshed, ()) = tokio::join!(sessions.refresh(&account.id), async {
            fixture.companion.until_waiting("refresh").await;
            sessions.hold(&new_session(&account));
            go.send_replace(true);
        });
        assert_eq!(refreshed, Refreshed::Later(Problem::ServiceUnavailable), "{store:?}");
        assert_eq!(presented(&fixture).last().map(String::as_str), Some(NEW));
        let entry = AccountEntry { account, stored: Stored::Memory, is_current: true };
        assert_eq!(sessions.accounts().await, Ok(vec![entry]));
    }
}

#[tokio::test]
async fn the_child_of_an_old_session_does_not_replace_a_new_one() {
    for store in [SessionStore::Keychain, SessionStore::Memory] {
        let (fixture, sessions, account) = signed_in(store).await;
        let (go, waits) = watch::channel(false);
        fixture.companion.next_fails("refresh", Fault::Waits(waits));
        fixture.companion.next_fails("refresh", Fault::Answers(503, json!({})));
        let (refreshed, ()) = tokio::join!(sessions.refresh(&account.id), async {
            fixture.companion.until_waiting("refresh").await;
            sessions.hold(&new_session(&account));
            go.send_replace(true);
        });
        assert_eq!(refreshed, Refreshed::Later(Problem::ServiceUnavailable), "{store:?}");
        assert_eq!(presented(&fixture).last().map(String::as_str), Some(NEW));
    }
}

#[tokio::test]
async fn a_damaged_item_is_set_aside_and_sign_in_is_offered() {
    let (fixture, sessions, account) = signed_in(SessionStore::Keychain).await;
    let item = Item::Account(account.id.clone());
    fixture.keychain.damage(&item);
    assert_eq!(sessions.refresh(&account.id).await, Refreshed::Ended(Problem::SessionEnded));
    assert_eq!(fixture.keychain.set_aside_so_far(), [item.name()]);
    let mut fixture = fixture;
    fixture.click_sign_in(keyport_core::CallbackReceiver::Loopback, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    visit(&fixture.companion.signs_in(&url)).await;
    fixture.shows("signed in", |screen| matches!(screen, Screen::SignedIn { .. })).await;
}
