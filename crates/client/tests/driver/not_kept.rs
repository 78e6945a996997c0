//! Sessions that the companion has begun and that nothing keeps: each is revoked.

use keyport_core::{Door, Store};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::desk::visit;
use crate::support::{Desk, Fault};

/// What the companion was asked to revoke after an answer with these members was refused, and the
/// access and the refresh token that it had given.
async fn revoked_after(changes: Value) -> (Vec<String>, Vec<String>) {
    let mut desk = Desk::new().await;
    desk.companion.world().answer = Some(changes);
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    let url = desk.browser_opens().await;
    visit(&desk.companion.signs_in(&url)).await;
    desk.shows_problem("unexpected_answer").await;
    let world = desk.companion.world();
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
    let mut desk = Desk::new().await;
    let (_go, waits) = watch::channel(false);
    desk.companion.world().is_plain = true;
    desk.companion.next_fails("userinfo", Fault::Waits(waits));
    desk.click_sign_in(Door::Loopback, Store::Keychain);
    let url = desk.browser_opens().await;
    visit(&desk.companion.signs_in(&url)).await;
    desk.companion.until_waiting("userinfo").await;
    let Desk { client, companion, .. } = desk;
    drop(client);
    let revoked = companion.until(|world| world.revoked.first().cloned()).await;
    assert_eq!(revoked, companion.world().given[1]);
}

/// Another device key, so the companion does not end it of itself.
#[tokio::test]
async fn a_session_in_memory_that_a_kept_one_replaces_is_revoked() {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Memory).await;
    let first = desk.companion.world().given[1].clone();
    desk.signs_in(Store::Keychain).await;
    let revoked = desk.companion.until(|world| world.revoked.first().cloned()).await;
    assert_eq!(revoked, first);
}

#[tokio::test]
async fn a_refused_renewal_costs_no_session() {
    let mut desk = Desk::new().await;
    desk.signs_in(Store::Keychain).await;
    let account = desk.client.sessions().current().await.unwrap().unwrap().id;
    let answer = json!({"access_token": "at", "token_type": "Bearer", "refresh_token": "kpr_x"});
    desk.companion.next_fails("refresh", Fault::Answers(200, answer));
    desk.client.sessions().refresh(&account).await;
    assert_eq!(desk.companion.world().revoked, Vec::<String>::new());
    desk.client.sessions().refresh(&account).await;
    assert!(!desk.companion.world().over, "its parent goes on");
}
