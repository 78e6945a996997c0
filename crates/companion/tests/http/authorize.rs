//! Opening a pushed request in a browser.

use crate::support::{Browser, Device, Service, authorize_url, parameter};

#[tokio::test]
async fn each_opening_is_an_upstream_authorization_of_its_own() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let (mut one, mut other) = (Browser::new(), Browser::new());
    let first = one.authorize(&service, &pushed).await;
    let id = |browser: &Browser| browser.cookies["keyport-browser"].clone();
    let cookie = id(&one);
    let again = one.authorize(&service, &pushed).await;
    let elsewhere = other.authorize(&service, &pushed).await;
    assert_eq!(id(&one), cookie, "a browser keeps its id");
    assert_ne!(cookie, id(&other));
    for name in ["state", "code_challenge"] {
        let values = [&first, &again, &elsewhere].map(|url| parameter(url.as_str(), name));
        assert!(
            values[0] != values[1] && values[1] != values[2] && values[0] != values[2],
            "{name}"
        );
    }
}

#[tokio::test]
async fn fetching_ahead_is_refused() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    for purpose in ["prefetch", "prefetch;prerender"] {
        let ahead =
            browser.http.get(authorize_url(&service, &pushed)).header("sec-purpose", purpose);
        let answer = browser.send(ahead).await;
        assert_eq!(
            (answer.status, answer.header("location"), answer.header("set-cookie")),
            (403, "", "")
        );
    }
    browser.authorize(&service, &pushed).await;
}

#[tokio::test]
async fn an_old_or_foreign_link_is_a_page_and_never_a_redirect() {
    let (service, device) = (Service::start().await, Device::new());
    let other = Service::start().await;
    let pushed = device.push(&service, &[]).await;
    let good = authorize_url(&service, &pushed);
    let mut browser = Browser::new();
    let foreign = authorize_url(&service, &Device::new().push(&other, &[]).await);
    for bad in [
        foreign,
        good.replace("keyport-desktop", "another-client"),
        good.replace("request_uri=urn", "request_uri=xrn"),
        good.replace("client_id=keyport-desktop&", ""),
        format!("{good}&client_id=keyport-desktop"),
        good[..good.len() - 3].to_owned(),
        format!("{}/oauth/authorize", service.url),
        format!(
            "{}/oauth/authorize?client_id=keyport-desktop&redirect_uri=https://evil.test",
            service.url
        ),
    ] {
        let answer = browser.get(&bad).await;
        assert_eq!((answer.status, answer.header("location")), (403, ""), "{bad}");
        assert!(answer.header("content-type").starts_with("text/html"));
    }
    service.wait(600);
    let answer = browser.get(&good).await;
    assert_eq!((answer.status, answer.problem()), (400, "link_expired"));
}

#[tokio::test]
async fn only_the_owner_redeems_the_code_of_a_stolen_request_uri() {
    let (service, device, thief) = (Service::start().await, Device::new(), Device::new());
    let pushed = device.push(&service, &[]).await;
    let callback = Browser::new().come_back(&service, &pushed).await;
    let code = parameter(&callback, "code");
    assert_eq!(
        thief.redeem(&service, &code, &pushed.verifier).await.error(),
        (400, "invalid_grant".into())
    );
    assert_eq!(device.redeem(&service, &code, &pushed.verifier).await.status, 200);
}
