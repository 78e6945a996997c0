//! Hostile on request: each kind of fault as the client sees it, and what it leaves behind.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{Service, answer, client};

const TOKEN: &str = "POST /sso/token";

#[tokio::test]
async fn a_fault_that_cannot_take_effect_is_refused() {
    let service = Service::start().await;
    let post =
        |body: Value| service.http.post(format!("{}/_emulator/faults", service.url)).json(&body);
    let (status, body) = answer(post(json!({"route": "POST /sso/tokens", "kind": "reset"}))).await;
    assert_eq!(status, 422);
    assert!(body["message"].as_str().unwrap().contains(TOKEN), "{body}");
    let misspelt = post(json!({"route": TOKEN, "kind": "reset", "tiems": 2})).send().await.unwrap();
    assert_eq!(misspelt.status(), 422);
}

#[tokio::test]
async fn a_reset_happens_before_the_code_is_touched() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    service.order(json!({"route": TOKEN, "kind": "reset", "times": 2})).await;
    for _ in 0..2 {
        let lost = service.token_request(&code, &[]).send().await.unwrap_err();
        assert!(lost.is_request() && lost.status().is_none(), "{lost:?}");
    }
    assert_eq!(service.exchange(&code, &[]).await.0, 200);
    assert_eq!(service.calls().await["calls"][TOKEN], 3);
}

#[tokio::test]
async fn a_lost_answer_has_used_the_code_up() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    service.order(json!({"route": TOKEN, "kind": "lose_answer"})).await;
    assert!(service.token_request(&code, &[]).send().await.is_err());
    assert_eq!(service.exchange(&code, &[]).await.1["error"], "invalid_grant");
    assert_eq!(service.calls().await["codes"], json!({"issued": 1, "redeemed": 1, "refused": 1}));
}

#[tokio::test]
async fn a_status_replaces_the_work() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    service
        .order(json!({"route": TOKEN, "kind": "status", "status": 429, "retry_after_seconds": 7}))
        .await;
    service.order(json!({"route": TOKEN, "kind": "status", "status": 503})).await;
    let limited = service.token_request(&code, &[]).send().await.unwrap();
    assert_eq!(
        (limited.status().as_u16(), &limited.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    let unavailable = service.token_request(&code, &[]).send().await.unwrap();
    assert_eq!(
        (unavailable.status().as_u16(), unavailable.headers().get("retry-after")),
        (503, None)
    );
    let body = json!({"message": "Conflict", "errors": [{"field": "name", "code": "taken"}]});
    service.order(json!({"route": TOKEN, "kind": "status", "status": 409, "body": body})).await;
    assert_eq!(service.exchange(&code, &[]).await, (409, body));
    assert_eq!(service.exchange(&code, &[]).await.0, 200);
}

#[tokio::test]
async fn garbage_is_not_json_and_as_long_as_ordered() {
    let service = Service::start().await;
    service
        .order(json!({"route": "GET /connections", "kind": "garbage", "size_bytes": 10_000_000}))
        .await;
    let response = service.open(&format!("{}/connections", service.url)).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/json".parse().unwrap())
    );
    let body = response.bytes().await.unwrap();
    assert_eq!(body.len(), 10_000_000);
    assert!(serde_json::from_slice::<Value>(&body).is_err());
}

#[tokio::test]
async fn a_swapped_profile_is_of_another_organization_than_asked() {
    let service = Service::start().await;
    service.order(json!({"route": TOKEN, "kind": "swap_profile"})).await;
    let members = json!({"email": "eve@acme.test", "idp_id": "eve"});
    service.order(json!({"route": TOKEN, "kind": "swap_profile", "profile": members})).await;
    let (_, by_default) = service.exchange(&service.code(&[]).await, &[]).await;
    assert_eq!(by_default["profile"]["organization_id"], "org_01EMULATORSTRANGER");
    assert_eq!(by_default["profile"]["connection_id"], "conn_01EMULATORSTRANGER");
    assert_eq!(by_default["profile"]["email"], "ada@acme.test");
    let (_, named) = service.exchange(&service.code(&[]).await, &[]).await;
    assert_eq!(
        (&named["profile"]["email"], &named["profile"]["idp_id"]),
        (&json!("eve@acme.test"), &json!("eve"))
    );
    assert_eq!(named["profile"]["organization_id"], "org_acme");
}

#[tokio::test]
async fn a_delayed_answer_is_the_right_one_later() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    service.order(json!({"route": TOKEN, "kind": "delay_ms", "delay_ms": 150})).await;
    let start = Instant::now();
    assert_eq!(service.exchange(&code, &[]).await.0, 200);
    assert!(start.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_held_call_is_counted_and_waits_for_cleared_faults() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    service.order(json!({"route": TOKEN, "kind": "hold"})).await;
    let held = tokio::spawn(answer(service.token_request(&code, &[])));
    while service.calls().await["calls"][TOKEN] == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.calls().await["codes"]["redeemed"], 0);
    assert!(!held.is_finished());
    let cleared =
        service.http.delete(format!("{}/_emulator/faults", service.url)).send().await.unwrap();
    assert_eq!(cleared.status(), 204);
    assert_eq!(held.await.unwrap().0, 200);
}

#[tokio::test]
async fn cleared_faults_and_counts_are_gone() {
    let service = Service::start().await;
    service
        .order(json!({"route": "GET /connections", "kind": "status", "status": 500, "times": 9}))
        .await;
    assert_eq!(service.api("/connections").await.0, 500);
    for what in ["faults", "calls"] {
        client().delete(format!("{}/_emulator/{what}", service.url)).send().await.unwrap();
    }
    assert_eq!(service.calls().await["calls"]["GET /connections"], 0);
    assert_eq!(service.api("/connections").await.0, 200);
}
