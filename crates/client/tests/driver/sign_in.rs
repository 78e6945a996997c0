//! From the click to the session.

use keyport_client::Notice;
use keyport_core::{Door, Screen, Store, Stored};
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
    assert_eq!((account.email.as_str(), stored), ("ada@acme.test", Stored::Memory));
    let (attempt, outcome) = desk.companion.until(|world| world.outcomes.first().cloned()).await;
    assert_eq!((attempt, outcome), (desk.attempt(), json!({"outcome": "memory"})));
    let signed_in = desk.notice(|notice| match notice {
        Notice::SignedIn { account, .. } => Some(account.subject),
        _ => None,
    });
    assert_eq!(signed_in.await, "user_ada");
}
