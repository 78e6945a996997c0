//! Webhooks as a service receives them: signed, again until they are taken, and with what goes
//! wrong on the way.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::support::{CLIENT, Service, answer};

/// What came: the header and the raw body.
type Received = (String, String);

/// Answers with these statuses first, then with 200.
async fn receiver(statuses: &[u16]) -> (String, UnboundedReceiver<Received>) {
    let (sender, received) = unbounded_channel();
    let statuses = Arc::new(Mutex::new(VecDeque::from(statuses.to_vec())));
    let taken = post(move |headers: HeaderMap, body: String| async move {
        let signature = headers["workos-signature"].to_str().unwrap().to_owned();
        sender.send((signature, body)).unwrap();
        let status = statuses.lock().unwrap().pop_front().unwrap_or(200);
        StatusCode::from_u16(status).unwrap()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/hook", taken)).await.unwrap();
    });
    (url, received)
}

async fn endpoint(service: &Service, url: &str, events: &[&str]) -> String {
    let body = json!({ "endpoint_url": url, "events": events });
    let request = service.http.post(format!("{}/webhook_endpoints", service.url)).json(&body);
    let (status, made) = answer(request.bearer_auth(CLIENT.1)).await;
    assert_eq!(status, 201);
    made["secret"].as_str().unwrap().to_owned()
}

async fn call(service: &Service, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = service.http.request(method.parse().unwrap(), format!("{}{path}", service.url));
    answer(request.bearer_auth(CLIENT.1).json(&body)).await
}

async fn order(service: &Service, kind: &str) {
    let (status, _) = call(service, "POST", "/_emulator/webhooks", json!({ "kind": kind })).await;
    assert_eq!(status, 204);
}

async fn suspend(service: &Service, state: &str) -> Value {
    let path = "/_emulator/directory_users/directory_user_ada";
    let (status, user) = call(service, "PATCH", path, json!({ "state": state })).await;
    assert_eq!(status, 200);
    user
}

fn is_signed((header, body): &Received, secret: &str) -> bool {
    let (time, tag) = header.split_once(", ").unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let right = hmac::sign(&key, format!("{time}.{body}").as_bytes());
    let right: String = right.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    tag.strip_prefix("v1=") == Some(right.as_str())
}

fn event(received: &Received) -> Value {
    serde_json::from_str(&received.1).unwrap()
}

#[tokio::test]
async fn endpoints_need_the_key_and_a_url() {
    let service = Service::start().await;
    let url = format!("{}/webhook_endpoints", service.url);
    assert_eq!(answer(service.http.get(&url)).await.0, 401);
    let (status, _) =
        call(&service, "POST", "/webhook_endpoints", json!({ "endpoint_url": "x" })).await;
    assert_eq!(status, 422);
    let (status, _) = call(&service, "DELETE", "/webhook_endpoints/we_none", json!({})).await;
    assert_eq!(status, 404);
    let orders = service.http.post(format!("{}/_emulator/webhooks", service.url));
    let misspelt = orders.json(&json!({ "kind": "eat" })).send().await.unwrap();
    assert_eq!(misspelt.status(), 422);
}

#[tokio::test]
async fn an_event_is_signed_and_comes_again_until_it_is_taken() {
    let service = Service::with_directory().await;
    let (url, mut received) = receiver(&[500, 302, 200]).await;
    let secret = endpoint(&service, &url, &["dsync.user.updated"]).await;
    suspend(&service, "suspended").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let came = received.recv().await.unwrap();
        assert!(is_signed(&came, &secret) && !is_signed(&came, "another"), "{came:?}");
        ids.push(event(&came)["id"].clone());
        assert_eq!(event(&came)["data"]["state"], "suspended");
    }
    assert!(ids[0] == ids[1] && ids[1] == ids[2]);
    let (_, list) = service.api("/events?events=dsync.user.updated").await;
    assert_eq!(list["data"][0]["id"], ids[0], "the id is that of the Events API");
    // Only what the endpoint wants.
    call(&service, "DELETE", "/_emulator/directory_users/directory_user_ada", json!({})).await;
    suspend_another(&service).await;
    assert_eq!(event(&received.recv().await.unwrap())["data"]["id"], "directory_user_grace");
}

async fn suspend_another(service: &Service) {
    let path = "/_emulator/directory_users/directory_user_grace";
    assert_eq!(call(service, "PATCH", path, json!({ "state": "inactive" })).await.0, 200);
}

#[tokio::test]
async fn deliveries_are_doubled_forged_late_lost_and_out_of_order_on_request() {
    let service = Service::with_directory().await;
    let (url, mut received) = receiver(&[]).await;
    let secret = endpoint(&service, &url, &[]).await;
    let mut next = async || received.recv().await.unwrap();
    order(&service, "duplicate").await;
    suspend(&service, "suspended").await;
    let (first, second) = (next().await, next().await);
    assert_eq!(event(&first)["id"], event(&second)["id"]);
    order(&service, "forge").await;
    suspend(&service, "active").await;
    assert!(!is_signed(&next().await, &secret));
    order(&service, "stale").await;
    suspend(&service, "inactive").await;
    let stale = next().await;
    let millis: u128 = stale.0["t=".len()..].split(',').next().unwrap().parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!(is_signed(&stale, &secret) && now.as_millis() - millis > 800_000);
    order(&service, "drop").await;
    order(&service, "reorder").await;
    for state in ["active", "suspended", "inactive"] {
        suspend(&service, state).await;
    }
    let states = [next().await, next().await].map(|it| event(&it)["data"]["state"].clone());
    assert_eq!(states, ["inactive", "suspended"]);
}
