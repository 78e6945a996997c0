//! People who leave: the provider's events as webhooks and read from its list, the forged ones
//! first. Bodies and signatures are made here from the description of WorkOS.

use std::time::Duration;

use aws_lc_rs::hmac;
use keyport_companion::domain::{FeedHolder, SecretText, SystemRandom};
use keyport_companion::webhooks::{FeedError, FeedRead, read_events};
use serde_json::{Value, json};

use crate::introspect::{introspected, with_api};
use crate::support::{Answer, Browser, Device, NOON, Service};

const SECRET: &str = "whsec_planted_of_this_endpoint";

async fn with_webhooks() -> Service {
    let service = with_api().await;
    service.app.webhook_secrets.replace(vec![SecretText::new(SECRET)]);
    service
}

/// An event about Ada's entry in the directory, `seconds` after noon.
fn event(id: &str, name: &str, seconds: i64, changes: &Value) -> Value {
    let at = |seconds: i64| {
        let (minute, second) = (seconds.div_euclid(60), seconds.rem_euclid(60));
        // 1,800,000,000 s after the epoch.
        format!("2027-01-15T08:{minute:02}:{second:02}.000Z")
    };
    let mut data = json!({
        "object": "directory_user", "id": "directory_user_1", "directory_id": "directory_1",
        "organization_id": "org_acme", "idp_id": "ada-1", "email": "Ada@acme.test",
        "state": "active", "updated_at": at(seconds), "raw_attributes": { "a": "b" },
    });
    for (key, value) in changes.as_object().into_iter().flatten() {
        data[key] = value.clone();
    }
    json!({ "object": "event", "id": id, "event": name, "data": data, "created_at": at(seconds) })
}

fn signature(body: &str, millis: i64, secret: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{millis}.{body}").as_bytes());
    format!("t={millis}, v1={}", base16ct::lower::encode_string(tag.as_ref()))
}

async fn post(service: &Service, body: &str, signature: Option<String>) -> Answer {
    let mut request = Device::new().http.post(format!("{}/webhooks/workos", service.url));
    if let Some(signature) = signature {
        request = request.header("WorkOS-Signature", signature);
    }
    Answer::of(request.body(body.to_owned()).send().await.unwrap()).await
}

/// As the provider does.
async fn deliver(service: &Service, event: &Value) -> u16 {
    let body = event.to_string();
    let now = service.app.now().seconds() * 1000;
    post(service, &body, Some(signature(&body, now, SECRET))).await.status
}

fn deleted(id: &str) -> Value {
    event(id, "dsync.user.deleted", 30, &json!({}))
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap()
}

async fn is_active(service: &Service, session: &Value) -> bool {
    introspected(service, text(session, "access_token")).await["active"] == true
}

/// Grace of Acme signs in on a device of her own.
async fn grace(service: &Service) -> (Device, Value) {
    let mut profile = crate::support::ada();
    profile["idp_id"] = "grace-1".into();
    profile["email"] = "grace@acme.test".into();
    service.provider.profiles.lock().unwrap().insert("of-grace".into(), profile);
    let device = Device::new();
    let pushed = device.push(service, &[]).await;
    let mut browser = Browser::new();
    let page = browser.arrive(service, &pushed, "of-grace").await;
    let callback = browser.come_back_from(&page).await;
    let code = crate::support::parameter(&callback, "code");
    let answer = device.redeem(service, &code, &pushed.verifier).await;
    (device, answer.json())
}

#[tokio::test]
async fn without_a_secret_there_is_no_endpoint() {
    let service = with_api().await;
    assert_eq!(deliver(&service, &deleted("event_1")).await, 404);
}

#[tokio::test]
async fn what_is_forged_late_or_too_large_changes_nothing() {
    let (service, device) = (with_webhooks().await, Device::new());
    let session = device.sign_in(&service).await;
    let (now, body) = (NOON * 1000, deleted("event_1").to_string());
    let good = signature(&body, now, SECRET);
    for (sent, signed) in [
        (&*body, None),
        (&*body, Some(String::new())),
        (&*body, Some(signature(&body, now, "whsec_planted_of_another"))),
        (&*body, Some(signature(&body, now - 181_000, SECRET))),
        (&*body, Some(signature(&body, now + 181_000, SECRET))),
        (&*body, Some(format!("{good}, v1=00"))),
        (&*body, Some(good.replace(", ", ","))),
        (&*body.replace("ada-1", "eve-1"), Some(good.clone())),
    ] {
        let answer = post(&service, sent, signed.clone()).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()), "{signed:?}");
    }
    let twice = Device::new().http.post(format!("{}/webhooks/workos", service.url));
    let twice = twice.header("workos-signature", &good).header("workos-signature", &good);
    assert_eq!(twice.body(body).send().await.unwrap().status(), 400);
    let large = format!("{{\"id\":\"{}\"}}", "x".repeat(64 * 1024));
    assert_eq!(post(&service, &large, Some(signature(&large, now, SECRET))).await.status, 413);
    for odd in ["", "{", "{\"id\":\"event_1\"}"] {
        assert_eq!(post(&service, odd, Some(signature(odd, now, SECRET))).await.status, 400);
    }
    assert!(is_active(&service, &session).await);
    device.refresh(&service, text(&session, "refresh_token")).await.json()["access_token"]
        .as_str()
        .unwrap();
}

#[tokio::test]
async fn a_person_deleted_in_the_directory_is_out_at_once_and_no_other_is() {
    let (service, device) = (with_webhooks().await, Device::new());
    let session = device.sign_in(&service).await;
    let (other_device, other) = grace(&service).await;
    assert!(is_active(&service, &session).await);
    let gone = async {
        assert_eq!(deliver(&service, &deleted("event_1")).await, 200);
        assert!(!is_active(&service, &session).await);
        device.refresh(&service, text(&session, "refresh_token")).await
    };
    let refused = tokio::time::timeout(Duration::from_secs(1), gone).await;
    let refused = refused.unwrap();
    assert_eq!(refused.error(), (400, "invalid_grant".into()));
    assert_eq!(refused.json()["keyport_problem"], "access_ended");
    assert!(is_active(&service, &other).await);
    let refreshed = other_device.refresh(&service, text(&other, "refresh_token")).await;
    assert_eq!(refreshed.status, 200);
}

#[tokio::test]
async fn a_person_who_left_is_told_so_at_the_next_sign_in() {
    let (service, device) = (with_webhooks().await, Device::new());
    let suspended = event("event_1", "dsync.user.updated", 1, &json!({ "state": "suspended" }));
    assert_eq!(deliver(&service, &suspended).await, 200);
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let page = browser.arrive(&service, &pushed, "code-1").await;
    assert_eq!(browser.get(&page).await.problem(), "access_ended");
    let state = device.attempt_state(&service, &pushed.attempt).await;
    assert_eq!(state, json!({ "state": "failed", "problem": "access_ended" }));
    let back = event("event_2", "dsync.user.updated", 2, &json!({}));
    assert_eq!(deliver(&service, &back).await, 200);
    device.sign_in(&service).await;
}

#[tokio::test]
async fn an_event_that_comes_again_or_late_does_no_harm() {
    let (service, device) = (with_webhooks().await, Device::new());
    let gone = event("event_1", "dsync.user.updated", 1, &json!({ "state": "inactive" }));
    assert_eq!(deliver(&service, &gone).await, 200);
    let back = event("event_2", "dsync.user.updated", 2, &json!({}));
    assert_eq!(deliver(&service, &back).await, 200);
    service.wait(10);
    let session = device.sign_in(&service).await;
    assert_eq!(deliver(&service, &gone).await, 200, "again");
    let late = event("event_0", "dsync.user.updated", 0, &json!({ "state": "suspended" }));
    assert_eq!(deliver(&service, &late).await, 200, "late");
    assert!(is_active(&service, &session).await);
}

#[tokio::test]
async fn a_directory_that_was_taken_away_signs_no_one_out() {
    let (service, device) = (with_webhooks().await, Device::new());
    let session = device.sign_in(&service).await;
    for (id, name) in [("event_1", "dsync.deleted"), ("event_2", "dsync.group.created")] {
        assert_eq!(deliver(&service, &event(id, name, 1, &json!({}))).await, 200);
    }
    assert!(is_active(&service, &session).await);
}

#[tokio::test]
async fn both_secrets_count_while_one_takes_the_place_of_the_other() {
    let (service, device) = (with_api().await, Device::new());
    let secrets = ["whsec_planted_the_new_one", SECRET].map(SecretText::new);
    service.app.webhook_secrets.replace(secrets.into());
    let session = device.sign_in(&service).await;
    assert_eq!(deliver(&service, &deleted("event_1")).await, 200);
    assert!(!is_active(&service, &session).await);
}

/// The file is taken away under the service, as in `database_files`.
#[tokio::test]
async fn an_event_that_cannot_be_kept_is_asked_for_again() {
    let (service, device) = (with_webhooks().await, Device::new());
    let session = device.sign_in(&service).await;
    let file = service.folder.path().join("companion.sqlite");
    let aside = service.folder.path().join("aside.sqlite");
    std::fs::rename(&file, &aside).unwrap();
    assert_eq!(deliver(&service, &deleted("event_1")).await, 503);
    std::fs::rename(&aside, &file).unwrap();
    assert!(is_active(&service, &session).await);
    assert_eq!(deliver(&service, &deleted("event_1")).await, 200);
    assert!(!is_active(&service, &session).await);
}

async fn read(service: &Service, holder: FeedHolder) -> Result<FeedRead, FeedError> {
    read_events(&service.app, holder, 0).await
}

#[tokio::test]
async fn what_no_webhook_brought_is_read_from_the_list() {
    let (service, device) = (with_api().await, Device::new());
    let session = device.sign_in(&service).await;
    let holder = FeedHolder::draw(&SystemRandom);
    assert_eq!(read(&service, holder).await, Ok(FeedRead::default()));
    for number in 0..70 {
        let other =
            json!({ "id": format!("directory_user_{number}x"), "idp_id": "x", "email": "x@y.z" });
        let name = format!("event_{number:03}");
        service.provider.events.lock().unwrap().push(event(&name, "dsync.user.created", 1, &other));
    }
    service.provider.events.lock().unwrap().push(deleted("event_100"));
    let other = FeedHolder::draw(&SystemRandom);
    let left = FeedRead { is_left_to_another: true, events: 0 };
    assert_eq!(read(&service, other).await, Ok(left), "one reads at a time");
    assert_eq!(read(&service, holder).await.unwrap().events, 71, "over two pages");
    assert!(!is_active(&service, &session).await);
    assert_eq!(read(&service, holder).await.unwrap().events, 0, "from there on");
    let queries = service.provider.event_queries.lock().unwrap();
    assert!(queries[0].contains_key("range_start") && !queries[0].contains_key("after"));
    assert_eq!(queries.last().unwrap()["after"], "event_100");
    assert!(queries.iter().all(|query| query["order"] == "asc"));
    assert!(queries[0]["events"].split(',').any(|name| name == "dsync.user.deleted"));
}

#[tokio::test]
async fn a_list_that_does_not_know_the_position_is_read_anew() {
    let (service, device) = (with_api().await, Device::new());
    let holder = FeedHolder::draw(&SystemRandom);
    let first = event("event_1", "dsync.user.updated", 1, &json!({}));
    service.provider.events.lock().unwrap().push(first);
    assert_eq!(read(&service, holder).await.unwrap().events, 1);
    let session = device.sign_in(&service).await;
    *service.provider.events.lock().unwrap() = vec![deleted("event_2")];
    assert_eq!(read(&service, holder).await.unwrap().events, 1);
    assert!(!is_active(&service, &session).await);
}

#[tokio::test]
async fn a_provider_that_asks_for_fewer_requests_is_obeyed() {
    let service = with_api().await;
    let answer = json!({ "message": "Too many requests" });
    *service.provider.refuse_with.lock().unwrap() = Some((429, answer));
    *service.provider.retry_after.lock().unwrap() = Some("120");
    let refused = read(&service, FeedHolder::draw(&SystemRandom)).await.unwrap_err();
    let wanted = keyport_companion::upstream::UpstreamError::TooMany { retry_after: 120 };
    assert_eq!(refused, FeedError::Upstream(wanted));
}
