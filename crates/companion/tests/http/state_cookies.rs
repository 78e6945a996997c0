//! The upstream `state` is a short random id; what it stands for travels in a cookie of that name.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::support::{Browser, Device, Service, authorize_url, parameter};

/// Names of the cookies that hold a state.
fn states(browser: &Browser) -> Vec<String> {
    browser.cookies.keys().filter(|name| name.contains("keyport-state-")).cloned().collect()
}

#[tokio::test]
async fn the_state_at_the_provider_is_short_and_says_nothing() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[("login_hint", "ada@acme.test")]).await;
    let mut browser = Browser::new();
    let answer = browser.get(&authorize_url(&service, &pushed)).await;
    let state = parameter(answer.header("location"), "state");
    assert!((22..=64).contains(&state.len()), "{} characters: {state}", state.len());
    let cookies: Vec<&str> =
        answer.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
    let cookie = cookies.iter().find(|line| line.starts_with("keyport-state-")).unwrap();
    assert!(cookie.starts_with(&format!("keyport-state-{state}=")), "{cookie}");
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Lax", "; Max-Age=600"] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
}

#[tokio::test]
async fn two_tabs_of_one_browser_both_sign_in() {
    let (service, one, two) = (Service::start().await, Device::new(), Device::new());
    let (first, second) = (one.push(&service, &[]).await, two.push(&service, &[]).await);
    let mut browser = Browser::new();
    let tabs =
        [browser.authorize(&service, &first).await, browser.authorize(&service, &second).await];
    assert_eq!(states(&browser).len(), 2);
    for tab in &tabs {
        assert_eq!(browser.callback(&service, tab, "x").await.status, 303);
    }
    assert_eq!(states(&browser).len(), 0, "a used state leaves nothing behind");
}

#[tokio::test]
async fn a_ninth_opening_puts_the_oldest_out() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let mut tabs = Vec::new();
    for _ in 0..9 {
        tabs.push(browser.authorize(&service, &pushed).await);
        service.wait(1);
        assert!(states(&browser).len() <= 8);
    }
    let names = states(&browser);
    let of = |tab: &url::Url| format!("keyport-state-{}", parameter(tab.as_str(), "state"));
    assert!(!names.contains(&of(&tabs[0])), "the oldest is gone");
    assert!(tabs[1..].iter().all(|tab| names.contains(&of(tab))));
    let total: usize = browser.cookies.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(total < 8 * 1024, "{total} bytes of cookies");
    let answer = browser.callback(&service, &tabs[0], "x").await;
    assert_eq!((answer.status, answer.problem()), (400, "wrong_browser"));
    assert_eq!(browser.callback(&service, &tabs[8], "x").await.status, 303);
}

#[tokio::test]
async fn requests_of_the_largest_size_do_not_fill_the_cookies() {
    let (service, device) = (Service::start().await, Device::new());
    let (state, name) = ("~".repeat(512), "\u{1f5dd}".repeat(64));
    let pushed = device.push(&service, &[("state", &state), ("device_name", &name)]).await;
    let mut browser = Browser::new();
    let mut last = None;
    for _ in 0..12 {
        last = Some(browser.authorize(&service, &pushed).await);
    }
    let total: usize = browser.cookies.iter().map(|(name, value)| name.len() + value.len()).sum();
    assert!(total < 8 * 1024, "{total} bytes of cookies");
    assert_eq!(browser.callback(&service, &last.unwrap(), "x").await.status, 303);
}

#[tokio::test]
async fn a_cookie_opens_only_the_state_that_it_is_named_after() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let (one, two) =
        (browser.authorize(&service, &pushed).await, browser.authorize(&service, &pushed).await);
    let name = |tab: &url::Url| format!("keyport-state-{}", parameter(tab.as_str(), "state"));
    let (own, other) = (browser.cookies[&name(&one)].clone(), browser.cookies[&name(&two)].clone());
    for wrong in [other.as_str(), &own[1..], &own[..own.len() - 1], "", "x", &format!("{own}x")] {
        let mut changed = Browser { http: browser.http.clone(), cookies: browser.cookies.clone() };
        changed.cookies.insert(name(&one), wrong.to_owned());
        let answer = changed.callback(&service, &one, "x").await;
        assert_eq!((answer.status, answer.problem()), (400, "started_elsewhere"), "{wrong}");
    }
    let twice = format!(
        "keyport-browser={}; {n}={own}; {n}={own}",
        browser.cookies["keyport-browser"],
        n = name(&one)
    );
    let state = parameter(one.as_str(), "state");
    let url = format!("{}/callback?code=x&state={state}", service.url);
    let answer = Browser::new().send(browser.http.get(&url).header("cookie", twice)).await;
    assert!(answer.header("location").starts_with("/problem/started_elsewhere/"));
    assert_eq!(service.exchanges(), 0);
    assert_eq!(browser.callback(&service, &one, "x").await.status, 303);
}

#[tokio::test]
async fn the_address_for_the_browser_is_short() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let url = authorize_url(&service, &pushed);
    assert!(url.len() <= 420, "{} characters: {url}", url.len());
}

/// On loopback http any local service can set cookies for this one (RFC 6265 §8.5).
#[tokio::test]
async fn planted_cookies_put_no_real_one_out_and_are_removed() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let tabs =
        [browser.authorize(&service, &pushed).await, browser.authorize(&service, &pushed).await];
    let (real, mut other) = (states(&browser), Browser::new());
    other.authorize(&service, &pushed).await;
    let of_another_browser = other.cookies.iter().find(|(name, _)| name.contains("state")).unwrap();
    let mut planted = vec![of_another_browser.0.clone(), "keyport-state-junk".to_owned()];
    browser.cookies.insert(of_another_browser.0.clone(), of_another_browser.1.clone());
    browser.cookies.insert("keyport-state-junk".into(), "x".into());
    for (number, deadline) in
        [u32::MAX, u32::MAX, 0, 1].into_iter().chain([u32::MAX; 8]).enumerate()
    {
        let mut state = [u8::try_from(number).unwrap(); 20];
        state[..4].copy_from_slice(&deadline.to_be_bytes());
        let name = format!("keyport-state-{}", URL_SAFE_NO_PAD.encode(state));
        // A value that is ours, of another state.
        browser.cookies.insert(name.clone(), browser.cookies[&real[0]].clone());
        planted.push(name);
    }
    browser.authorize(&service, &pushed).await;
    let left = states(&browser);
    assert!(planted.iter().all(|name| !left.contains(name)), "{left:?}");
    assert!(real.iter().all(|name| left.contains(name)), "{left:?}");
    assert_eq!(browser.callback(&service, &tabs[0], "x").await.status, 303);
}
