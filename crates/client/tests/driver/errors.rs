//! What goes wrong during a sign-in, and what the person and the companion hear of it.

use keyport_client::keychain::{Item, KeychainError};
use keyport_client::session::SignedOut;
use keyport_client::{ClientNotice, Intent};
use keyport_core::{
    CallbackReceiver, Hints, Problem, Refreshed, Screen, SessionStore, SignInRequest, Stored,
};
use serde_json::json;

use crate::support::fixture::visit;
use crate::support::{ClientFixture, Fault};

#[tokio::test]
async fn a_refusal_at_the_push_is_shown_and_no_browser_opens() {
    let mut fixture = ClientFixture::new().await;
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
        fixture.companion.next_fails("push", Fault::Answers(status, body));
        fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
        fixture.shows_problem(problem).await;
        let attempt = fixture.notice(|notice| match notice {
            ClientNotice::Problem { problem: said, attempt } => Some((said.code(), attempt)),
            _ => None,
        });
        assert_eq!(attempt.await, (problem, Some(fixture.attempt()[..4].to_uppercase())));
        fixture.client.intend(Intent::Dismiss);
        fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    }
    assert_eq!(fixture.browsers_opened(), 0);
}

/// Each from the window, and each from a program.
#[tokio::test]
async fn a_hint_that_cannot_be_meant_is_said_and_nothing_is_sent() {
    let mut fixture = ClientFixture::new().await;
    let email = |text: &str| Hints { email: Some(text.to_owned()), ..Hints::default() };
    let organization = Some("org_1\r".to_owned());
    let connection = Some("conn_\u{202e}1".to_owned());
    let two = (Some("org_1".to_owned()), Some("conn_1".to_owned()));
    for hints in [
        email(&format!("{}@acme.test", "a".repeat(255))),
        email("ada\r@acme.test"),
        email("ada\0@acme.test"),
        email("ada\u{202e}@acme.test"),
        Hints { organization, ..Hints::default() },
        Hints { connection, ..Hints::default() },
        Hints { provider: Some("a b".to_owned()), ..Hints::default() },
        Hints { organization: two.0, connection: two.1, ..Hints::default() },
    ] {
        let mut intents = vec![Intent::SignInWith(SignInRequest {
            hints: hints.clone(),
            ..SignInRequest::default()
        })];
        intents.extend(hints.email.is_some().then_some(Intent::SignIn { email: hints.email }));
        for intent in intents {
            fixture.client.intend(intent);
            fixture.shows_problem("hint_invalid").await;
            let said = fixture.notice(|notice| match notice {
                ClientNotice::Problem { problem, .. } => Some(problem),
                _ => None,
            });
            assert_eq!(said.await, Problem::HintInvalid);
            fixture.client.intend(Intent::Dismiss);
            fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
        }
    }
    assert_eq!((fixture.companion.count("push"), fixture.browsers_opened()), (0, 0));
}

/// A captive portal or a gateway that speaks JSON is not the service: it does not know of versions,
/// and its words mean nothing here.
#[tokio::test]
async fn what_a_network_answers_in_json_is_no_word_of_the_service() {
    let mut fixture = ClientFixture::new().await;
    for (status, body) in [
        (401, json!({"error": "login_required"})),
        (403, json!({"error": "forbidden", "message": "Sign in to the network"})),
        (403, json!({"error": "access_denied", "error_description": "blocked by policy"})),
        (404, json!({"error": "not_found"})),
        (400, json!({"error": "access_denied", "keyport_problem": "domain_unknown"})),
    ] {
        fixture.companion.next_fails("push", Fault::AnsweredInBetween(status, body));
        fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
        fixture.shows_problem("unexpected_answer").await;
        fixture.client.intend(Intent::Dismiss);
        fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    }
    assert_eq!(fixture.browsers_opened(), 0);
}

#[tokio::test]
async fn a_network_that_answers_in_json_ends_no_session() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let account = fixture.client.sessions().current().await.unwrap().unwrap().id;
    let portal = Fault::AnsweredInBetween(400, json!({"error": "invalid_grant"}));
    fixture.companion.next_fails("refresh", portal);
    let refreshed = fixture.client.sessions().refresh(&account).await;
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
        let mut fixture = ClientFixture::new().await;
        fixture.signs_in(SessionStore::Keychain).await;
        let account = fixture.client.sessions().current().await.unwrap().unwrap().id;
        fixture.companion.world().revocation = Some(body.clone());
        let ended = fixture.client.sessions().sign_out(&account).await;
        assert_eq!(ended, Ok(signed_out), "{body}");
    }
}

#[tokio::test]
async fn a_companion_that_is_gone_is_said_to_be_unreachable() {
    let mut fixture = ClientFixture::new().await;
    fixture.companion.stop().await;
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    fixture.shows_problem("offline").await;
    assert_eq!(fixture.browsers_opened(), 0);
}

#[tokio::test]
async fn a_code_is_exchanged_once_even_if_the_answer_is_lost() {
    for fault in [
        Fault::LosesTheAnswer,
        Fault::LosesTheRequest,
        Fault::Answers(400, json!({"error": "invalid_grant"})),
        Fault::Answers(503, json!({"error": "temporarily_unavailable"})),
    ] {
        let mut fixture = ClientFixture::new().await;
        fixture.companion.next_fails("exchange", fault);
        fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
        let url = fixture.browser_opens().await;
        visit(&fixture.companion.signs_in(&url)).await;
        let is_problem = |screen: &Screen| matches!(screen, Screen::Problem { .. });
        let Screen::Problem { code, .. } = fixture.shows("a problem", is_problem).await else {
            unreachable!()
        };
        let (_, outcome) = fixture.companion.until(|world| world.outcomes.first().cloned()).await;
        assert_eq!(outcome, json!({"outcome": "failed", "code": code}), "the page hears the same");
        assert_eq!(fixture.companion.count("exchange"), 1);
    }
}

#[tokio::test]
async fn a_stale_nonce_is_not_an_error() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    let url = fixture.browser_opens().await;
    fixture.companion.changes_nonce();
    visit(&fixture.companion.signs_in(&url)).await;
    fixture.shows_signed_in().await;
}

#[tokio::test]
async fn a_nonce_asked_for_twice_running_ends_the_request() {
    let fixture = ClientFixture::new().await;
    // It asks once of itself, as the client has none yet; and then once more.
    fixture.companion.next_fails("push", Fault::Answers(400, json!({"error": "use_dpop_nonce"})));
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    fixture.shows_problem("unexpected_answer").await;
    assert_eq!(fixture.companion.count("push"), 1);
}

#[tokio::test]
async fn a_failing_keychain_is_found_before_the_browser_opens() {
    let mut fixture = ClientFixture::new().await;
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    for (error, problem) in [
        (KeychainError::Absent, "keychain_absent"),
        (KeychainError::Refused, "keychain_refused"),
        (KeychainError::Slow, "keychain_slow"),
        (KeychainError::Locked, "keychain_locked"),
    ] {
        fixture.keychain.fails_probes(error);
        fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
        fixture.shows_problem(problem).await;
    }
    assert_eq!((fixture.browsers_opened(), fixture.companion.count("push")), (0, 0));
    // The click after "locked" lets the system ask; with the keychain open the sign-in goes on.
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    fixture.browser_opens().await;
}

#[tokio::test]
async fn a_session_in_memory_never_touches_the_keychain() {
    let mut fixture = ClientFixture::new().await;
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    fixture.keychain.fails_probes(KeychainError::Absent);
    fixture.keychain.fails_reads(KeychainError::Absent);
    fixture.keychain.fails_writes("", KeychainError::Absent);
    fixture.signs_in(SessionStore::Memory).await;
}

#[tokio::test]
async fn a_session_that_cannot_be_saved_lives_in_memory_and_says_so() {
    let mut fixture = ClientFixture::new().await;
    fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    fixture.keychain.fails_writes("account:", KeychainError::Locked);
    fixture.signs_in(SessionStore::Keychain).await;
    let Screen::SignedIn { stored, not_saved, account, .. } = fixture.shows_signed_in().await
    else {
        unreachable!()
    };
    assert_eq!((stored, not_saved), (Stored::Memory, Some("keychain_locked")));
    let (_, outcome) = fixture.companion.until(|world| world.outcomes.first().cloned()).await;
    assert_eq!(outcome, json!({"outcome": "memory"}));
    let access = fixture.client.sessions().access_token(&account.id).await.unwrap();
    assert!(access.token.expose().starts_with("at_canary"));
    assert_eq!(fixture.keychain.text_of(&Item::Account(account.id)).await, None);
}

#[tokio::test]
async fn signed_in_notice_says_why_a_session_was_not_saved() {
    for (error, problem) in [
        (KeychainError::Locked, Problem::KeychainLocked),
        (KeychainError::Absent, Problem::KeychainAbsent),
        (KeychainError::Refused, Problem::KeychainRefused),
        (KeychainError::Corrupt, Problem::KeychainCorrupt),
        (KeychainError::Slow, Problem::KeychainSlow),
        (KeychainError::TooLarge, Problem::Internal),
    ] {
        let mut fixture = ClientFixture::new().await;
        fixture.shows("signed out", |screen| *screen == Screen::SignedOut).await;
        fixture.keychain.fails_writes("account:", error);
        fixture.signs_in(SessionStore::Keychain).await;
        let news = fixture.notice(|notice| match notice {
            ClientNotice::SignedIn { stored, not_saved, .. } => Some((stored, not_saved)),
            _ => None,
        });
        assert_eq!(news.await, (Stored::Memory, Some(problem)));
    }
}

#[tokio::test]
async fn errors_of_the_attempt_endpoint_do_not_end_the_attempt() {
    let mut fixture = ClientFixture::new().await;
    fixture.companion.next_fails("standing", Fault::Answers(500, json!({})));
    fixture
        .companion
        .next_fails("standing", Fault::Answers(401, json!({"error": "invalid_token"})));
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    fixture.browser_opens().await;
    let attempt = fixture.attempt();
    fixture.companion.attempt_is(&attempt, json!({"state": "minted"}));
    fixture
        .shows("returning", |screen| matches!(screen, Screen::Waiting { returning: true, .. }))
        .await;
    assert_eq!(fixture.companion.count("standing"), 3);
}
