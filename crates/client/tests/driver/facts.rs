//! What the companion says of the account: as little as it likes, and no session is lost for it.

use keyport_core::{Account, Screen, Store};
use serde_json::{Value, json};

use crate::support::Desk;

async fn signed_in(account: Option<Value>, claims: Option<Value>) -> (Account, Desk) {
    let mut desk = Desk::new().await;
    (desk.companion.world().account, desk.companion.world().claims) = (account, claims);
    desk.signs_in(Store::Memory).await;
    let Screen::SignedIn { account, .. } = desk.shows_signed_in().await else { unreachable!() };
    (*account, desk)
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
        let (account, _desk) = signed_in(Some(facts.clone()), None).await;
        assert_eq!(account.name, None, "{facts}");
        assert_eq!(account.shown_name(), "linus@acme.test", "{facts}");
        assert_eq!(account.subject, "user_linus", "{facts}");
    }
}

/// Facts of another kind: what can be read is taken, the rest is left out.
#[tokio::test]
async fn facts_that_cannot_be_read_do_not_cost_the_session() {
    let malformed = json!({"sub": "user_1", "email": 7, "name": ["x"], "organization": "org_1"});
    let (account, desk) = signed_in(Some(malformed), None).await;
    assert_eq!((account.shown_name(), &account.organization), ("user_1", &None));
    assert_eq!(desk.companion.world().revoked, Vec::<String>::new());

    // Facts without a subject are none: userinfo is asked, and may be no better.
    for nonsense in [json!("user_1"), json!({}), json!({"sub": null})] {
        let (account, desk) = signed_in(Some(nonsense.clone()), None).await;
        assert_eq!(account.subject, "user_ada", "{nonsense}");
        assert_eq!(desk.companion.count("userinfo"), 1);
        let (account, desk) = signed_in(Some(nonsense.clone()), Some(json!([]))).await;
        assert!(account.shown_name().starts_with("unknown-"), "{account:?}");
        assert_eq!(desk.companion.world().revoked, Vec::<String>::new(), "the session is kept");
    }
}
