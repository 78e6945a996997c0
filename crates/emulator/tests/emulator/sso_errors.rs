//! The fourteen error redirects: provoked by address, and from their natural causes.

use crate::support::{Callback, REDIRECT_URI, Service};

/// As the reference lists them, written out again on purpose.
const CODES: [&str; 14] = [
    "access_denied",
    "ambiguous_connection_selector",
    "connection_domain_invalid",
    "connection_invalid",
    "connection_strategy_invalid",
    "connection_unlinked",
    "domain_connection_selector_not_allowed",
    "idp_initiated_sso_disabled",
    "invalid_connection_selector",
    "organization_invalid",
    "oauth_failed",
    "profile_not_allowed_outside_organization",
    "server_error",
    "signin_consent_denied",
];

fn assert_error(callback: &Callback, code: &str) {
    assert_eq!(callback.to, REDIRECT_URI);
    assert_eq!(callback.value("error"), Some(code));
    assert_eq!(callback.value("state"), Some("st&te=?"), "{code}");
    assert!(callback.value("error_description").is_some_and(|text| !text.is_empty()), "{code}");
    assert_eq!(callback.value("code"), None);
}

#[tokio::test]
async fn each_of_the_fourteen_is_provoked_by_its_address() {
    let service = Service::start().await;
    for code in CODES {
        let callback =
            service.sign_in(&service.authorize_url(&[]), &format!("error+{code}@acme.test")).await;
        assert_error(&callback, code);
    }
    assert_eq!(service.calls().await["codes"]["issued"], 0);
}

#[tokio::test]
async fn an_unknown_code_is_not_provoked() {
    let service = Service::start().await;
    let answer = service
        .submit(&service.authorize_url(&[]), "error+invalid_scope@acme.test", "keyport")
        .await;
    assert_eq!(answer.status(), 422);
    assert!(answer.text().await.unwrap().contains("not one of the fourteen"));
}

#[tokio::test]
async fn a_bad_selector_is_an_error_redirect_at_once() {
    let service = Service::start().await;
    let none = ("connection", "");
    for (changes, code) in [
        (vec![none], "invalid_connection_selector"),
        (vec![("organization", "org_acme")], "invalid_connection_selector"),
        (
            vec![none, ("organization", "org_acme"), ("provider", "GoogleOAuth")],
            "invalid_connection_selector",
        ),
        (vec![none, ("provider", "authkit")], "invalid_connection_selector"),
        (vec![none, ("domain", "acme.test")], "domain_connection_selector_not_allowed"),
        (vec![("domain", "acme.test")], "domain_connection_selector_not_allowed"),
        (vec![("connection", "conn_unknown")], "connection_invalid"),
        (vec![none, ("provider", "SlackOAuth")], "connection_invalid"),
        (vec![("connection", "conn_initech")], "connection_unlinked"),
        (vec![("connection", "conn_acme_old")], "connection_unlinked"),
        (vec![none, ("organization", "org_initech")], "connection_unlinked"),
        (vec![none, ("provider", "XeroOAuth")], "connection_unlinked"),
        (vec![none, ("organization", "org_unknown")], "organization_invalid"),
        (vec![none, ("organization", "acme.test")], "organization_invalid"),
        (vec![none, ("organization", "org_hooli")], "organization_invalid"),
        (vec![none, ("organization", "org_globex")], "ambiguous_connection_selector"),
        (vec![none, ("provider", "GitHubOAuth")], "connection_strategy_invalid"),
    ] {
        let answer = service.open(&service.authorize_url(&changes)).await;
        assert_eq!(answer.status(), 302, "{changes:?}");
        assert_error(&Callback::of(&answer), code);
    }
}

#[tokio::test]
async fn a_person_of_another_domain_is_not_let_in() {
    let service = Service::start().await;
    for outsider in
        ["grace@globex.test", "unknown@nowhere.test", "ada@acme.test@globex.test", "acme.test"]
    {
        let callback = service.sign_in(&service.authorize_url(&[]), outsider).await;
        assert_error(&callback, "profile_not_allowed_outside_organization");
    }
}

#[tokio::test]
async fn an_organization_may_allow_outsiders() {
    let service = Service::start().await;
    let url = service.authorize_url(&[("connection", "conn_umbrella")]);
    let callback = service.sign_in(&url, "grace@globex.test").await;
    let (_, answer) = service.exchange(callback.code(), &[]).await;
    assert_eq!(answer["profile"]["organization_id"], "org_umbrella");
    assert_eq!(answer["profile"]["email"], "grace@globex.test");
}

#[tokio::test]
async fn declining_is_access_denied() {
    let service = Service::start().await;
    let form = [("email", "ada@acme.test"), ("password", "keyport"), ("decline", "yes")];
    let answer = service.http.post(service.authorize_url(&[])).form(&form).send().await.unwrap();
    assert_error(&Callback::of(&answer), "access_denied");
}
