//! Sessions that the companion has begun and that nothing keeps: each is revoked.

use keyport_core::{CallbackReceiver, SessionStore};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::fixture::visit;
use crate::support::{ClientFixture, Fault};

/// What the companion was asked to revoke after an answer with these members was refused, and the
/// access and the refresh token that it had given.
async fn revoked_after(changes: Value) -> (Vec<String>, Vec<String>) {
    let mut fixture = ClientFixture::new().await;
    fixture.companion.world().answer = Some(changes);
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    visit(&fixture.companion.signs_in(&url)).await;
    fixture.shows_problem("unexpected_answer").await;
    let world = fixture.companion.world();
    (world.revoked.clone(), world.given.clone())
}

#[tokio::test]
async fn the_tokens_of_an_answer_that_is_refused_are_revoked() {
    for (what, changes) in [
        ("another type", json!({"token_type": "Bearer"})),
        ("no type", json!({"token_type": null})),
        ("a lifetime below zero", json!({"expires_in": -1})),
        ("a lifetime in a text", json!({"expires_in": "300"})),
        ("a lifetime over all bounds", json!({"expires_in": 1e300})),
        ("no access token", json!({"access_token": null})),
        ("an access token of another kind", json!({"access_token": 7})),
        ("an access token that is no header value", json!({"access_token": "a b"})),
        ("an access token with a quotation mark", json!({"access_token": "a\"b"})),
        ("an access token with a backslash", json!({"access_token": "a\\b"})),
    ] {
        let (revoked, given) = revoked_after(changes).await;
        assert_eq!(revoked, given[1..], "{what}");
    }
    // No keychain item holds it.
    for token in ["kpr_a\"b", "kpr_a\\b", &"k".repeat(513)] {
        let (revoked, _) = revoked_after(json!({"refresh_token": token})).await;
        assert_eq!(revoked, [token]);
    }
    // Either token ends the session (RFC 7009 section 2.1).
    let (revoked, given) = revoked_after(json!({"refresh_token": null})).await;
    assert_eq!(revoked, given[..1], "no refresh token");
}

#[tokio::test]
async fn a_session_whose_sign_in_is_dropped_midway_is_revoked() {
    let mut fixture = ClientFixture::new().await;
    let (_go, waits) = watch::channel(false);
    fixture.companion.world().is_plain = true;
    fixture.companion.next_fails("userinfo", Fault::Waits(waits));
    fixture.click_sign_in(CallbackReceiver::Loopback, SessionStore::Keychain);
    let url = fixture.browser_opens().await;
    visit(&fixture.companion.signs_in(&url)).await;
    fixture.companion.until_waiting("userinfo").await;
    let ClientFixture { client, companion, .. } = fixture;
    drop(client);
    let revoked = companion.until(|world| world.revoked.first().cloned()).await;
    assert_eq!(revoked, companion.world().given[1]);
}

/// Another device key, so the companion does not end it of itself.
#[tokio::test]
async fn a_session_in_memory_that_a_kept_one_replaces_is_revoked() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Memory).await;
    let first = fixture.companion.world().given[1].clone();
    fixture.signs_in(SessionStore::Keychain).await;
    let revoked = fixture.companion.until(|world| world.revoked.first().cloned()).await;
    assert_eq!(revoked, first);
}

#[tokio::test]
async fn a_refused_renewal_costs_no_session() {
    let mut fixture = ClientFixture::new().await;
    fixture.signs_in(SessionStore::Keychain).await;
    let account = fixture.client.sessions().current().await.unwrap().unwrap().id;
    let answer = json!({"access_token": "at", "token_type": "Bearer", "refresh_token": "kpr_x"});
    fixture.companion.next_fails("refresh", Fault::Answers(200, answer));
    fixture.client.sessions().refresh(&account).await;
    assert_eq!(fixture.companion.world().revoked, Vec::<String>::new());
    fixture.client.sessions().refresh(&account).await;
    assert!(!fixture.companion.world().over, "its parent goes on");
}
