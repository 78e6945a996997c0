//! Pushed requests (RFC 9126) and who is admitted.

use crate::support::{Browser, Device, SCHEME, Service};
use keyport_companion::admission::AdmissionPolicy;

#[tokio::test]
async fn a_good_request_is_sealed_and_nothing_is_stored_of_it() {
    let (service, device) = (Service::start().await, Device::new());
    let (answer, _) = device.try_push(&service, &[]).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["expires_in"], 600);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(
        answer.json()["request_uri"]
            .as_str()
            .unwrap()
            .starts_with("urn:ietf:params:oauth:request_uri:")
    );
    let again = device.push(&service, &[]).await;
    assert_ne!(again.request_uri, answer.json()["request_uri"].as_str().unwrap());
}

#[tokio::test]
async fn a_broken_push_gets_the_error_code_of_the_standard() {
    let (service, device) = (Service::start().await, Device::new());
    let table: &[(&str, &str, &str)] = &[
        ("client_id", "another-client", "invalid_client"),
        ("client_id", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_mode", "form_post", "invalid_request"),
        ("redirect_uri", "", "invalid_request"),
        ("redirect_uri", "https://evil.test/callback", "invalid_request"),
        ("redirect_uri", "http://127.0.0.1:9/callback/../x", "invalid_request"),
        ("redirect_uri", "http://localhost:9/callback", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", "invalid_request"),
        ("request", "eyJ", "invalid_request"),
        ("attempt", "7F3A", "invalid_request"),
        ("attempt", "0123456789ABCDEF0123456789ABCDEF", "invalid_request"),
        ("dpop_jkt", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", "invalid_dpop_proof"),
        ("login_hint", "ada@acme.test\r\nx", "invalid_request"),
    ];
    for (name, value, error) in table {
        let (answer, _) = device.try_push(&service, &[(name, value)]).await;
        assert_eq!(answer.error(), (400, (*error).to_owned()), "{name}={value}: {}", answer.body);
        assert!(answer.json()["request_id"].as_str().unwrap().starts_with("req_"));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let (answer, _) = device.try_push(&service, &[("state", &"s".repeat(513))]).await;
    assert_eq!(answer.error().1, "invalid_request");
    let two = [("organization", "org_acme"), ("connection", "conn_acme")];
    assert_eq!(device.try_push(&service, &two).await.0.error().1, "invalid_request");
}

#[tokio::test]
async fn its_own_scheme_and_the_matching_key_are_welcome() {
    let (service, device) = (Service::start().await, Device::new());
    device.push(&service, &[("redirect_uri", SCHEME), ("dpop_jkt", &device.thumbprint())]).await;
    device.push(&service, &[("redirect_uri", "http://127.0.0.1:54321/callback")]).await;
    device.push(&service, &[("attempt", ""), ("device_name", ""), ("state", "")]).await;
}

#[tokio::test]
async fn a_repeated_parameter_or_a_body_that_is_no_form_is_refused() {
    let (service, device) = (Service::start().await, Device::new());
    let (_, form) = device.request(&[]);
    let mut form: Vec<(&str, &str)> =
        form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    form.push(("client_id", "keyport-desktop"));
    assert_eq!(device.post(&service, "/oauth/par", &form).await.error().1, "invalid_request");
    let body = serde_json::json!({ "client_id": "keyport-desktop" });
    let url = format!("{}/oauth/par", service.url);
    let answer = device.ask("POST", &url, None, Some(crate::support::Body::Json(&body))).await;
    assert_eq!(answer.error().1, "invalid_request");
}

#[tokio::test]
async fn admission_is_decided_here_and_said_with_its_own_words() {
    let (service, device) = (Service::start().await, Device::new());
    let table: &[(&str, &str, Option<&str>)] = &[
        ("organization", "org_acme", None),
        ("organization", "org_evil", Some("organization_not_allowed")),
        ("organization", "*", Some("organization_not_allowed")),
        ("connection", "conn_acme", None),
        ("connection", "conn_evil", Some("connection_not_allowed")),
        ("connection", "conn_none", Some("connection_not_allowed")),
        ("connection", "../organizations/org_acme", Some("connection_not_allowed")),
        ("connection", "conn_off", Some("connection_off")),
        ("provider", "GoogleOAuth", None),
        ("provider", "GitHubOAuth", Some("provider_not_allowed")),
        ("login_hint", "ada@acme.test", None),
        ("login_hint", "eve@evil.test", Some("domain_unknown")),
        ("login_hint", "eve@nowhere.test", Some("domain_unknown")),
        ("login_hint", "eve@off.test", Some("connection_off")),
        ("login_hint", "eve@twin.test", Some("ambiguous_connection")),
        ("login_hint", "eve", Some("domain_unknown")),
        ("scope", "openid", None),
    ];
    for (name, value, problem) in table {
        let (answer, _) = device.try_push(&service, &[(name, value)]).await;
        match problem {
            None => assert_eq!(answer.status, 201, "{name}={value}: {}", answer.body),
            Some(problem) => {
                assert_eq!(answer.error(), (400, "access_denied".into()), "{name}={value}");
                assert_eq!(answer.json()["keyport_problem"], *problem, "{name}={value}");
            }
        }
    }
}

#[tokio::test]
async fn without_rules_no_person_is_admitted() {
    let service = Service::with_policy(AdmissionPolicy::new(Vec::new(), Vec::new(), None)).await;
    let device = Device::new();
    for (hint, problem) in [
        (("scope", "openid"), "no_selector"),
        (("organization", "org_acme"), "organization_not_allowed"),
        (("login_hint", "ada@acme.test"), "domain_unknown"),
        (("connection", "conn_acme"), "connection_not_allowed"),
        (("provider", "GoogleOAuth"), "provider_not_allowed"),
    ] {
        let (answer, _) = device.try_push(&service, &[hint]).await;
        assert_eq!(answer.json()["keyport_problem"], problem);
    }
}

#[tokio::test]
async fn exactly_one_selector_goes_upstream_with_state_and_pkce() {
    let (service, device) = (Service::start().await, Device::new());
    for (hint, selector) in [
        (("login_hint", "ada@acme.test"), ("connection", "conn_acme")),
        (("organization", "org_acme"), ("organization", "org_acme")),
        (("provider", "GoogleOAuth"), ("provider", "GoogleOAuth")),
        (("scope", "email"), ("organization", "org_acme")),
    ] {
        let pushed = device.push(&service, &[hint]).await;
        let provider = Browser::new().authorize(&service, &pushed).await;
        assert!(provider.as_str().starts_with(&format!("{}/sso/authorize?", service.provider_url)));
        let query: std::collections::BTreeMap<_, _> = provider.query_pairs().into_owned().collect();
        let selectors: Vec<_> = ["connection", "organization", "provider"]
            .into_iter()
            .filter(|name| query.contains_key(*name))
            .collect();
        assert_eq!(selectors, [selector.0]);
        assert_eq!(query[selector.0], selector.1);
        assert_eq!(query["redirect_uri"], format!("{}/callback", service.url));
        assert_eq!(
            (query["code_challenge"].len(), query["code_challenge_method"].as_str()),
            (43, "S256")
        );
        assert_eq!(
            query.get("login_hint").map(String::as_str),
            (hint.0 == "login_hint").then_some(hint.1)
        );
    }
}

#[tokio::test]
async fn a_provider_out_of_reach_is_a_503_and_not_a_refusal() {
    let (service, device) = (Service::start().await, Device::new());
    *service.provider.refuse_with.lock().unwrap() = Some((503, serde_json::json!({})));
    let (answer, _) = device.try_push(&service, &[("login_hint", "ada@acme.test")]).await;
    assert_eq!(answer.error(), (503, "temporarily_unavailable".into()));
    assert_eq!(answer.json()["keyport_problem"], "service_unavailable");
    assert_ne!(answer.header("retry-after"), "");
}

#[tokio::test]
async fn a_flood_of_made_up_domains_delays_no_known_domain() {
    let (service, device) = (Service::start().await, Device::new());
    device.push(&service, &[("login_hint", "ada@acme.test")]).await;
    let mut refused = 0;
    for number in 0..40 {
        let (answer, _) =
            device.try_push(&service, &[("login_hint", &format!("eve@d{number}.test"))]).await;
        if answer.status == 503 {
            assert_eq!(answer.json()["keyport_problem"], "too_many_requests");
            refused += 1;
        }
    }
    assert_eq!(refused, 35, "6 a second from one address, and one was Ada's");
    device.push(&service, &[("login_hint", "grace@acme.test")]).await;
    service.wait(3600);
    for number in 40..80 {
        let eve = format!("eve@d{number}.test");
        device.try_push(&service, &[("login_hint", &eve)]).await;
    }
    device.push(&service, &[("login_hint", "ada@acme.test")]).await;
}

/// On Linux every address of 127.0.0.0/8 is this machine's.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn made_up_domains_of_one_address_leave_look_ups_to_another() {
    let (service, eve, mut ada) = (Service::start().await, Device::new(), Device::new());
    ada.http = reqwest::Client::builder()
        .no_proxy()
        .local_address(std::net::IpAddr::from([127, 0, 0, 2]))
        .build()
        .unwrap();
    for number in 0..40 {
        eve.try_push(&service, &[("login_hint", &format!("eve@d{number}.test"))]).await;
    }
    let (answer, _) = eve.try_push(&service, &[("login_hint", "eve@acme.test")]).await;
    assert_eq!(answer.json()["keyport_problem"], "too_many_requests");
    ada.push(&service, &[("login_hint", "ada@acme.test")]).await;
}

#[tokio::test]
async fn the_retry_after_of_the_provider_is_passed_on() {
    let (service, device) = (Service::start().await, Device::new());
    *service.provider.refuse_with.lock().unwrap() =
        Some((429, serde_json::json!({ "message": "slow" })));
    for (asked, said) in [("30", "30"), ("86400", "60"), ("0", "1")] {
        *service.provider.retry_after.lock().unwrap() = Some(asked);
        let hint = [("login_hint", "ada@acme.test")];
        let timeout = std::time::Duration::from_secs(5);
        let (answer, _) =
            tokio::time::timeout(timeout, device.try_push(&service, &hint)).await.unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (503, said));
        assert_eq!(answer.json()["keyport_problem"], "too_many_requests");
    }
    assert_eq!(service.provider.lookups.load(std::sync::atomic::Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_resource_that_is_not_this_service_is_no_target() {
    let (service, device) = (Service::start().await, Device::new());
    let (answer, _) = device.try_push(&service, &[("resource", "https://files.example.com")]).await;
    assert_eq!(answer.error(), (400, "invalid_target".into()));
    device.push(&service, &[("resource", &service.url)]).await;
}
