//! Introspection (RFC 7662): who may ask, and that the answer is of this moment.

use keyport_companion::clients::ResourceServer;
use keyport_companion::domain::{EndedBecause, SessionSelector};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Answer, Device, Service};

const SECRET: &str = "a-random-credential-of-the-files-api";

/// A service that knows one API.
pub async fn with_api() -> Service {
    let service = Service::start().await;
    let audience = service.url.clone();
    let secret_hash = Sha256::digest(SECRET).into();
    let record = ResourceServer { id: "files".into(), audience, secret_hash };
    service.app.resource_servers.replace(vec![record]);
    service
}

fn post(service: &Service) -> reqwest::RequestBuilder {
    Device::new().http.post(format!("{}/oauth/introspect", service.url))
}

/// What the API learns of a token.
pub async fn introspected(service: &Service, token: &str) -> Value {
    let request = post(service).basic_auth("files", Some(SECRET)).form(&[("token", token)]);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    answer.json()
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap()
}

#[tokio::test]
async fn without_the_right_credential_nothing_is_said() {
    let (service, device) = (with_api().await, Device::new());
    let session = device.sign_in(&service).await;
    let form = [("token", text(&session, "access_token"))];
    let wrong = |id: &str, secret: &str| post(&service).basic_auth(id, Some(secret)).form(&form);
    for request in [
        post(&service).form(&form),
        wrong("files", ""),
        wrong("files", &SECRET[1..]),
        wrong("files", &format!("{SECRET} ")),
        wrong("Files", SECRET),
        wrong("", SECRET),
        wrong("files", &base16ct::lower::encode_string(&Sha256::digest(SECRET))),
        post(&service).bearer_auth(text(&session, "access_token")).form(&form),
        post(&service).header("authorization", "Basic !").form(&form),
        post(&service).form(&[form[0], ("client_id", "files"), ("client_secret", SECRET)]),
        wrong("files", SECRET).header("authorization", "Basic eA=="),
    ] {
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.error(), (401, "invalid_client".into()), "{}", answer.body);
        assert!(answer.header("www-authenticate").starts_with("Basic "));
        assert_eq!(answer.json().get("active"), None);
    }
    service.app.resource_servers.replace(Vec::new());
    let answer = Answer::of(wrong("files", SECRET).send().await.unwrap()).await;
    assert_eq!(answer.status, 401, "no record, no caller");
}

#[tokio::test]
async fn what_is_no_living_access_token_is_inactive_and_no_more_is_said() {
    let (service, device) = (with_api().await, Device::new());
    let session = device.sign_in(&service).await;
    let access = text(&session, "access_token").to_owned();
    let foreign = Device::new().sign_in(&Service::start().await).await;
    let inactive = json!({ "active": false });
    for token in [
        "x",
        text(&session, "refresh_token"),
        text(&foreign, "access_token"),
        &access[..access.len() - 2],
    ] {
        assert_eq!(introspected(&service, token).await, inactive, "{token}");
    }
    service.wait(300);
    assert_eq!(introspected(&service, &access).await, inactive, "expired");
    let request = post(&service).basic_auth("files", Some(SECRET)).form(&[("x", "y")]);
    assert_eq!(Answer::of(request.send().await.unwrap()).await.status, 400, "no token");
}

#[tokio::test]
async fn a_living_token_is_told_with_the_claims_that_it_has() {
    let (service, device) = (with_api().await, Device::new());
    let session = device.sign_in(&service).await;
    let told = introspected(&service, text(&session, "access_token")).await;
    assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("DPoP")));
    assert_eq!((text(&told, "iss"), text(&told, "aud")), (&*service.url, &*service.url));
    assert_eq!(told["cnf"]["jkt"], device.thumbprint());
    assert_eq!(told["sub"], session["keyport_account"]["sub"]);
    assert_eq!((text(&told, "org_id"), text(&told, "client_id")), ("org_acme", "keyport-desktop"));
    assert_eq!(told["scope"], session["scope"]);
    assert!(told["exp"].as_i64() > told["iat"].as_i64() && told["sid"].is_string());
}

#[tokio::test]
async fn an_ended_session_is_inactive_at_once() {
    let (service, device) = (with_api().await, Device::new());
    let other = Device::new().sign_in(&service).await;
    let session = device.sign_in(&service).await;
    let sid = introspected(&service, text(&session, "access_token")).await["sid"].clone();
    let selector = SessionSelector::Session(text(&json!({ "sid": sid }), "sid").parse().unwrap());
    let because = EndedBecause::RevokedByOperator;
    service.app.storage.end_sessions(selector, because, service.app.now()).await.unwrap();
    let ended = introspected(&service, text(&session, "access_token")).await;
    assert_eq!(ended, json!({ "active": false }));
    assert_eq!(introspected(&service, text(&other, "access_token")).await["active"], true);
}

#[tokio::test]
async fn the_metadata_names_the_endpoint_where_an_api_is_known() {
    let service = with_api().await;
    let metadata = format!("{}/.well-known/oauth-authorization-server", service.url);
    let read = async || reqwest::get(&metadata).await.unwrap().json::<Value>().await.unwrap();
    let named = read().await;
    let expected = format!("{}/oauth/introspect", service.url);
    assert_eq!(named["introspection_endpoint"], expected);
    let methods = &named["introspection_endpoint_auth_methods_supported"];
    assert_eq!(*methods, json!(["client_secret_basic"]));
    service.app.resource_servers.replace(Vec::new());
    assert_eq!(read().await.get("introspection_endpoint"), None);
}
