//! From the provider's answer back to the app.

use serde_json::json;

use crate::support::{Browser, Device, SCHEME, Service, ada, parameter};

#[tokio::test]
async fn a_new_device_is_confirmed_with_a_number_of_the_app() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    assert_eq!(
        device.attempt_state(&service, &pushed.attempt).await,
        json!({ "state": "waiting" })
    );
    let handoff = browser.arrive(&service, &pushed, "x").await;
    let page = browser.get(&handoff).await;
    let told = device.attempt_state(&service, &pushed.attempt).await;
    assert_eq!(told["state"], "confirm");
    let number = told["number"].as_str().unwrap();
    assert!((10..=99).contains(&number.parse::<u8>().unwrap()));
    assert!(page.body.contains(&format!("<p class=\"number\">{number}</p>")), "{}", page.body);
    assert!(page.body.contains("Ada's laptop") && page.body.contains("ada@acme.test"));
    let early = browser.get(&format!("{handoff}/go")).await;
    assert_eq!((early.status, early.header("refresh")), (303, ""), "no way on without Continue");
    let pressed = browser.press(&handoff, "continue").await;
    assert_eq!(pressed.status, 303);
    assert!(pressed.header("location").ends_with("/go"));
}

#[tokio::test]
async fn the_way_back_is_shown_once_with_a_link_and_a_refresh() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[("redirect_uri", SCHEME)]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    let token = browser.get(&handoff).await.hidden("csrf_token").unwrap_or_default();
    browser.press_with(&handoff, "continue", &token).await;
    let go = browser.get(&format!("{handoff}/go")).await;
    let target = go.header("refresh").strip_prefix("0; url=").unwrap();
    assert!(target.starts_with("dev.keyport.desktop:/callback?code="), "{target}");
    assert_eq!(parameter(target, "state"), pushed.state);
    assert_eq!(parameter(target, "iss"), service.url);
    assert!(!target.contains("handoff="));
    assert!(go.body.contains(&format!("href=\"{}\"", target.replace('&', "&amp;"))));
    assert_eq!(
        (go.header("cache-control"), go.header("referrer-policy")),
        ("no-store", "no-referrer")
    );
    for again in [format!("{handoff}/go"), handoff.clone()] {
        let answer = browser.get(&again).await;
        assert_eq!(answer.header("refresh"), "");
        assert!(!answer.body.contains("code="));
    }
    assert_eq!(
        browser.press_with(&handoff, "continue", &token).await.header("location"),
        handoff.replace(&service.url, "")
    );
}

#[tokio::test]
async fn a_loopback_listener_is_told_the_way_to_the_truthful_page() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let callback = browser.come_back(&service, &pushed).await;
    let grant = parameter(&callback, "handoff");
    assert_eq!(browser.get(&format!("{}/handoff/{grant}", service.url)).await.status, 200);
}

#[tokio::test]
async fn a_device_that_this_person_knows_goes_straight_on() {
    let (service, device) = (Service::start().await, Device::new());
    device.sign_in(&service).await;
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    let answer = browser.get(&handoff).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, format!("{handoff}/go").replace(&service.url, "").as_str())
    );
    let told = device.attempt_state(&service, &pushed.attempt).await;
    assert_eq!(told, json!({ "state": "waiting" }), "no number: the page shows none");
    assert!(browser.get(&format!("{handoff}/go")).await.header("refresh").contains("code="));
    let of_grace = device.push(&service, &[]).await;
    service.provider.profiles.lock().unwrap().insert("grace".into(), {
        let mut grace = ada();
        grace["idp_id"] = "grace-1".into();
        grace["email"] = "grace@acme.test".into();
        grace
    });
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &of_grace, "grace").await;
    assert_eq!(browser.get(&handoff).await.status, 200, "known to Ada is not known to Grace");
}

#[tokio::test]
async fn this_was_not_me_ends_it_for_page_and_app() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    let token = browser.get(&handoff).await.hidden("csrf_token").unwrap_or_default();
    assert_eq!(browser.press_with(&handoff, "not_me", &token).await.status, 303);
    assert_eq!(browser.get(&handoff).await.problem(), "not_me");
    assert_eq!(browser.press_with(&handoff, "continue", &token).await.status, 303);
    assert_eq!(browser.get(&format!("{handoff}/go")).await.header("refresh"), "");
    let told = device.attempt_state(&service, &pushed.attempt).await;
    assert_eq!(told, json!({ "state": "cancelled", "problem": "not_me" }));
}

#[tokio::test]
async fn another_browser_neither_sees_nor_answers_the_page() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    let mut other = Browser::new();
    other.authorize(&service, &pushed).await;
    let made_up = format!("{}/handoff/{}", service.url, "0".repeat(32));
    for foreign in [&mut other, &mut Browser::new()] {
        for page in
            [handoff.clone(), format!("{handoff}/go"), format!("{handoff}/status"), made_up.clone()]
        {
            let answer = foreign.get(&page).await;
            assert_eq!((answer.status, answer.problem()), (400, "wrong_browser"), "{page}");
        }
        assert_eq!(foreign.press(&handoff, "continue").await.problem(), "wrong_browser");
    }
    for site in ["cross-site", "same-site", "none"] {
        let post =
            browser.http.post(&handoff).header("sec-fetch-site", site).form(&[("continue", "1")]);
        assert_eq!(browser.send(post).await.status, 403, "{site}");
    }
    assert_eq!(browser.get(&format!("{}/handoff/x", service.url)).await.status, 404);
    assert_eq!(device.attempt_state(&service, &pushed.attempt).await["state"], "confirm");
}

#[tokio::test]
async fn fetching_ahead_does_not_use_the_way_back_up() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    browser.press(&handoff, "continue").await;
    let ahead =
        browser.http.get(format!("{handoff}/go")).header("sec-purpose", "prefetch;prerender");
    assert_eq!(browser.send(ahead).await.status, 403);
    assert!(browser.get(&format!("{handoff}/go")).await.header("refresh").contains("code="));
}

#[tokio::test]
async fn what_a_device_says_of_itself_is_text_and_short() {
    let (service, device) = (Service::start().await, Device::new());
    let name = format!(
        "<script>alert(1)</script>\"'&\u{202e}\u{2028}\u{e0041}\u{ad}\n{}",
        "x".repeat(100)
    );
    let pushed = device.push(&service, &[("device_name", &name)]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    let page = browser.get(&handoff).await;
    assert!(!page.body.contains("<script>alert"));
    assert!(
        page.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp; xxx"),
        "{}",
        page.body
    );
    assert!(!page.body.contains(['\u{202e}', '\u{2028}', '\u{e0041}', '\u{ad}']));
    assert!(!page.body.contains(&"x".repeat(60)));
}

#[tokio::test]
async fn a_code_that_was_not_fetched_in_time_is_said_to_be_too_old() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let callback = browser.come_back(&service, &pushed).await;
    let handoff = format!("{}/handoff/{}", service.url, parameter(&callback, "handoff"));
    service.wait(60);
    assert_eq!(browser.get(&handoff).await.problem(), "link_expired");
    let answer = device.redeem(&service, &parameter(&callback, "code"), &pushed.verifier).await;
    assert_eq!(answer.error(), (400, "invalid_grant".into()));
    let told = device.attempt_state(&service, &pushed.attempt).await;
    assert_eq!(told, json!({ "state": "failed", "problem": "link_expired" }));
}
