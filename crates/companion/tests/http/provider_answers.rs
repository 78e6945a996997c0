//! What the provider says: every error in our words, an exchange that fails, and a profile that is
//! not what was asked for.

use serde_json::json;

use crate::support::{Browser, Device, Service, ada, parameter};

/// All fourteen documented ones, and one that is not documented.
#[tokio::test]
async fn every_provider_error_becomes_one_of_our_problems() {
    let (service, device) = (Service::start().await, Device::new());
    for (error, problem) in [
        ("access_denied", "access_denied"),
        ("ambiguous_connection_selector", "ambiguous_connection"),
        ("connection_domain_invalid", "domain_unknown"),
        ("connection_invalid", "connection_unknown"),
        ("connection_strategy_invalid", "setup_wrong"),
        ("connection_unlinked", "connection_off"),
        ("domain_connection_selector_not_allowed", "setup_wrong"),
        ("idp_initiated_sso_disabled", "connection_off"),
        ("invalid_connection_selector", "setup_wrong"),
        ("organization_invalid", "organization_unknown"),
        ("oauth_failed", "provider_failed"),
        ("profile_not_allowed_outside_organization", "outside_organization"),
        ("server_error", "provider_failed"),
        ("signin_consent_denied", "consent_denied"),
        ("<script>", "provider_failed"),
    ] {
        let pushed = device.push(&service, &[]).await;
        let mut browser = Browser::new();
        let state = parameter(browser.authorize(&service, &pushed).await.as_str(), "state");
        let error = error.replace('<', "%3C");
        let url = format!(
            "{}/callback?error={error}&error_description=Call%20%3Cb%3Ezzyzx&state={state}",
            service.url
        );
        let answer = browser.get(&url).await;
        assert_eq!(answer.status, 303);
        let page = browser.get(&format!("{}{}", service.url, answer.header("location"))).await;
        assert_eq!(page.problem(), problem, "{error}");
        assert!(!page.body.contains("zzyzx") && !page.body.contains("<script>alert"));
        assert!(
            page.body.contains(&format!("attempt {}", pushed.attempt[..4].to_uppercase())),
            "the attempt, to name to IT"
        );
        let state = device.attempt_state(&service, &pushed.attempt).await;
        assert_eq!(state, json!({ "state": "failed", "problem": problem }));
    }
    assert_eq!(service.exchanges(), 0);
}

#[tokio::test]
async fn an_exchange_that_fails_ends_in_words_and_is_not_tried_again() {
    let (service, device) = (Service::start().await, Device::new());
    for (status, body, problem) in [
        (
            400,
            json!({ "error": "invalid_grant", "error_description": "Call zzyzx" }),
            "link_expired",
        ),
        (400, json!({ "error": "invalid_client" }), "setup_wrong"),
        (401, json!({ "message": "Unauthorized" }), "setup_wrong"),
        (400, json!({ "message": "Validation failed" }), "setup_wrong"),
        (403, json!({ "code": "insufficient_permissions", "message": "x" }), "setup_wrong"),
        (409, json!({ "message": "Conflict" }), "setup_wrong"),
        (429, json!({ "error": "too_many_requests" }), "too_many_requests"),
        (500, json!({ "message": "Call zzyzx" }), "service_unavailable"),
        (200, json!({ "profile": "nonsense" }), "provider_failed"),
        // What a gateway in between says is not the provider's word about the set-up.
        (302, json!("<h1>Sign in to the proxy</h1>"), "service_unavailable"),
        (400, json!("<h1>Bad Request</h1>"), "service_unavailable"),
        (200, json!("<h1>Accept the terms of this network</h1>"), "service_unavailable"),
        (401, json!("<h1>Unauthorized</h1>"), "service_unavailable"),
        (403, json!("<h1>Blocked by policy</h1>"), "service_unavailable"),
        (409, json!("<h1>Conflict</h1>"), "service_unavailable"),
        (404, json!("<h1>No such page</h1>"), "service_unavailable"),
        (407, json!({ "error": "proxy_authentication_required" }), "service_unavailable"),
        (422, json!("<h1>Unprocessable</h1>"), "service_unavailable"),
    ] {
        let before = service.exchanges();
        *service.provider.refuse_with.lock().unwrap() = Some((status, body));
        let pushed = device.push(&service, &[]).await;
        let mut browser = Browser::new();
        let handoff = browser.arrive(&service, &pushed, "x").await;
        let page = browser.get(&handoff).await;
        assert_eq!(page.problem(), problem);
        assert!(!page.body.contains("zzyzx"));
        assert_eq!(service.exchanges(), before + 1, "{problem}");
    }
}

#[tokio::test]
async fn a_profile_of_another_organization_is_refused() {
    let (service, device) = (Service::start().await, Device::new());
    let changed = |changes: serde_json::Value| {
        let mut profile = ada();
        profile.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        profile
    };
    let table = [
        (
            "organization",
            "org_acme",
            changed(json!({ "organization_id": "org_evil" })),
            "wrong_organization",
        ),
        (
            "organization",
            "org_acme",
            changed(json!({ "organization_id": null })),
            "wrong_organization",
        ),
        (
            "connection",
            "conn_acme",
            changed(json!({ "connection_id": "conn_other" })),
            "wrong_organization",
        ),
        (
            "login_hint",
            "ada@acme.test",
            changed(json!({ "organization_id": "org_evil" })),
            "wrong_organization",
        ),
        ("provider", "GoogleOAuth", ada(), "wrong_organization"),
        (
            "provider",
            "GoogleOAuth",
            changed(json!({ "connection_type": "GoogleOAuth", "organization_id": "org_evil" })),
            "organization_not_allowed",
        ),
    ];
    for (number, (hint, value, profile, problem)) in table.into_iter().enumerate() {
        let code = format!("code-{number}");
        service.provider.profiles.lock().unwrap().insert(code.clone(), profile);
        let pushed = device.push(&service, &[(hint, value)]).await;
        let mut browser = Browser::new();
        let handoff = browser.arrive(&service, &pushed, &code).await;
        assert_eq!(browser.get(&handoff).await.problem(), problem, "{hint}={value}");
        assert_eq!(browser.get(&format!("{handoff}/go")).await.header("refresh"), "");
        let state = device.attempt_state(&service, &pushed.attempt).await;
        assert_eq!(state, json!({ "state": "failed", "problem": problem }));
    }
}
