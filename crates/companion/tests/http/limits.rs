//! What every answer has in common, and what is too much.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::support::{Answer, Browser, Device, Service, parameter};

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_it_private() {
    let service = Service::start().await;
    for path in [
        "/",
        "/nowhere",
        "/health",
        "/ready",
        "/oauth/authorize",
        "/callback",
        "/handoff/x",
        "/oauth/par",
    ] {
        let answer = Browser::new().get(&format!("{}{path}", service.url)).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(answer.header("x-request-id").starts_with("req_"));
    }
}

#[tokio::test]
async fn a_page_allows_its_own_script_and_nothing_else() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    let (one, two) = (browser.get(&handoff).await, browser.get(&handoff).await);
    let policy = one.header("content-security-policy");
    assert_ne!(policy, two.header("content-security-policy"), "a nonce is for one page");
    assert!(policy.contains("form-action 'self'") && policy.contains("base-uri 'none'"));
    assert!(!policy.contains("unsafe"));
    assert!(!one.body.contains("http://") && !one.body.contains("https://"), "nothing external");
}

#[tokio::test]
async fn an_unknown_address_is_a_page_or_json_by_accept_header() {
    let service = Service::start().await;
    let url = format!("{}/nowhere", service.url);
    let page = Browser::new().get(&url).await;
    assert_eq!(page.status, 404);
    assert!(page.body.contains("<title>Nothing here · Keyport</title>"));
    let json = Answer::of(reqwest::get(&url).await.unwrap()).await;
    assert_eq!((json.status, json.error().1.as_str()), (404, "invalid_request"));
}

#[tokio::test]
async fn a_body_beyond_8_kib_is_not_read() {
    let (service, device) = (Service::start().await, Device::new());
    let big = "x".repeat(9_000);
    let answer = device.post(&service, "/oauth/token", &[("code", &big)]).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["error"], "invalid_request");
    assert_ne!(answer.header("dpop-nonce"), "", "every answer here carries one");
}

#[tokio::test]
async fn no_endpoint_reads_a_body_beyond_8_kib() {
    let service = Service::start().await;
    let http = reqwest::Client::new();
    let big = [("csrf_token", "x".repeat(9_000))];
    let mut read = Vec::new();
    for path in ["/oauth/par", "/oauth/token", "/oauth/revoke", "/oauth/attempt/x", "/handoff/x"] {
        let request = http.post(format!("{}{path}", service.url)).form(&big);
        let status = request.send().await.unwrap().status();
        if status != 413 {
            read.push((path, status));
        }
    }
    assert_eq!(read, []);
}

#[tokio::test]
async fn a_method_that_is_not_allowed_is_told_which_are() {
    let service = Service::start().await;
    let http = reqwest::Client::new();
    for (method, path, allowed) in [
        ("OPTIONS", "/oauth/token", "POST"),
        ("GET", "/oauth/par", "POST"),
        ("PUT", "/oauth/authorize", "GET,HEAD"),
        ("HEAD", "/callback", "GET"),
    ] {
        let request = http.request(method.parse().unwrap(), format!("{}{path}", service.url));
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.header("allow")), (405, allowed), "{method} {path}");
    }
}

#[tokio::test]
async fn no_other_origin_is_ever_allowed() {
    let service = Service::start().await;
    let http = reqwest::Client::new();
    for path in
        ["/oauth/token", "/oauth/par", "/oauth/userinfo", "/.well-known/oauth-authorization-server"]
    {
        let preflight = http
            .request(reqwest::Method::OPTIONS, format!("{}{path}", service.url))
            .header("origin", "https://evil.test")
            .header("access-control-request-method", "POST");
        let answer = preflight.send().await.unwrap();
        assert!(answer.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
        let plain = http
            .get(format!("{}{path}", service.url))
            .header("origin", "https://evil.test")
            .send()
            .await
            .unwrap();
        assert!(plain.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
    }
}

#[tokio::test]
async fn the_metadata_names_the_issuer_and_every_endpoint_below_it() {
    let service = Service::start().await;
    let url = format!("{}/.well-known/oauth-authorization-server", service.url);
    let metadata = Answer::of(reqwest::get(&url).await.unwrap()).await.json();
    assert_eq!(metadata["issuer"], service.url);
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "pushed_authorization_request_endpoint",
        "revocation_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "keyport_attempt_endpoint",
        "keyport_sessions_endpoint",
    ] {
        assert!(
            metadata[name].as_str().unwrap().starts_with(&format!("{}/", service.url)),
            "{name}"
        );
    }
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    for name in ["token", "revocation"] {
        let methods = &metadata[format!("{name}_endpoint_auth_methods_supported")];
        assert_eq!(*methods, serde_json::json!(["none"]));
    }
    assert_eq!(metadata["dpop_signing_alg_values_supported"], serde_json::json!(["ES256"]));
    let jwks = Answer::of(reqwest::get(metadata["jwks_uri"].as_str().unwrap()).await.unwrap())
        .await
        .json();
    assert_eq!(jwks["keys"][0]["d"], serde_json::Value::Null);
}

#[tokio::test]
async fn a_head_request_uses_nothing_up() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    browser.press(&handoff, "continue").await;
    for address in
        [format!("{handoff}/go"), handoff.clone(), format!("{}/callback?code=x", service.url)]
    {
        let head = browser.http.head(address);
        assert_eq!(browser.send(head).await.status, 405);
    }
    assert!(browser.get(&format!("{handoff}/go")).await.header("refresh").contains("code="));
}

#[tokio::test]
async fn told_to_stop_it_ends_what_it_began_and_takes_nothing_new() {
    let (mut service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    let hold = Arc::new(Semaphore::new(0));
    *service.provider.hold.lock().unwrap() = Some(Arc::clone(&hold));
    let address =
        format!("{}/callback?code=x&state={}", service.url, parameter(provider.as_str(), "state"));
    let call = tokio::spawn(async move { browser.get(&address).await.status });
    while service.exchanges() == 0 {
        tokio::task::yield_now().await;
    }
    service.stop.take().unwrap().send(()).unwrap();
    while reqwest::get(format!("{}/health", service.url)).await.is_ok() {
        tokio::task::yield_now().await;
    }
    hold.add_permits(1);
    assert_eq!(call.await.unwrap(), 303);
    service.ended.await.unwrap();
}
