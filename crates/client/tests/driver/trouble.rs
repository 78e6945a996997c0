//! What goes wrong during a sign-in, and what the person and the companion hear of it.

use std::time::Duration;

use keyport_client::keychain::{Item, KeychainTrouble};
use keyport_client::{Intent, Notice};
use keyport_core::secret::RawCallback;
use keyport_core::{Door, Hints, Screen, Store, Stored};
use serde_json::json;
use tokio::sync::watch;

use crate::support::desk::visit;
use crate::support::{Desk, Fault};

#[tokio::test]
async fn cancelling_closes_the_door_and_tells_the_companion() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Loopback, Store::Memory);
    let url = desk.browser_opens().await;
    let (redirect_uri, _) = desk.companion.request_of(&url);
    desk.client.intend(Intent::Cancel);
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    let cancelled = desk.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, desk.attempt());
    desk.client.shut_down().await;
    assert!(reqwest::get(redirect_uri).await.is_err(), "nobody listens any more");
}

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
async fn a_new_click_replaces_the_attempt() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Link, Store::Keychain);
    let first = desk.browser_opens().await;
    let (old, old_back) = (desk.attempt(), desk.companion.signs_in(&first));
    desk.click_sign_in(Door::Link, Store::Keychain);
    let second = desk.browser_opens().await;
    let cancelled = desk.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, old);
    desk.client.deliver_link(RawCallback::new(old_back));
    desk.client.deliver_link(RawCallback::new(desk.companion.signs_in(&second)));
    desk.shows_signed_in().await;
    assert_eq!(desk.companion.count("exchange"), 1);
}

#[tokio::test]
async fn a_success_that_comes_after_cancelling_is_revoked() {
    let mut desk = Desk::new().await;
    let (go, waits) = watch::channel(false);
    desk.companion.next_fails("exchange", Fault::Waits(waits));
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    let url = desk.browser_opens().await;
    visit(&desk.companion.signs_in(&url)).await;
    let waiting = |what: &str| what == "exchange waits";
    desk.companion.until(|world| world.seen.iter().any(|s| waiting(&s.what)).then_some(())).await;
    desk.client.intend(Intent::Cancel);
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    go.send_replace(true);
    let revoked = desk.companion.until(|world| world.revoked.first().cloned()).await;
    assert!(revoked.starts_with("kpr_canary"));
    let screen = desk.client.views().borrow().screen.clone();
    assert_eq!(screen, Screen::SignedOut);
}

#[tokio::test]
async fn an_attempt_that_nobody_finishes_times_out_and_is_cancelled_over_there() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Loopback, Store::Memory);
    desk.browser_opens().await;
    desk.shows("waiting", |screen| matches!(screen, Screen::Waiting { .. })).await;
    desk.clock.jump(Duration::from_secs(601));
    desk.shows_problem("timed_out").await;
    let cancelled = desk.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, desk.attempt());
}

#[tokio::test]
async fn the_number_of_the_page_is_shown_and_its_end_is_the_attempts_end() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Loopback, Store::Memory);
    desk.browser_opens().await;
    let attempt = desk.attempt();
    desk.companion.attempt_is(&attempt, json!({"state": "a state of a newer companion"}));
    desk.companion.attempt_is(&attempt, json!({"state": "confirm", "number": "42"}));
    let shown = desk.shows("the number", |screen| matches!(screen, Screen::Confirm { .. })).await;
    assert!(matches!(shown, Screen::Confirm { number, .. } if number == "42"));
    let number = desk.notice(|notice| match notice {
        Notice::Confirm(number) => Some(number),
        _ => None,
    });
    assert_eq!(number.await, "42");
    desk.companion.attempt_is(&attempt, json!({"state": "minted"}));
    desk.shows("returning", |screen| matches!(screen, Screen::Waiting { returning: true, .. }))
        .await;
    desk.companion.attempt_is(&attempt, json!({"state": "failed", "problem": "not_me"}));
    desk.shows_problem("not_me").await;
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

#[tokio::test]
async fn the_push_says_what_the_person_and_the_device_are() {
    let mut desk = Desk::new().await;
    let hints = Hints { email: Some("ada@acme.test".into()), ..Hints::default() };
    let doors = vec![Door::Loopback, Door::Link];
    desk.client.intend(Intent::SignIn { hints, doors, store: Store::Memory });
    desk.browser_opens().await;
    let pushes = desk.companion.seen("push");
    assert_eq!(pushes.len(), 2, "one request a door");
    for push in &pushes {
        let field = |name: &str| push.fields[name].as_str();
        assert_eq!(field("client_id"), "keyport-desktop");
        assert_eq!(field("response_type"), "code");
        assert_eq!(field("scope"), "openid profile email offline_access");
        assert_eq!(field("login_hint"), "ada@acme.test");
        assert_eq!(field("device_name"), "Ada's laptop");
        assert_eq!(field("attempt").len(), 32);
        assert!(!push.fields.contains_key("organization"));
    }
    let [loopback, link] = &pushes[..] else { unreachable!() };
    assert!(loopback.fields["redirect_uri"].starts_with("http://127.0.0.1:"));
    assert_eq!(link.fields["redirect_uri"], "dev.keyport.desktop.dev:/callback");
    assert_ne!(loopback.fields["state"], link.fields["state"]);
    assert_ne!(loopback.fields["code_challenge"], link.fields["code_challenge"]);
    assert_eq!(loopback.fields["attempt"], link.fields["attempt"]);
}

#[tokio::test]
async fn a_companion_that_says_nothing_of_the_account_is_asked_at_userinfo() {
    let mut desk = Desk::new().await;
    desk.companion.world().is_plain = true;
    desk.signs_in(Store::Memory).await;
    let Screen::SignedIn { account, .. } = desk.shows_signed_in().await else { unreachable!() };
    assert_eq!(account.organization.map(|o| o.name).as_deref(), Some("Acme"));
    assert_eq!(desk.companion.count("userinfo"), 1);
}

#[tokio::test]
async fn a_save_that_is_given_up_and_then_succeeds_leaves_one_session_and_it_works() {
    let mut desk = Desk::new().await;
    let (go, waits) = watch::channel(false);
    desk.keychain.stalls_writes("account:", waits);
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    let url = desk.browser_opens().await;
    visit(&desk.companion.signs_in(&url)).await;
    desk.shows("finishing", |screen| *screen == Screen::Finishing).await;
    desk.companion
        .until(|world| world.seen.iter().any(|s| s.what == "exchange").then_some(()))
        .await;
    let in_memory =
        |screen: &Screen| matches!(screen, Screen::SignedIn { stored: Stored::Memory, .. });
    // Whenever the exchange is through, six seconds are more than a save may take.
    while !in_memory(&desk.client.views().borrow().screen) {
        desk.clock.jump(Duration::from_secs(6));
        tokio::task::yield_now().await;
    }
    go.send_replace(true);
    let Screen::SignedIn { account, .. } = desk.shows_signed_in().await else { unreachable!() };
    let Desk { client, keychain, companion, .. } = desk;
    let sessions = client.sessions().clone();
    client.shut_down().await;
    assert_eq!(keychain.text_of(&Item::Account(account.id.clone())).await, None);
    sessions.refresh(&account.id).await;
    assert!(!companion.world().over);
    assert_eq!(sessions.accounts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_late_success_in_memory_leaves_the_kept_session_its_key() {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Keychain).await;
    let Screen::SignedIn { account, .. } = desk.shows_signed_in().await else { unreachable!() };
    let (go, waits) = watch::channel(false);
    desk.companion.next_fails("exchange", Fault::Waits(waits));
    desk.click_sign_in(Door::Loopback, Store::Memory);
    let url = desk.browser_opens().await;
    visit(&desk.companion.signs_in(&url)).await;
    let is_waiting = |s: &crate::support::companion::Seen| s.what == "exchange waits";
    desk.companion.until(|world| world.seen.iter().any(is_waiting).then_some(())).await;
    desk.client.intend(Intent::Cancel);
    desk.shows_signed_in().await;
    go.send_replace(true);
    desk.companion.until(|world| (!world.revoked.is_empty()).then_some(())).await;
    desk.client.sessions().refresh(&account.id).await;
    let refreshed = desk.companion.seen("refresh");
    let exchanged = desk.companion.seen("exchange");
    assert_eq!(refreshed[0].thumbprint, exchanged[0].thumbprint);
    assert_ne!(refreshed[0].thumbprint, exchanged[1].thumbprint);
}

#[tokio::test]
async fn cancelling_while_the_request_is_pushed_opens_no_browser() {
    let mut desk = Desk::new().await;
    let (go, waits) = watch::channel(false);
    desk.companion.next_fails("push", Fault::Waits(waits));
    desk.click_sign_in(Door::Loopback, Store::Memory);
    let is_waiting = |s: &crate::support::companion::Seen| s.what == "push waits";
    desk.companion.until(|world| world.seen.iter().any(is_waiting).then_some(())).await;
    desk.client.intend(Intent::Cancel);
    let cancelled = desk.companion.until(|world| world.cancelled.first().cloned()).await;
    assert_eq!(cancelled, desk.companion.seen("push waits")[0].fields["attempt"]);
    go.send_replace(true);
    desk.shows("signed out", |screen| *screen == Screen::SignedOut).await;
    assert_eq!(desk.browsers_opened(), 0);
}

#[tokio::test]
async fn a_session_that_arrives_while_the_client_ends_is_not_left_behind() {
    let mut desk = Desk::new().await;
    let (go, waits) = watch::channel(false);
    desk.companion.next_fails("exchange", Fault::Waits(waits));
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    let url = desk.browser_opens().await;
    visit(&desk.companion.signs_in(&url)).await;
    let is_waiting = |s: &crate::support::companion::Seen| s.what == "exchange waits";
    desk.companion.until(|world| world.seen.iter().any(is_waiting).then_some(())).await;
    desk.client.intend(Intent::Cancel);
    let Desk { client, companion, .. } = desk;
    let (_, ()) = tokio::join!(client.shut_down(), async {
        companion.until(|world| (!world.outcomes.is_empty()).then_some(())).await;
        go.send_replace(true);
    });
    assert_eq!(companion.world().revoked.len(), 1);
}
