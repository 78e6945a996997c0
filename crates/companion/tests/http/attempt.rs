//! The client's side channel for one sign-in.

use serde_json::json;

use crate::support::{Browser, Device, Service, hex32, parameter};

#[tokio::test]
async fn it_follows_the_sign_in_from_waiting_to_stored() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let state = async || device.attempt_state(&service, &pushed.attempt).await["state"].clone();
    assert_eq!(state().await, "waiting");
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    assert_eq!(state().await, "confirm");
    browser.press(&handoff, "continue").await;
    let go = browser.get(&format!("{handoff}/go")).await;
    assert_eq!(state().await, "minted");
    device.redeem(&service, &parameter(go.header("refresh"), "code"), &pushed.verifier).await;
    assert_eq!(state().await, "redeemed");
    for outcome in ["memory", "stored"] {
        let said = device
            .attempt(&service, "POST", &pushed.attempt, Some(json!({ "outcome": outcome })))
            .await;
        assert_eq!((said.status, said.body.as_str()), (204, ""));
    }
    assert!(["memory", "stored"].contains(&state().await.as_str().unwrap()));
}

#[tokio::test]
async fn another_device_key_neither_sees_nor_changes_an_attempt() {
    let (service, device, other) = (Service::start().await, Device::new(), Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    browser.arrive(&service, &pushed, "x").await;
    assert_eq!(other.attempt_state(&service, &pushed.attempt).await, json!({ "state": "waiting" }));
    let said = other
        .attempt(&service, "POST", &pushed.attempt, Some(json!({ "outcome": "stored" })))
        .await;
    assert_eq!(said.status, 204);
    assert_eq!(other.attempt(&service, "DELETE", &pushed.attempt, None).await.status, 204);
    assert_eq!(device.attempt_state(&service, &pushed.attempt).await["state"], "confirm");
}

#[tokio::test]
async fn cancelling_takes_the_code_back_and_the_page_says_so() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let callback = browser.come_back(&service, &pushed).await;
    let handoff = format!("{}/handoff/{}", service.url, parameter(&callback, "handoff"));
    assert_eq!(device.attempt(&service, "DELETE", &pushed.attempt, None).await.status, 204);
    assert_eq!(browser.get(&handoff).await.problem(), "cancelled");
    let answer = device.redeem(&service, &parameter(&callback, "code"), &pushed.verifier).await;
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
    assert_eq!(device.attempt_state(&service, &pushed.attempt).await["state"], "cancelled");
}

#[tokio::test]
async fn a_cancelled_attempt_redeems_no_code_at_the_provider() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    device.attempt(&service, "DELETE", &pushed.attempt, None).await;
    let answer = browser.callback(&service, &provider, "x").await;
    assert_eq!((answer.status, answer.problem()), (200, "cancelled"));
    assert_eq!(service.exchanges(), 0);
}

#[tokio::test]
async fn an_outcome_that_is_none_is_refused() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    for body in [
        json!({}),
        json!({ "outcome": "signed_in" }),
        json!({ "outcome": "failed", "code": "<script>" }),
        json!({ "outcome": "failed", "code": "not_a_code" }),
        json!({ "outcome": "stored", "more": 1 }),
        json!("stored"),
    ] {
        let answer = device.attempt(&service, "POST", &pushed.attempt, Some(body.clone())).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()), "{body}");
    }
    assert_eq!(device.attempt(&service, "GET", "7F3A", None).await.status, 404);
    assert_eq!(device.attempt_state(&service, &hex32()).await, json!({ "state": "waiting" }));
}
