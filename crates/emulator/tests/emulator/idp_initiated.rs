//! Sign-ins that start at the identity provider: a code that was not asked for, without a state.

use crate::support::{Callback, REDIRECT_URI, Service};

fn start(service: &Service, query: &str) -> String {
    format!("{}/idp-initiated?{query}", service.url)
}

#[tokio::test]
async fn an_unknown_connection_or_redirect_uri_gets_a_page() {
    let service = Service::start().await;
    for query in [
        "",
        "connection=conn_unknown",
        "connection=conn_acme&redirect_uri=https://evil.test/callback",
        "connection=conn_acme&connection=conn_acme",
    ] {
        let answer = service.open(&start(&service, query)).await;
        assert_eq!(
            (answer.status().as_u16(), answer.headers().get("location")),
            (400, None),
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_code_comes_without_a_state_to_the_default_redirect_uri() {
    let service = Service::start().await;
    let url = start(&service, "connection=conn_acme&state=smuggled&client_id=client_test");
    let callback = service.sign_in(&url, "ada@acme.test").await;
    assert_eq!(callback.to, "https://app.example/callback");
    assert_eq!(callback.query.keys().collect::<Vec<_>>(), ["code", "x"]);
    assert_eq!(service.exchange(callback.code(), &[]).await.0, 200);
}

#[tokio::test]
async fn a_registered_redirect_uri_may_be_named() {
    let service = Service::start().await;
    let url = start(&service, &format!("connection=conn_acme&redirect_uri={REDIRECT_URI}"));
    let callback = service.sign_in(&url, "ada@acme.test").await;
    assert_eq!((callback.to.as_str(), callback.value("state")), (REDIRECT_URI, None));
}

#[tokio::test]
async fn a_disabled_idp_start_names_connection_and_organization() {
    let service = Service::start().await;
    let url = start(&service, &format!("connection=conn_globex_2&redirect_uri={REDIRECT_URI}"));
    let callback = Callback::of(&service.open(&url).await);
    assert_eq!(callback.value("error"), Some("idp_initiated_sso_disabled"));
    assert_eq!(callback.value("connection_id"), Some("conn_globex_2"));
    assert_eq!(callback.value("organization_id"), Some("org_globex"));
    assert_eq!(callback.value("state"), None);
}

#[tokio::test]
async fn errors_are_provoked_here_too_and_carry_no_state() {
    let service = Service::start().await;
    let inactive = Callback::of(&service.open(&start(&service, "connection=conn_initech")).await);
    assert_eq!(inactive.value("error"), Some("connection_unlinked"));
    let provoked = service
        .sign_in(&start(&service, "connection=conn_acme"), "error+server_error@acme.test")
        .await;
    assert_eq!((provoked.value("error"), provoked.value("state")), (Some("server_error"), None));
}
