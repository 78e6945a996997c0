//! The provider's answer: state and browser first, one exchange per upstream authorization, what
//! was asked for or nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use crate::support::{API_KEY, Browser, Device, Service, parameter, s256};

#[tokio::test]
async fn a_code_without_a_state_of_ours_is_never_redeemed() {
    let service = Service::start().await;
    let mut browser = Browser::new();
    let elsewhere = Service::start().await;
    let foreign = browser.authorize(&elsewhere, &Device::new().push(&elsewhere, &[]).await).await;
    let foreign = parameter(foreign.as_str(), "state");
    for query in [
        "code=x".to_owned(),
        "code=x&state=".to_owned(),
        "code=x&state=guess".to_owned(),
        format!("code=x&state={foreign}"),
        "error=idp_initiated_sso_disabled&connection_id=conn_acme&organization_id=org_acme"
            .to_owned(),
        "connection_id=conn_acme".to_owned(),
        "error=access_denied&error_description=Call%20zzyzx".to_owned(),
        String::new(),
    ] {
        let answer = browser.get(&format!("{}/callback?{query}", service.url)).await;
        assert_eq!((answer.status, answer.problem()), (400, "started_elsewhere"), "{query}");
        assert!(
            answer.body.contains("href=\"dev.keyport.desktop.dev:/open\""),
            "a way to start in the app"
        );
        assert!(!answer.body.contains("zzyzx"));
    }
    assert_eq!(service.exchanges(), 0);
}

#[tokio::test]
async fn refuses_a_callback_from_another_browser_and_keeps_its_code() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let (mut attacker, mut victim, mut forged) = (Browser::new(), Browser::new(), Browser::new());
    let provider = attacker.authorize(&service, &pushed).await;
    victim.authorize(&service, &pushed).await;
    for browser in [&mut victim, &mut forged] {
        let answer = browser.callback(&service, &provider, "code-of-the-victim").await;
        assert_eq!((answer.status, answer.problem()), (400, "wrong_browser"));
    }
    forged.cookies = attacker.cookies.clone();
    forged.cookies.insert("keyport-browser".to_owned(), "short".to_owned());
    assert_eq!(forged.callback(&service, &provider, "x").await.problem(), "wrong_browser");
    assert_eq!(service.exchanges(), 0);
    assert_eq!(device.attempt_state(&service, &pushed.attempt).await["state"], "waiting");
    assert_eq!(attacker.callback(&service, &provider, "code-of-the-attacker").await.status, 303);
}

#[tokio::test]
async fn the_state_is_checked_before_code_and_error() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let state = parameter(browser.authorize(&service, &pushed).await.as_str(), "state");
    for query in [
        format!("code=x&error=access_denied&state={state}"),
        format!("code=x&code=y&state={state}"),
        format!("code=x&state={state}&state={state}"),
        format!("state={state}"),
    ] {
        assert_eq!(
            browser.get(&format!("{}/callback?{query}", service.url)).await.status,
            403,
            "{query}"
        );
    }
    let ahead = browser
        .http
        .get(format!("{}/callback?code=x&state={state}", service.url))
        .header("sec-purpose", "prefetch");
    assert_eq!(browser.send(ahead).await.status, 403);
    assert_eq!(service.exchanges(), 0);
    assert_eq!(
        browser.get(&format!("{}/callback?code=x&state={state}", service.url)).await.status,
        303
    );
}

#[tokio::test]
async fn the_exchange_sends_verifier_and_leaves_no_code_in_the_address() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    let answer = browser.callback(&service, &provider, "upstream-code").await;
    let handoff = answer.header("location");
    assert!(
        handoff.starts_with("/handoff/") && handoff.len() == "/handoff/".len() + 32,
        "{handoff}"
    );
    let bodies = service.provider.bodies.lock().unwrap();
    let body = &bodies[0];
    assert_eq!(body["code"], "upstream-code");
    assert_eq!(body["client_secret"], API_KEY);
    assert_eq!(body["client_id"], "client_1");
    assert_eq!(
        s256(body["code_verifier"].as_str().unwrap()),
        parameter(provider.as_str(), "code_challenge")
    );
}

#[tokio::test]
async fn sixty_four_callbacks_at_once_make_one_upstream_call() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    let url =
        format!("{}/callback?code=x&state={}", service.url, parameter(provider.as_str(), "state"));
    let cookie = browser.cookie_header();
    let calls = (0..64).map(|_| browser.http.get(&url).header("cookie", &cookie).send());
    let answers = join_all(calls).await;
    let mut led_on = 0;
    for answer in answers {
        let answer = answer.unwrap();
        let location = answer.headers()["location"].to_str().unwrap();
        // The others are told nothing: another program may have brought them.
        assert!(location.starts_with("/handoff/") || location.contains("/already_used/"));
        led_on += usize::from(location.starts_with("/handoff/"));
    }
    assert_eq!((led_on, service.exchanges()), (1, 1));
}

#[tokio::test]
async fn the_first_fulfilled_authorization_wins_others_are_used() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let (mut one, mut other) = (Browser::new(), Browser::new());
    let (tab, late_tab) =
        (one.authorize(&service, &pushed).await, one.authorize(&service, &pushed).await);
    let elsewhere = other.authorize(&service, &pushed).await;
    assert_eq!(one.callback(&service, &tab, "a").await.status, 303);
    let late = one.callback(&service, &late_tab, "b").await;
    assert_eq!((late.status, late.problem(), late.header("location")), (400, "already_used", ""));
    let answer = other.callback(&service, &elsewhere, "c").await;
    assert_eq!((answer.status, answer.problem()), (400, "already_used"));
    assert_eq!(service.exchanges(), 1);
}

#[tokio::test]
async fn a_browser_that_hangs_up_does_not_stop_the_exchange() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    let hold = Arc::new(Semaphore::new(0));
    *service.provider.hold.lock().unwrap() = Some(Arc::clone(&hold));
    let url =
        format!("{}/callback?code=x&state={}", service.url, parameter(provider.as_str(), "state"));
    let cookie = browser.cookie_header();
    let call = tokio::spawn(browser.http.get(&url).header("cookie", cookie).send());
    while service.exchanges() == 0 {
        tokio::task::yield_now().await;
    }
    call.abort();
    hold.add_permits(1);
    let confirm = async {
        loop {
            let state = device.attempt_state(&service, &pushed.attempt).await;
            if state["state"] == "confirm" {
                break;
            }
            assert_eq!(state["state"], "waiting");
        }
    };
    tokio::time::timeout(Duration::from_secs(30), confirm).await.expect("the exchange goes on");
    assert_eq!(service.exchanges(), 1);
}

#[tokio::test]
async fn a_state_that_is_too_old_is_not_redeemed() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    service.wait(600);
    assert_eq!(browser.callback(&service, &provider, "x").await.problem(), "link_expired");
    assert_eq!(service.exchanges(), 0);
}
