//! Sessions of the provider's own, and the longest state.

use crate::support::{Callback, Service};

async fn order(service: &Service, method: &str) {
    let url = format!("{}/_emulator/sessions", service.url);
    let request = service.http.request(method.parse().unwrap(), url);
    assert_eq!(request.send().await.unwrap().status(), 204);
}

/// Signs Ada in with the form; the cookie that came with it.
async fn sign_in(service: &Service) -> Option<String> {
    let answer = service.submit(&service.authorize_url(&[]), "ada@acme.test", "keyport").await;
    let cookie = answer.headers().get("set-cookie")?.to_str().unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    Some(cookie.split(';').next().unwrap().to_owned())
}

#[tokio::test]
async fn an_ordered_browser_session_is_not_asked_again() {
    let service = Service::start().await;
    assert_eq!(sign_in(&service).await, None, "off unless it is ordered");
    order(&service, "POST").await;
    let cookie = sign_in(&service).await.unwrap();
    let open = async |changes: &[(&str, &str)], cookie: &str| {
        let url = service.authorize_url(changes);
        service.http.get(url).header("cookie", cookie).send().await.unwrap()
    };
    let silent = open(&[("state", "s")], &cookie).await;
    assert_eq!(silent.status(), 302);
    let callback = Callback::of(&silent);
    assert_eq!(service.exchange(callback.code(), &[]).await.0, 200);
    assert_eq!(open(&[], "emulator-session=made-up").await.status(), 200, "the form");
    order(&service, "DELETE").await;
    assert_eq!(open(&[], &cookie).await.status(), 200, "the form again");
}

#[tokio::test]
async fn a_state_of_more_than_64_bytes_gets_a_page() {
    let service = Service::start().await;
    for (length, status) in [(64, 200), (65, 400)] {
        let url = service.authorize_url(&[("state", &"s".repeat(length))]);
        assert_eq!(service.open(&url).await.status(), status, "{length}");
    }
}
