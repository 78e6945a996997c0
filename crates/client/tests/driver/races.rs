//! What happens to a session while something else happens to it: a save that comes late, a
//! sign-out, a new sign-in, damage.

use keyport_client::Sessions;
use keyport_client::keychain::{Item, KeychainTrouble};
use keyport_client::session::{AccountEntry, SignedOut};
use keyport_core::secret::RefreshToken;
use keyport_core::{Account, Event, NewSession, Problem, Refreshed, Screen, Store, Stored, table};
use serde_json::json;
use tokio::sync::watch;

use crate::support::desk::visit;
use crate::support::{Desk, Fault};

const NEW: &str = "kpr_new";

async fn signed_in(store: Store) -> (Desk, Sessions, Account) {
    let mut desk = Desk::new().await;
    desk.signs_in(store).await;
    let sessions = match store {
        Store::Keychain => desk.another_process(),
        Store::Memory => desk.client.sessions().clone(),
    };
    let account = sessions.current().await.unwrap().unwrap();
    (desk, sessions, account)
}

/// What a new sign-in of the same person gives.
fn new_session(account: &Account) -> NewSession {
    let Event::Exchanged { result: Ok(mut session), .. } = table::exchanged("1") else {
        unreachable!()
    };
    session.account = account.clone();
    session.tokens.refresh = RefreshToken::new(NEW);
    *session
}

fn presented(desk: &Desk) -> Vec<String> {
    let refreshes = desk.companion.seen("refresh");
    refreshes.iter().map(|seen| seen.fields["refresh_token"].clone()).collect()
}

#[tokio::test]
async fn a_save_that_failed_and_happened_after_all_is_taken_back_before_its_token_is_old() {
    let mut desk = Desk::new().await;
    desk.keychain.writes_late("account:");
    desk.keychain.fails_deletes("account:", KeychainTrouble::Slow);
    desk.signs_in(Store::Keychain).await;
    let Screen::SignedIn { account, stored, .. } = desk.shows_signed_in().await else {
        unreachable!()
    };
    assert_eq!(stored, Stored::Memory);
    let item = Item::Account(account.id.clone());
    assert!(desk.keychain.text_of(&item).await.is_some(), "it is there, whatever was answered");
    desk.keychain.is_well_again();
    for _ in 0..2 {
        let refreshed = desk.client.sessions().refresh(&account.id).await;
        assert!(matches!(refreshed, Refreshed::Done { stored: Stored::Memory, .. }));
    }
    assert_eq!(desk.keychain.text_of(&item).await, None);
    assert_eq!(desk.another_process().current().await, Ok(None));
}

#[tokio::test]
async fn a_save_that_fails_leaves_nothing_in_the_keychain_if_that_answers() {
    let mut desk = Desk::new().await;
    desk.keychain.writes_late("account:");
    desk.signs_in(Store::Keychain).await;
    let Screen::SignedIn { account, .. } = desk.shows_signed_in().await else { unreachable!() };
    assert_eq!(desk.keychain.text_of(&Item::Account(account.id)).await, None);
}

#[tokio::test]
async fn a_refresh_that_ends_after_the_sign_out_brings_nothing_back() {
    for store in [Store::Keychain, Store::Memory] {
        let (desk, sessions, account) = signed_in(store).await;
        let (go, waits) = watch::channel(false);
        desk.companion.next_fails("refresh", Fault::Waits(waits));
        let (_, signed_out) = tokio::join!(sessions.refresh(&account.id), async {
            desk.companion.until_waiting("refresh").await;
            let (signed_out, _) =
                tokio::join!(sessions.sign_out(&account.id), async { go.send_replace(true) });
            signed_out
        });
        assert_eq!(signed_out, Ok(SignedOut::Everywhere));
        assert_eq!(sessions.accounts().await, Ok(vec![]), "{store:?}");
        assert_eq!(sessions.access_token(&account.id).await, Err(Problem::SessionEnded));
        assert_eq!(desk.companion.world().revoked.len(), 1);
    }
}

#[tokio::test]
async fn the_end_of_an_old_session_is_not_the_end_of_the_new_one() {
    for store in [Store::Keychain, Store::Memory] {
        let (desk, sessions, account) = signed_in(store).await;
        let (go, waits) = watch::channel(false);
        let ended = Fault::WaitsAndAnswers(waits, 400, json!({"error": "invalid_grant"}));
        desk.companion.next_fails("refresh", ended);
        desk.companion.next_fails("refresh", Fault::Answers(503, json!({})));
        let (refreshed, ()) = tokio::join!(sessions.refresh(&account.id), async {
            desk.companion.until_waiting("refresh").await;
            sessions.hold(&new_session(&account));
            go.send_replace(true);
        });
        assert_eq!(refreshed, Refreshed::Later(Problem::ServiceUnavailable), "{store:?}");
        assert_eq!(presented(&desk).last().map(String::as_str), Some(NEW));
        let entry = AccountEntry { account, stored: Stored::Memory, is_current: true };
        assert_eq!(sessions.accounts().await, Ok(vec![entry]));
    }
}

#[tokio::test]
async fn the_child_of_an_old_session_does_not_take_the_place_of_the_new_one() {
    for store in [Store::Keychain, Store::Memory] {
        let (desk, sessions, account) = signed_in(store).await;
        let (go, waits) = watch::channel(false);
        desk.companion.next_fails("refresh", Fault::Waits(waits));
        desk.companion.next_fails("refresh", Fault::Answers(503, json!({})));
        let (refreshed, ()) = tokio::join!(sessions.refresh(&account.id), async {
            desk.companion.until_waiting("refresh").await;
            sessions.hold(&new_session(&account));
            go.send_replace(true);
        });
        assert_eq!(refreshed, Refreshed::Later(Problem::ServiceUnavailable), "{store:?}");
        assert_eq!(presented(&desk).last().map(String::as_str), Some(NEW));
    }
}

#[tokio::test]
async fn an_item_that_is_damaged_meanwhile_is_set_aside_and_sign_in_is_offered() {
    let (desk, sessions, account) = signed_in(Store::Keychain).await;
    let item = Item::Account(account.id.clone());
    desk.keychain.damage(&item);
    assert_eq!(sessions.refresh(&account.id).await, Refreshed::Ended);
    assert_eq!(desk.keychain.set_aside_so_far(), [item.name()]);
    let mut desk = desk;
    desk.click_sign_in(keyport_core::Door::Loopback, Store::Keychain);
    let url = desk.browser_opens().await;
    visit(&desk.companion.signs_in(&url)).await;
    desk.shows("signed in", |screen| matches!(screen, Screen::SignedIn { .. })).await;
}
