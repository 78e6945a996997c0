//! Rotation that survives lost answers, failing keychains and other processes (DESIGN "Client side
//! of the session").

use keyport_client::Sessions;
use keyport_client::keychain::{Item, KeychainError};
use keyport_core::{AccountId, Problem, Refreshed, Screen, SessionStore, Stored};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::{ClientFixture, Fault};

/// A device with a session in the keychain, and a process that has just started beside it.
async fn signed_in() -> (ClientFixture, Sessions, AccountId) {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let sessions = fixture.another_process();
    let account = sessions.current().await.unwrap().unwrap().id;
    (fixture, sessions, account)
}

async fn kept_token(fixture: &ClientFixture, account: &AccountId) -> Option<String> {
    let text = fixture.keychain.text_of(&Item::Account(account.clone())).await?;
    let record: Value = serde_json::from_str(&text).unwrap();
    Some(record["refresh_token"].as_str().unwrap().to_owned())
}

fn presented(fixture: &ClientFixture) -> Vec<String> {
    let refreshes = fixture.companion.seen("refresh");
    refreshes.iter().map(|seen| seen.fields["refresh_token"].clone()).collect()
}

fn is_done(refreshed: &Refreshed, stored: Stored) -> bool {
    matches!(refreshed, Refreshed::Done { stored: kept, .. } if *kept == stored)
}

#[tokio::test]
async fn a_refresh_puts_the_child_in_the_parents_place() {
    let (fixture, sessions, account) = signed_in().await;
    let parent = kept_token(&fixture, &account).await.unwrap();
    assert!(is_done(&sessions.refresh(&account).await, Stored::Keychain));
    assert_eq!(presented(&fixture), [&*parent]);
    assert_ne!(kept_token(&fixture, &account).await.unwrap(), parent);
}

#[tokio::test]
async fn an_access_token_is_used_until_it_is_nearly_over() {
    let (mut fixture, sessions, account) = signed_in().await;
    fixture.window_is_killed();
    let first = sessions.access_token(&account).await.unwrap();
    assert_eq!(sessions.access_token(&account).await.unwrap(), first);
    assert_eq!(fixture.companion.count("refresh"), 0, "it came with the sign-in");
    fixture.clock.jump(std::time::Duration::from_secs(271));
    assert_ne!(sessions.access_token(&account).await.unwrap(), first);
    assert_eq!(fixture.companion.count("refresh"), 1);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_token() {
    for fault in [Fault::LosesTheAnswer, Fault::LosesTheRequest] {
        let (fixture, sessions, account) = signed_in().await;
        let parent = kept_token(&fixture, &account).await.unwrap();
        fixture.companion.next_fails("refresh", fault);
        assert!(is_done(&sessions.refresh(&account).await, Stored::Keychain));
        assert_eq!(presented(&fixture), [parent.clone(), parent]);
        assert!(!fixture.companion.world().over);
    }
}

#[tokio::test]
async fn a_failing_companion_ends_no_session_and_is_asked_rarely() {
    for (status, problem) in [
        (429, Problem::TooManyRequests),
        (503, Problem::ServiceUnavailable),
        (400, Problem::ServiceRefused),
    ] {
        let (fixture, sessions, account) = signed_in().await;
        let body = json!({"error": "invalid_dpop_proof"});
        fixture.companion.next_fails("refresh", Fault::Answers(status, body));
        assert_eq!(sessions.refresh(&account).await, Refreshed::Later(problem));
        assert_eq!(fixture.companion.count("refresh"), 1);
        assert!(is_done(&sessions.refresh(&account).await, Stored::Keychain));
    }
}

#[tokio::test]
async fn offline_the_session_stays() {
    let (mut fixture, sessions, account) = signed_in().await;
    fixture.companion.stop().await;
    assert_eq!(sessions.refresh(&account).await, Refreshed::Later(Problem::Offline));
    assert!(sessions.current().await.unwrap().is_some());
}

#[tokio::test]
async fn invalid_grant_ends_the_session_and_erases_it() {
    let (fixture, sessions, account) = signed_in().await;
    fixture.companion.world().over = true;
    assert_eq!(sessions.refresh(&account).await, Refreshed::Ended(Problem::SessionEnded));
    assert_eq!(kept_token(&fixture, &account).await, None);
    assert_eq!(sessions.current().await.unwrap(), None);
    assert_eq!(sessions.access_token(&account).await, Err(Problem::SessionEnded));
}

#[tokio::test]
async fn the_reason_of_the_end_reaches_the_person() {
    for (said, told) in [
        ("access_ended", Problem::AccessEnded),
        ("signed_out_elsewhere", Problem::SignedOutElsewhere),
        ("offline", Problem::SessionEnded),
        ("of a later version", Problem::SessionEnded),
    ] {
        let (fixture, sessions, account) = signed_in().await;
        fixture.companion.world().over = true;
        fixture.companion.world().problem = Some(said);
        fixture.clock.jump(std::time::Duration::from_secs(400));
        fixture
            .shows(
                said,
                |screen| matches!(screen, Screen::Problem { code, .. } if *code == told.code()),
            )
            .await;
        assert_eq!(kept_token(&fixture, &account).await, None, "{said}");
        assert_eq!(sessions.access_token(&account).await, Err(Problem::SessionEnded), "{said}");
    }
}

#[tokio::test]
async fn invalid_grant_for_a_replaced_token_erases_nothing() {
    let (fixture, sessions, account) = signed_in().await;
    let item = Item::Account(account.clone());
    let newer = fixture.keychain.text_of(&item).await.unwrap();
    let stale = newer.replace("kpr_canary-", "kpr_stale-");
    fixture.keychain.put(&item, &stale).await;
    let (go, waits) = watch::channel(false);
    let refused = Fault::WaitsAndAnswers(waits, 400, json!({"error": "invalid_grant"}));
    fixture.companion.next_fails("refresh", refused);
    let (refreshed, ()) = tokio::join!(sessions.refresh(&account), async {
        let waiting = |s: &crate::support::companion::Seen| s.what == "refresh waits";
        fixture.companion.until(|world| world.seen.iter().any(waiting).then_some(())).await;
        fixture.keychain.put(&item, &newer).await;
        go.send_replace(true);
    });
    assert!(is_done(&refreshed, Stored::Keychain), "{refreshed:?}");
    assert!(kept_token(&fixture, &account).await.is_some());
}

#[tokio::test]
async fn an_unsaved_child_leaves_its_parent_and_the_session_alive() {
    for error in [KeychainError::Slow, KeychainError::Locked, KeychainError::TooLarge] {
        let (fixture, sessions, account) = signed_in().await;
        let parent = kept_token(&fixture, &account).await.unwrap();
        fixture.keychain.fails_writes("account:", error);
        for _ in 0..2 {
            assert!(is_done(&sessions.refresh(&account).await, Stored::Keychain));
            assert_eq!(kept_token(&fixture, &account).await.as_ref(), Some(&parent));
        }
        assert_eq!(presented(&fixture), [parent.clone(), parent.clone()], "the child never was");
        // This process ends, and with it the child; the next one has the parent.
        let next = fixture.another_process();
        fixture.keychain.is_well_again();
        for _ in 0..2 {
            assert!(is_done(&next.refresh(&account).await, Stored::Keychain));
        }
        assert_ne!(kept_token(&fixture, &account).await, Some(parent));
        assert!(!fixture.companion.world().over, "the session lives");
    }
}

#[tokio::test]
async fn a_save_that_lost_the_parent_does_not_lose_the_session() {
    let (fixture, sessions, account) = signed_in().await;
    fixture.keychain.fails_writes("account:", KeychainError::Slow);
    assert!(is_done(&sessions.refresh(&account).await, Stored::Keychain));
    fixture.keychain.is_well_again();
    let item = Item::Account(account.clone());
    keyport_client::keychain::Keychain::delete(&*fixture.keychain, &item).await.unwrap();
    assert!(is_done(&sessions.refresh(&account).await, Stored::Memory));
}

#[tokio::test]
async fn two_processes_that_refresh_at_once_make_one_rotation() {
    let (fixture, one, account) = signed_in().await;
    let two = fixture.another_process();
    let (go, waits) = watch::channel(false);
    fixture.companion.next_fails("refresh", Fault::Waits(waits));
    let (first, second, ()) = tokio::join!(one.refresh(&account), two.refresh(&account), async {
        let waiting = |s: &crate::support::companion::Seen| s.what == "refresh waits";
        fixture.companion.until(|world| world.seen.iter().any(waiting).then_some(())).await;
        go.send_replace(true);
    });
    assert!(is_done(&first, Stored::Keychain) && is_done(&second, Stored::Keychain));
    assert_eq!(fixture.companion.count("refresh"), 1);
}

#[tokio::test]
async fn many_processes_that_all_need_a_token_all_get_one() {
    let (mut fixture, _, account) = signed_in().await;
    let processes: Vec<Sessions> = (0..8).map(|_| fixture.another_process()).collect();
    fixture.window_is_killed();
    fixture.clock.jump(std::time::Duration::from_secs(271));
    let tokens = processes.iter().map(|sessions| sessions.access_token(&account));
    for token in futures_util::future::join_all(tokens).await {
        token.unwrap();
    }
    assert!(!fixture.companion.world().over, "no token was presented twice");
    assert_eq!(presented(&fixture).len(), 1, "the first one renews for all of them");
}

#[tokio::test]
async fn a_session_in_memory_rotates_without_the_keychain() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Memory).await;
    let sessions = fixture.client.sessions().clone();
    let account = sessions.current().await.unwrap().unwrap().id;
    fixture.keychain.fails_reads(KeychainError::Absent);
    fixture.keychain.fails_writes("", KeychainError::Absent);
    fixture.companion.next_fails("refresh", Fault::LosesTheAnswer);
    for _ in 0..2 {
        assert!(is_done(&sessions.refresh(&account).await, Stored::Memory));
    }
    fixture.companion.world().over = true;
    fixture.companion.world().problem = Some("signed_out_elsewhere");
    let ended = Refreshed::Ended(Problem::SignedOutElsewhere);
    assert_eq!(sessions.refresh(&account).await, ended);
}
