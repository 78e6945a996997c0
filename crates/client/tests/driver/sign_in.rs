//! From the click to the session.

use keyport_client::{ClientNotice, Intent};
use keyport_core::{CallbackReceiver, Hints, Screen, SessionStore, SignInRequest, Stored};
use serde_json::json;

use crate::support::ClientFixture;
use crate::support::fixture::visit;

#[tokio::test]
async fn a_click_and_a_callback_over_loopback_sign_in() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    let url = fixture.browser_opens().await;
    fixture.shows("waiting", |screen| matches!(screen, Screen::Waiting { .. })).await;
    let back = fixture.companion.signs_in(&url);
    let page = format!("{}/handoff/handoff-1", fixture.companion.issuer());
    assert_eq!(visit(&back).await, (303, Some(page)));
    let Screen::SignedIn { account, stored, .. } = fixture.shows_signed_in().await else {
        unreachable!()
    };
    assert_eq!((account.email.as_deref(), stored), (Some("ada@acme.test"), Stored::Memory));
    let (attempt, outcome) = fixture.companion.until(|world| world.outcomes.first().cloned()).await;
    assert_eq!((attempt, outcome), (fixture.attempt(), json!({"outcome": "memory"})));
    let signed_in = fixture.notice(|notice| match notice {
        ClientNotice::SignedIn { account, .. } => Some(account.subject),
        _ => None,
    });
    assert_eq!(signed_in.await, "user_ada");
}

#[tokio::test]
async fn the_pages_number_is_shown_and_its_failure_ends_the_attempt() {
    let mut fixture = ClientFixture::new().await;
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Memory);
    fixture.browser_opens().await;
    let attempt = fixture.attempt();
    fixture.companion.attempt_is(&attempt, json!({"state": "a state of a newer companion"}));
    fixture.companion.attempt_is(&attempt, json!({"state": "confirm", "number": "42"}));
    let shown =
        fixture.shows("the number", |screen| matches!(screen, Screen::Confirm { .. })).await;
    assert!(matches!(shown, Screen::Confirm { number, .. } if number == "42"));
    let number = fixture.notice(|notice| match notice {
        ClientNotice::Confirm(number) => Some(number),
        _ => None,
    });
    assert_eq!(number.await, "42");
    fixture.companion.attempt_is(&attempt, json!({"state": "minted"}));
    fixture
        .shows("returning", |screen| matches!(screen, Screen::Waiting { returning: true, .. }))
        .await;
    fixture.companion.attempt_is(&attempt, json!({"state": "failed", "problem": "not_me"}));
    fixture.shows_problem("not_me").await;
}

#[tokio::test]
async fn the_push_says_what_the_person_and_the_device_are() {
    let mut fixture = ClientFixture::new().await;
    let hints = Hints { email: Some("ada@acme.test".into()), ..Hints::default() };
    let receivers = vec![CallbackReceiver::Loopback, CallbackReceiver::Link];
    let request = SignInRequest { hints, receivers, store: SessionStore::Memory };
    fixture.client.intend(Intent::SignInWith(request));
    fixture.browser_opens().await;
    let pushes = fixture.companion.seen("push");
    assert_eq!(pushes.len(), 2, "one request for each receiver");
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
async fn a_token_answer_without_account_asks_userinfo() {
    let mut fixture = ClientFixture::new().await;
    fixture.companion.world().is_plain = true;
    fixture.signs_in(SessionStore::Memory).await;
    let Screen::SignedIn { account, .. } = fixture.shows_signed_in().await else { unreachable!() };
    assert_eq!(account.organization.and_then(|o| o.name).as_deref(), Some("Acme"));
    assert_eq!(fixture.companion.count("userinfo"), 1);
}
