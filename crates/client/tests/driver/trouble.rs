//! What goes wrong during a sign-in, and what the person and the companion hear of it.

use keyport_client::keychain::{Item, KeychainTrouble};
use keyport_client::session::SignedOut;
use keyport_client::{Intent, Notice};
use keyport_core::{Door, Problem, Refreshed, Screen, Store, Stored};
use serde_json::json;

use crate::support::desk::visit;
use crate::support::{Desk, Fault};

#[tokio::test]
async fn a_refusal_at_the_push_is_shown_and_no_browser_opens() {
    let mut desk = Desk::new().await;
    for (status, body, problem) in [
        (
            400,
            json!({"error": "access_denied", "keyport_problem": "domain_unknown"}),
            "domain_unknown",
        ),
        (400, json!({"error": "invalid_request"}), "service_refused"),
        (429, json!({}), "too_many_requests"),
        (503, json!({"error": "temporarily_unavailable"}), "service_unavailable"),
        (302, json!({}), "unexpected_answer"),
    ] {
        desk.companion.next_fails("push", Fault::Answers(status, body));
        desk.click_sign_in(Door::Loopback, Store::Memory);
        desk.shows_problem(problem).await;
        let attempt = desk.notice(|notice| match notice {
            Notice::Problem { problem: said, attempt } => Some((said.code(), attempt)),
            _ => None,
        });
        assert_eq!(attempt.await, (problem, Some(desk.attempt()[..4].to_uppercase())));
        desk.client.intend(Intent::Dismiss);
        desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    }
    assert_eq!(desk.browsers_opened(), 0);
}

/// A captive portal or a gateway that speaks JSON is not the service: it does not know of versions,
/// and its words mean nothing here.
#[tokio::test]
async fn what_a_network_answers_in_json_is_no_word_of_the_service() {
    let mut desk = Desk::new().await;
    for (status, body) in [
        (401, json!({"error": "login_required"})),
        (403, json!({"error": "forbidden", "message": "Sign in to the network"})),
        (403, json!({"error": "access_denied", "error_description": "blocked by policy"})),
        (404, json!({"error": "not_found"})),
        (400, json!({"error": "access_denied", "keyport_problem": "domain_unknown"})),
    ] {
        desk.companion.next_fails("push", Fault::AnsweredInBetween(status, body));
        desk.click_sign_in(Door::Loopback, Store::Memory);
        desk.shows_problem("unexpected_answer").await;
        desk.client.intend(Intent::Dismiss);
        desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    }
    assert_eq!(desk.browsers_opened(), 0);
}

#[tokio::test]
async fn a_network_that_answers_in_json_ends_no_session() {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Keychain).await;
    let account = desk.client.sessions().current().await.unwrap().unwrap().id;
    let portal = Fault::AnsweredInBetween(400, json!({"error": "invalid_grant"}));
    desk.companion.next_fails("refresh", portal);
    let refreshed = desk.client.sessions().refresh(&account).await;
    assert_eq!(refreshed, Refreshed::Later(Problem::UnexpectedAnswer));
}

#[tokio::test]
async fn a_revocation_counts_only_when_nothing_is_said_against_it() {
    for (body, signed_out) in [
        (json!({"error": "forbidden"}), SignedOut::HereOnly),
        (json!({"ok": true}), SignedOut::HereOnly),
        (json!([]), SignedOut::HereOnly),
        (json!({}), SignedOut::Everywhere),
    ] {
        let mut desk = Desk::new().await;
        desk.signs_in(Store::Keychain).await;
        let account = desk.client.sessions().current().await.unwrap().unwrap().id;
        desk.companion.world().revocation = Some(body.clone());
        let ended = desk.client.sessions().sign_out(&account).await;
        assert_eq!(ended, Ok(signed_out), "{body}");
    }
}

#[tokio::test]
async fn a_companion_that_is_gone_is_said_to_be_unreachable() {
    let mut desk = Desk::new().await;
    desk.companion.stop().await;
    desk.click_sign_in(Door::Loopback, Store::Memory);
    desk.shows_problem("offline").await;
    assert_eq!(desk.browsers_opened(), 0);
}

#[tokio::test]
async fn a_code_is_exchanged_once_even_if_the_answer_is_lost() {
    for fault in [
        Fault::LosesTheAnswer,
        Fault::LosesTheRequest,
        Fault::Answers(400, json!({"error": "invalid_grant"})),
        Fault::Answers(503, json!({"error": "temporarily_unavailable"})),
    ] {
        let mut desk = Desk::new().await;
        desk.companion.next_fails("exchange", fault);
        desk.click_sign_in(Door::Loopback, Store::Memory);
        let url = desk.browser_opens().await;
        visit(&desk.companion.signs_in(&url)).await;
        let is_problem = |screen: &Screen| matches!(screen, Screen::Problem { .. });
        let Screen::Problem { code, .. } = desk.shows("a problem", is_problem).await else {
            unreachable!()
        };
        let (_, outcome) = desk.companion.until(|world| world.outcomes.first().cloned()).await;
        assert_eq!(outcome, json!({"outcome": "failed", "code": code}), "the page hears the same");
        assert_eq!(desk.companion.count("exchange"), 1);
    }
}

#[tokio::test]
async fn a_stale_nonce_is_no_trouble() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Loopback, Store::Memory);
    let url = desk.browser_opens().await;
    desk.companion.changes_nonce();
    visit(&desk.companion.signs_in(&url)).await;
    desk.shows_signed_in().await;
}

#[tokio::test]
async fn a_companion_that_wants_a_nonce_twice_running_is_not_asked_a_third_time() {
    let desk = Desk::new().await;
    // It asks once of itself, as the client has none yet; and then once more.
    desk.companion.next_fails("push", Fault::Answers(400, json!({"error": "use_dpop_nonce"})));
    desk.click_sign_in(Door::Loopback, Store::Memory);
    desk.shows_problem("unexpected_answer").await;
    assert_eq!(desk.companion.count("push"), 1);
}

#[tokio::test]
async fn a_keychain_that_does_not_answer_is_found_before_the_browser_opens() {
    let mut desk = Desk::new().await;
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    for (trouble, problem) in [
        (KeychainTrouble::Absent, "keychain_absent"),
        (KeychainTrouble::Refused, "keychain_refused"),
        (KeychainTrouble::Slow, "keychain_slow"),
        (KeychainTrouble::Locked, "keychain_locked"),
    ] {
        desk.keychain.fails_probes(trouble);
        desk.click_sign_in(Door::Loopback, Store::Keychain);
        desk.shows_problem(problem).await;
    }
    assert_eq!((desk.browsers_opened(), desk.companion.count("push")), (0, 0));
    // The click after "locked" lets the system ask; with the keychain open the sign-in goes on.
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    desk.browser_opens().await;
}

#[tokio::test]
async fn a_session_in_memory_never_touches_the_keychain() {
    let mut desk = Desk::new().await;
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    desk.keychain.fails_probes(KeychainTrouble::Absent);
    desk.keychain.fails_reads(KeychainTrouble::Absent);
    desk.keychain.fails_writes("", KeychainTrouble::Absent);
    desk.signs_in(Store::Memory).await;
}

#[tokio::test]
async fn a_session_that_cannot_be_saved_lives_in_memory_and_says_so() {
    let mut desk = Desk::new().await;
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    desk.keychain.fails_writes("account:", KeychainTrouble::Locked);
    desk.signs_in(Store::Keychain).await;
    let Screen::SignedIn { stored, not_saved, account, .. } = desk.shows_signed_in().await else {
        unreachable!()
    };
    assert_eq!((stored, not_saved), (Stored::Memory, Some("keychain_locked")));
    let (_, outcome) = desk.companion.until(|world| world.outcomes.first().cloned()).await;
    assert_eq!(outcome, json!({"outcome": "memory"}));
    let access = desk.client.sessions().access_token(&account.id).await.unwrap();
    assert!(access.token.expose().starts_with("at_canary"));
    assert_eq!(desk.keychain.text_of(&Item::Account(account.id)).await, None);
}

#[tokio::test]
async fn the_reason_why_a_session_was_not_saved_comes_with_the_news_of_it() {
    for (trouble, problem) in [
        (KeychainTrouble::Locked, Problem::KeychainLocked),
        (KeychainTrouble::Absent, Problem::KeychainAbsent),
        (KeychainTrouble::Refused, Problem::KeychainRefused),
        (KeychainTrouble::Corrupt, Problem::KeychainCorrupt),
        (KeychainTrouble::Slow, Problem::KeychainSlow),
        (KeychainTrouble::TooLarge, Problem::Internal),
    ] {
        let mut desk = Desk::new().await;
        desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
        desk.keychain.fails_writes("account:", trouble);
        desk.signs_in(Store::Keychain).await;
        let news = desk.notice(|notice| match notice {
            Notice::SignedIn { stored, not_saved, .. } => Some((stored, not_saved)),
            _ => None,
        });
        assert_eq!(news.await, (Stored::Memory, Some(problem)));
    }
}

#[tokio::test]
async fn trouble_at_the_attempt_endpoint_is_no_news_of_the_attempt() {
    let mut desk = Desk::new().await;
    desk.companion.next_fails("standing", Fault::Answers(500, json!({})));
    desk.companion.next_fails("standing", Fault::Answers(401, json!({"error": "invalid_token"})));
    desk.click_sign_in(Door::Loopback, Store::Memory);
    desk.browser_opens().await;
    let attempt = desk.attempt();
    desk.companion.attempt_is(&attempt, json!({"state": "minted"}));
    desk.shows("returning", |screen| matches!(screen, Screen::Waiting { returning: true, .. }))
        .await;
    assert_eq!(desk.companion.count("standing"), 3);
}
