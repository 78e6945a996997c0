//! What the companion says of the account: as little as it likes, and no session is lost for it.

use keyport_core::{Account, CallbackReceiver, Screen, SessionStore};
use serde_json::{Value, json};

use crate::support::fixture::visit;
use crate::support::{ClientFixture, Fault};

async fn signed_in(account: Option<Value>, claims: Option<Value>) -> (Account, ClientFixture) {
    let mut fixture = ClientFixture::new().await;
    (fixture.companion.world().account, fixture.companion.world().claims) = (account, claims);
    fixture.signs_in(SessionStore::Memory).await;
    let Screen::SignedIn { account, .. } = fixture.shows_signed_in().await else { unreachable!() };
    (*account, fixture)
}

/// The account of a person whose provider sends no name, as different companions write it.
#[tokio::test]
async fn a_person_without_a_name_signs_in() {
    let connection = json!({"id": "conn_1", "type": "OktaSAML"});
    for facts in [
        json!({"sub": "user_linus", "email": "linus@acme.test", "name": null,
            "organization": null, "connection": connection}),
        json!({"sub": "user_linus", "email": "linus@acme.test", "connection": connection}),
        json!({"sub": "user_linus", "email": "linus@acme.test", "name": "",
            "organization": {"id": "org_1", "name": null}, "connection": connection}),
    ] {
        let (account, _fixture) = signed_in(Some(facts.clone()), None).await;
        assert_eq!(account.name, None, "{facts}");
        assert_eq!(account.shown_name(), "linus@acme.test", "{facts}");
        assert_eq!(account.subject, "user_linus", "{facts}");
    }
}

/// Facts of another kind: what can be read is taken, the rest is left out.
#[tokio::test]
async fn facts_that_cannot_be_read_do_not_cost_the_session() {
    let malformed = json!({"sub": "user_1", "email": 7, "name": ["x"], "organization": "org_1"});
    let (account, fixture) = signed_in(Some(malformed), None).await;
    assert_eq!((account.shown_name(), &account.organization), ("user_1", &None));
    assert_eq!(fixture.companion.world().revoked, Vec::<String>::new());

    // Facts without a subject are none: userinfo is asked.
    for nonsense in [json!("user_1"), json!({}), json!({"sub": null})] {
        let (account, fixture) = signed_in(Some(nonsense.clone()), None).await;
        assert_eq!(account.subject, "user_ada", "{nonsense}");
        assert_eq!(fixture.companion.count("userinfo"), 1);
        assert_eq!(fixture.companion.world().revoked, Vec::<String>::new(), "the session is kept");
    }
}

/// `sub` is the one fact that a companion always says. A made-up one would make a new account of
/// each sign-in, so the answer is refused, and the session that it began is revoked.
#[tokio::test]
async fn a_session_without_a_subject_is_refused_and_revoked() {
    for (claims, fault, problem) in [
        (json!([]), None, "unexpected_answer"),
        (json!({"email": "ada@acme.test"}), None, "unexpected_answer"),
        (json!({"sub": ""}), None, "unexpected_answer"),
        (json!({}), Some(Fault::Answers(503, json!({}))), "service_unavailable"),
    ] {
        let mut fixture = ClientFixture::new().await;
        fixture.companion.world().account = Some(json!({"email": "ada@acme.test"}));
        fixture.companion.world().claims = Some(claims.clone());
        if let Some(fault) = fault {
            fixture.companion.next_fails("userinfo", fault);
        }
        fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
        let url = fixture.browser_opens().await;
        visit(&fixture.companion.signs_in(&url)).await;
        fixture.shows_problem(problem).await;
        let world = fixture.companion.world();
        assert_eq!(world.revoked, world.given[1..], "the refresh token, {claims}");
    }
}
