//! The pages as a hostile page meets them: their addresses, their buttons, who may post to them.

use keyport_companion::setup::Setup;
use serde_json::json;

use crate::support::{Browser, Device, Service, authorize_url, parameter};

#[tokio::test]
async fn no_problem_page_keeps_the_providers_code_in_its_address() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    let state = parameter(provider.as_str(), "state");
    let callback = format!("{}/callback", service.url);
    for (query, status, problem) in [
        (format!("code=secret&state={state}"), 400, "wrong_browser"),
        ("code=secret".to_owned(), 400, "started_elsewhere"),
        ("code=secret&state=made-up".to_owned(), 400, "started_elsewhere"),
        (format!("code=secret&error=access_denied&state={state}&state=x"), 403, ""),
    ] {
        let mut other = Browser::new();
        let answer = other.get_without_redirect(&format!("{callback}?{query}")).await;
        let location = answer.header("location");
        assert_eq!(answer.status, 303, "{query}: {}", answer.body);
        assert!(location.starts_with("/problem/") && !location.contains('?'), "{location}");
        let reference = location.rsplit('/').next().unwrap();
        assert_eq!(reference, answer.header("x-request-id"), "the request that is in the log");
        let page = other.get(&format!("{}{location}", service.url)).await;
        assert_eq!(page.status, status, "{query}");
        if !problem.is_empty() {
            assert_eq!(page.problem(), problem);
            assert!(page.body.contains(reference), "{}", page.body);
        }
    }
}

#[tokio::test]
async fn a_problem_address_can_name_nothing_that_is_not_ours() {
    let service = Service::start().await;
    for path in [
        "/problem/made_up/req_0123456789abcdef",
        "/problem/timed_out/call-this-number",
        "/problem/timed_out/req_0123456789abcdeX",
        "/problem/timed_out",
    ] {
        let page = Browser::new().get(&format!("{}{path}", service.url)).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(!page.body.contains("call-this-number"));
    }
}

/// The styles hold for a browser without scripts; the script begins the rest again when a hidden
/// page comes to the front. Both need the page's nonce, which the policy names.
#[tokio::test]
async fn the_buttons_rest_before_they_can_be_pressed() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    let page = browser.get(&handoff).await;
    assert!(page.body.contains("name=\"continue\""), "{}", page.body);
    assert!(page.body.contains("form button{animation:rest .7s}"));
    assert!(page.body.contains("@keyframes rest{from,to{pointer-events:none"));
    let (_, script) = page.body.split_once("<script nonce=\"").unwrap();
    let (nonce, script) = script.split_once("\">").unwrap();
    assert!(script.contains("visibilitychange"), "{script}");
    let policy = page.header("content-security-policy");
    assert!(policy.contains(&format!("script-src 'nonce-{nonce}'")), "{policy}");
}

#[tokio::test]
async fn a_foreign_origin_may_not_press_a_button() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    let token = browser.get(&handoff).await.hidden("csrf_token").unwrap();
    let form = [("not_me", "1"), ("csrf_token", &*token)];
    for origin in ["https://evil.test", "http://127.0.0.1:1"] {
        let post = browser.http.post(&handoff).header("origin", origin);
        let answer = browser.send(post.form(&form)).await;
        assert_eq!(answer.status, 403, "{origin}");
    }
    let post = browser.http.post(&handoff).header("origin", "null");
    assert_eq!(browser.send(post.form(&form)).await.status, 303);
}

#[tokio::test]
async fn prompt_is_refused_and_not_ignored() {
    let (service, device) = (Service::start().await, Device::new());
    for prompt in ["login", "none", "select_account", "made-up"] {
        let (answer, _) = device.try_push(&service, &[("prompt", prompt)]).await;
        assert_eq!(answer.error(), (400, "invalid_request".to_owned()), "{prompt}");
        let description = answer.json()["error_description"].as_str().unwrap().to_owned();
        assert!(description.contains("prompt"), "{description}");
    }
}

#[tokio::test]
async fn a_wrong_setup_refuses_new_sign_ins_and_keeps_sessions() {
    let (service, device) = (Service::start().await, Device::new());
    let session = device.sign_in(&service).await;
    let pushed = device.push(&service, &[]).await;
    service.app.setup.publish(Setup::Wrong("wrong WORKOS_API_KEY".into()));
    let refusal = (401, json!({ "message": "Unauthorized" }));
    *service.provider.refuse_with.lock().unwrap() = Some(refusal);
    let (refused, _) = device.try_push(&service, &[]).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["keyport_problem"], "setup_wrong");
    let page = Browser::new().get(&authorize_url(&service, &pushed)).await;
    assert_eq!((page.status, page.problem()), (503, "setup_wrong"));
    let ready = Browser::new().get(&format!("{}/ready", service.url)).await;
    assert_eq!(ready.status, 200, "sessions go on");
    let mut refresh_token = session["refresh_token"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        let refreshed = device.refresh(&service, &refresh_token).await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.body);
        let access_token = refreshed.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(device.userinfo(&service, &access_token).await.status, 200);
        refreshed.json()["refresh_token"].as_str().unwrap().clone_into(&mut refresh_token);
    }
    assert_eq!(ready.json()["setup"], "setup_wrong");
    assert!(ready.json()["detail"].as_str().unwrap().contains("WORKOS_API_KEY"));

    service.app.setup.publish(Setup::Right);
    *service.provider.refuse_with.lock().unwrap() = None;
    device.push(&service, &[]).await;
    let ready = Browser::new().get(&format!("{}/ready", service.url)).await;
    assert_eq!(ready.json()["setup"], "accepted");
}
