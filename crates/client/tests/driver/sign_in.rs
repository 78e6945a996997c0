//! From the click to the session.

use keyport_client::{Intent, Notice};
use keyport_core::{Door, Hints, Screen, Store, Stored};
use serde_json::json;

use crate::support::Desk;
use crate::support::desk::visit;

#[tokio::test]
async fn a_click_and_a_callback_over_loopback_sign_in() {
    let mut desk = Desk::new().await;
    desk.click_sign_in(Door::Loopback, Store::Memory);
    let url = desk.browser_opens().await;
    desk.shows("waiting", |screen| matches!(screen, Screen::Waiting { .. })).await;
    let back = desk.companion.signs_in(&url);
    let page = format!("{}/handoff/handoff-1", desk.companion.issuer());
    assert_eq!(visit(&back).await, (303, Some(page)));
    let Screen::SignedIn { account, stored, .. } = desk.shows_signed_in().await else {
        unreachable!()
    };
    assert_eq!((account.email.as_deref(), stored), (Some("ada@acme.test"), Stored::Memory));
    let (attempt, outcome) = desk.companion.until(|world| world.outcomes.first().cloned()).await;
    assert_eq!((attempt, outcome), (desk.attempt(), json!({"outcome": "memory"})));
    let signed_in = desk.notice(|notice| match notice {
        Notice::SignedIn { account, .. } => Some(account.subject),
        _ => None,
    });
    assert_eq!(signed_in.await, "user_ada");
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
    assert_eq!(account.organization.and_then(|o| o.name).as_deref(), Some("Acme"));
    assert_eq!(desk.companion.count("userinfo"), 1);
}
