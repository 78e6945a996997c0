//! What the tab tells: the truth, when it is one, with scripts and without.

use serde_json::json;

use crate::support::{Browser, Device, SCHEME, Service, ada, parameter};

#[tokio::test]
async fn the_tab_says_signed_in_only_after_the_app_has() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let callback = browser.come_back(&service, &pushed).await;
    let handoff = format!("{}/handoff/{}", service.url, parameter(&callback, "handoff"));
    let status = format!("{handoff}/status");
    let look = |browser: &mut Browser| {
        let request = browser.http.get(&status).header("accept", "application/json");
        let mut browser = Browser { http: browser.http.clone(), cookies: browser.cookies.clone() };
        async move { browser.send(request).await.json() }
    };
    assert_eq!(look(&mut browser).await, json!({ "status": "minted" }));
    device.redeem(&service, &parameter(&callback, "code"), &pushed.verifier).await;
    assert_eq!(look(&mut browser).await, json!({ "status": "redeemed" }));
    assert!(browser.get(&handoff).await.body.contains("<title>Finishing"));
    let frame = browser.get(&status).await;
    assert!(frame.header("refresh").ends_with("/status?asked=1"));
    assert!(frame.header("content-security-policy").contains("frame-ancestors 'self'"));
    device.attempt(&service, "POST", &pushed.attempt, Some(json!({ "outcome": "stored" }))).await;
    assert_eq!(look(&mut browser).await, json!({ "status": "stored", "email": "ada@acme.test" }));
    let page = browser.get(&handoff).await;
    assert!(
        page.body.contains("<title>Signed in") && page.body.contains("Signed in as ada@acme.test")
    );
    assert_eq!(browser.get(&status).await.header("refresh"), "");
}

#[tokio::test]
async fn the_tab_tells_the_apps_own_problem() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let callback = browser.come_back(&service, &pushed).await;
    let handoff = format!("{}/handoff/{}", service.url, parameter(&callback, "handoff"));
    let said = json!({ "outcome": "failed", "code": "keychain_locked" });
    assert_eq!(device.attempt(&service, "POST", &pushed.attempt, Some(said)).await.status, 204);
    assert_eq!(browser.get(&handoff).await.problem(), "keychain_locked");
}

#[tokio::test]
async fn a_client_that_pushes_no_attempt_is_sent_back_to_its_app() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[("attempt", "")]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    let page = browser.get(&handoff).await;
    assert!(!page.body.contains("class=\"number\""), "nothing to compare it with");
    browser.press(&handoff, "continue").await;
    let go = browser.get(&format!("{handoff}/go")).await;
    let code = parameter(go.header("refresh"), "code");
    assert_eq!(device.redeem(&service, &code, &pushed.verifier).await.status, 200);
    assert!(browser.get(&handoff).await.body.contains("You can go back to your app"));
}

#[tokio::test]
async fn without_scripts_the_tab_follows_too() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    browser.press(&handoff, "continue").await;
    let go = browser.get(&format!("{handoff}/go")).await;
    let path = handoff.replace(&service.url, "");
    assert!(go.body.contains(&format!("<noscript><iframe src=\"{path}/status\"")));
    let again = "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>";
    assert!(!go.body.contains(again), "it would be cancelled by the hand-over");
    assert!(browser.get(&handoff).await.body.contains(again));
    for (asked, late) in [(4, false), (5, true)] {
        let frame = browser.get(&format!("{handoff}/status?asked={asked}")).await;
        assert_eq!(frame.body.contains("takes longer than usual"), late, "{asked}");
    }
    device.redeem(&service, &parameter(go.header("refresh"), "code"), &pushed.verifier).await;
    device.attempt(&service, "POST", &pushed.attempt, Some(json!({ "outcome": "memory" }))).await;
    let frame = browser.get(&format!("{handoff}/status")).await;
    assert!(frame.body.contains("Signed in as ada@acme.test, until Keyport is closed"));
    assert!(
        !browser.get(&handoff).await.body.contains(again),
        "the truth does not change any more"
    );
}

#[tokio::test]
async fn a_page_that_waited_too_long_says_so_and_leads_nowhere_else() {
    let (service, device) = (Service::start().await, Device::new());
    let mut open = Vec::new();
    for known in [false, true] {
        let pushed = device.push(&service, &[]).await;
        let mut browser = Browser::new();
        let handoff = browser.arrive(&service, &pushed, "x").await;
        assert_eq!(browser.get(&handoff).await.status, if known { 303 } else { 200 });
        open.push((browser, handoff, pushed.attempt));
        device.sign_in(&service).await;
    }
    service.wait(600);
    for (mut browser, handoff, attempt) in open {
        assert_eq!(browser.get(&handoff).await.problem(), "link_expired");
        browser.press(&handoff, "continue").await;
        let go = browser.get(&format!("{handoff}/go")).await;
        assert_eq!((go.status, go.header("refresh")), (303, ""));
        assert_eq!(browser.get(&handoff).await.problem(), "link_expired", "no circle");
        let told = device.attempt_state(&service, &attempt).await;
        assert_eq!(told, json!({ "state": "failed", "problem": "link_expired" }));
    }
}

#[tokio::test]
async fn a_second_tab_of_another_person_is_not_signed_in() {
    let (service, device) = (Service::start().await, Device::new());
    let deep = device.push(&service, &[("redirect_uri", SCHEME)]).await;
    let loopback = device.push(&service, &[("attempt", &deep.attempt)]).await;
    service.provider.profiles.lock().unwrap().insert("grace".into(), {
        let mut grace = ada();
        grace["idp_id"] = "grace-1".into();
        grace["email"] = "grace@acme.test".into();
        grace
    });
    let mut browser = Browser::new();
    let other_tab = browser.arrive(&service, &deep, "grace").await;
    let callback = browser.come_back(&service, &loopback).await;
    device.redeem(&service, &parameter(&callback, "code"), &loopback.verifier).await;
    let stored = Some(json!({ "outcome": "stored" }));
    device.attempt(&service, "POST", &deep.attempt, stored).await;
    let page = browser.get(&other_tab).await;
    assert_eq!(page.problem(), "already_used");
    assert!(!page.body.contains("Signed in as"));
    let handoff = format!("{}/handoff/{}", service.url, parameter(&callback, "handoff"));
    assert!(browser.get(&handoff).await.body.contains("Signed in as ada@acme.test"));
}
