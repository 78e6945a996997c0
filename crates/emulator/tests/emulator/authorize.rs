//! Which authorization requests are never redirected, and what comes back from those that are.

use crate::support::{Callback, REDIRECT_URI, Service};

#[tokio::test]
async fn an_untrusted_request_gets_a_page_and_never_a_redirect() {
    let service = Service::start().await;
    for change in [
        ("redirect_uri", ""),
        ("redirect_uri", "http://127.0.0.1:5555/other"),
        ("redirect_uri", "http://127.0.0.1:5555/callback/"),
        ("redirect_uri", "http://localhost:5555/callback"),
        ("redirect_uri", "https://app.example/callback"),
        ("redirect_uri", "http://127.0.0.1:*/callback"),
        ("redirect_uri", "javascript:alert(1)"),
        ("client_id", ""),
        ("client_id", "client_other"),
        ("response_type", ""),
        ("response_type", "token"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ] {
        for also in [("state", "s"), ("connection", "conn_unknown"), ("domain", "acme.test")] {
            let answer = service.open(&service.authorize_url(&[change, also])).await;
            assert_eq!(answer.status(), 400, "{change:?} {also:?}");
            assert_eq!(answer.headers().get("location"), None);
            assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        }
    }
}

#[tokio::test]
async fn a_weak_or_malformed_challenge_gets_a_page() {
    let service = Service::start().await;
    let good = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    for (challenge, method) in
        [(good, "plain"), (good, "s256"), (&good[1..], "S256"), ("~~~", "S256")]
    {
        let url = service
            .authorize_url(&[("code_challenge", challenge), ("code_challenge_method", method)]);
        assert_eq!(service.open(&url).await.status(), 400, "{challenge} {method}");
    }
}

#[tokio::test]
async fn a_repeated_parameter_gets_a_page() {
    let service = Service::start().await;
    for repeated in [
        "redirect_uri=http://127.0.0.1:1/callback",
        "state=other",
        "connection=conn_acme",
        "client_id=x",
    ] {
        let url = format!("{}&{repeated}", service.authorize_url(&[]));
        assert_eq!(service.open(&url).await.status(), 400, "{repeated}");
    }
}

#[tokio::test]
async fn the_form_is_checked_like_the_page() {
    let service = Service::start().await;
    let url = service.authorize_url(&[("redirect_uri", "http://127.0.0.1:5555/other")]);
    let form = [("email", "ada@acme.test"), ("password", "keyport")];
    let answer = service.http.post(&url).form(&form).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (400, None));
    assert_eq!(service.calls().await["codes"]["issued"], 0);
}

#[tokio::test]
async fn a_sign_in_ends_at_the_redirect_uri_with_code_and_state() {
    let service = Service::start().await;
    let callback = service.sign_in(&service.authorize_url(&[]), "ada@acme.test").await;
    assert_eq!(callback.to, REDIRECT_URI);
    assert_eq!(callback.value("state"), Some("st&te=?"));
    assert_eq!(callback.code().len(), 26);
    assert_eq!(callback.query.len(), 2);
}

#[tokio::test]
async fn without_a_state_none_is_echoed() {
    let service = Service::start().await;
    let callback = service.sign_in(&service.authorize_url(&[("state", "")]), "ada@acme.test").await;
    assert_eq!(callback.query.keys().collect::<Vec<_>>(), ["code"]);
}

#[tokio::test]
async fn registered_uris_are_kept_byte_for_byte() {
    let service = Service::start().await;
    for (uri, begin) in [
        ("dev.example.app:/callback", "dev.example.app:/callback?code="),
        ("https://app.example/callback?x=1", "https://app.example/callback?x=1&code="),
    ] {
        let answer = service
            .submit(&service.authorize_url(&[("redirect_uri", uri)]), "ada@acme.test", "keyport")
            .await;
        let location = answer.headers()["location"].to_str().unwrap();
        assert!(location.starts_with(begin), "{location}");
    }
}

#[tokio::test]
async fn organization_and_provider_select_too() {
    let service = Service::start().await;
    for (selector, value, connection) in [
        // Its only active one.
        ("organization", "org_acme", "conn_acme"),
        ("provider", "GoogleOAuth", "conn_google"),
    ] {
        let code = service.code(&[("connection", ""), (selector, value)]).await;
        let (status, answer) = service.exchange(&code, &[]).await;
        assert_eq!((status, answer["profile"]["connection_id"].as_str()), (200, Some(connection)));
    }
}

#[tokio::test]
async fn the_page_may_be_opened_and_submitted_again() {
    let service = Service::start().await;
    let url = service.authorize_url(&[]);
    let first = service.sign_in(&url, "ada@acme.test").await;
    let second = service.sign_in(&url, "ada@acme.test").await;
    assert_ne!(first.code(), second.code());
    assert_eq!(service.exchange(second.code(), &[]).await.0, 200);
    assert_eq!(service.exchange(first.code(), &[]).await.0, 200);
}

#[tokio::test]
async fn a_connection_deleted_while_the_page_is_open_gives_no_code() {
    let service = Service::start().await;
    let url = service.authorize_url(&[]);
    assert_eq!(service.open(&url).await.status(), 200);
    let path = format!("{}/connections/conn_acme", service.url);
    let deleted =
        service.http.delete(path).bearer_auth(crate::support::CLIENT.1).send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    let form = [("email", "ada@acme.test"), ("password", "keyport")];
    let callback = Callback::of(&service.http.post(&url).form(&form).send().await.unwrap());
    assert_eq!(callback.value("error"), Some("connection_invalid"));
}
