//! What a program that knows every cookie of the browser can do at the hand-off: on loopback http
//! it can read and set them all (RFC 6265 §8.5).

use crate::support::{Browser, Device, Service, parameter};

/// The same cookies in the hands of a program.
fn program_with_cookies_of(browser: &Browser) -> Browser {
    Browser { http: browser.http.clone(), cookies: browser.cookies.clone() }
}

#[tokio::test]
async fn a_repeated_callback_reveals_nothing_to_a_holder_of_cookies() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    let mut program = program_with_cookies_of(&browser);
    let answer = browser.callback(&service, &provider, "x").await;
    let grant = answer.header("location").strip_prefix("/handoff/").unwrap().to_owned();
    for code in ["x", "made-up"] {
        let replay = program.callback(&service, &provider, code).await;
        assert_eq!((replay.status, replay.problem()), (400, "already_used"));
        assert_eq!(replay.header("location"), "");
        assert!(!replay.body.contains(&grant));
    }
    let state = parameter(provider.as_str(), "state");
    let refused = format!("{}/callback?error=access_denied&state={state}", service.url);
    assert_eq!(program.get(&refused).await.problem(), "already_used");
    assert_eq!(service.exchanges(), 1);
}

#[tokio::test]
async fn a_fulfilled_request_reveals_nothing_when_opened_again() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    let mut program = program_with_cookies_of(&browser);
    let own = program.authorize(&service, &pushed).await;
    assert_eq!(browser.callback(&service, &provider, "x").await.status, 303);
    let answer = program.callback(&service, &own, "made-up").await;
    assert_eq!((answer.status, answer.problem()), (400, "already_used"));
    assert_eq!(service.exchanges(), 1, "its code is not sent on");
}

#[tokio::test]
async fn an_answer_without_the_value_of_the_page_changes_nothing() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(&service, &pushed, "x").await;
    let page = browser.get(&handoff).await;
    let token = page.hidden("csrf_token").expect("a value in the page");
    assert!(token.len() >= 22, "{token}");
    assert!(!page.headers.values().any(|value| value.as_bytes().ends_with(token.as_bytes())));
    let other = {
        let pushed = device.push(&service, &[]).await;
        let handoff = browser.arrive(&service, &pushed, "y").await;
        browser.get(&handoff).await.hidden("csrf_token").unwrap()
    };
    assert_ne!(token, other, "it belongs to one hand-off");
    let changed = format!("{}{}", &token[1..], &token[..1]);
    for wrong in ["", &token[1..], &changed, &other, &"A".repeat(token.len())] {
        for button in ["continue", "not_me"] {
            let post = browser.http.post(&handoff).header("sec-fetch-site", "same-origin");
            let answer = browser.send(post.form(&[(button, "1"), ("csrf_token", wrong)])).await;
            assert_eq!((answer.status, answer.header("location")), (403, ""), "{button} {wrong}");
        }
    }
    let told = device.attempt_state(&service, &pushed.attempt).await;
    assert_eq!(told["state"], "confirm", "nothing has changed");
    for path in ["/status", "/status?asked=1"] {
        let json =
            browser.http.get(format!("{handoff}{path}")).header("accept", "application/json");
        assert!(!browser.send(json).await.body.contains(&token));
        assert!(!browser.get(&format!("{handoff}{path}")).await.body.contains(&token));
    }
    let pressed = browser.press(&handoff, "continue").await;
    assert!(pressed.header("location").ends_with("/go"), "{}", pressed.body);
}
