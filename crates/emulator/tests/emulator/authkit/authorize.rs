//! `/user_management/authorize`: what is never redirected, and where good requests lead.

use crate::support::{Callback, Service};

#[tokio::test]
async fn an_untrusted_request_gets_a_page_and_never_a_redirect() {
    let service = Service::authkit().await;
    for change in [
        ("redirect_uri", ""),
        ("redirect_uri", "https://evil.test/callback"),
        ("client_id", "client_other"),
        ("response_type", "token"),
        ("code_challenge", "short"),
        ("screen_hint", "sign-over"),
        ("max_age", "soon"),
    ] {
        let answer = service.open(&service.authkit_url(&[change])).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (400, None));
    }
}

#[tokio::test]
async fn exactly_one_selector_of_these_names_is_taken() {
    let service = Service::authkit().await;
    let none = ("provider", "");
    for (changes, code) in [
        (vec![none], "invalid_connection_selector"),
        (vec![("connection_id", "conn_acme")], "invalid_connection_selector"),
        (vec![none, ("connection", "conn_acme")], "invalid_connection_selector"),
        (vec![none, ("organization", "org_acme")], "invalid_connection_selector"),
        (vec![("provider", "NoOAuth")], "invalid_connection_selector"),
        (vec![none, ("connection_id", "conn_unknown")], "connection_invalid"),
        (vec![none, ("connection_id", "conn_acme_old")], "connection_unlinked"),
        (vec![none, ("organization_id", "org_hooli")], "organization_invalid"),
    ] {
        let callback = Callback::of(&service.open(&service.authkit_url(&changes)).await);
        assert_eq!(callback.value("error"), Some(code), "{changes:?}");
        assert_eq!(callback.value("state"), Some("st&te=?"));
    }
}

#[tokio::test]
async fn each_selector_leads_to_a_page_on_a_path_of_its_own() {
    let service = Service::authkit().await;
    for (changes, path) in [
        (vec![], "/authkit/sign-in?"),
        (vec![("screen_hint", "sign-up")], "/authkit/sign-in?"),
        (vec![("provider", ""), ("organization_id", "org_acme")], "/identity-provider/authkit?"),
        (vec![("provider", "GoogleOAuth")], "/identity-provider/authkit?"),
    ] {
        let page = service.page_of(&service.authkit_url(&changes)).await;
        assert!(page.contains(path), "{page}");
        let page = service.open(&page).await;
        assert_eq!(page.status(), 200);
        let page = page.text().await.unwrap();
        assert!(page.contains("name=\"email\"") && page.contains("name=\"password\""), "{page}");
    }
}

#[tokio::test]
async fn the_pages_check_the_request_again() {
    let service = Service::authkit().await;
    let form = [("email", "ada@acme.test"), ("password", "keyport")];
    for (path, good) in [("/authkit/sign-in", ""), ("/identity-provider/authkit", "org_acme")] {
        let url = service.authkit_url(&[("redirect_uri", "https://evil.test/cb")]);
        let url = url.replace("/user_management/authorize", path);
        let url = format!("{url}&organization_id={good}");
        for answer in [service.open(&url).await, service.post_form(&url, &form).await] {
            assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (400, None));
        }
    }
}
