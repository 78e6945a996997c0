//! AuthKit as the upstream: its own page, users and sessions.

use std::time::Duration;

use keyport_companion::admission::{AdmissionPolicy, AuthKitUse};
use keyport_companion::session_check::check_round;
use serde_json::{Value, json};

use crate::support::{Browser, Device, Service, parameter};

fn policy(authkit: AuthKitUse) -> AdmissionPolicy {
    let providers = vec!["GoogleOAuth".into()];
    AdmissionPolicy::new(vec!["org_acme".into()], providers, None).with_authkit(authkit)
}

async fn service() -> Service {
    Service::with_policy(policy(AuthKitUse::Always)).await
}

/// Ada's sign-in up to the hand-off, and the problem that it shows.
async fn problem(service: &Service) -> String {
    let (device, mut browser) = (Device::new(), Browser::new());
    let pushed = device.push(service, &[]).await;
    let page = browser.arrive(service, &pushed, &crate::support::random()).await;
    let page = browser.get(&page).await;
    if page.body.contains("csrf_token") { String::new() } else { page.problem().to_owned() }
}

#[tokio::test]
async fn a_person_signs_in_at_the_page_of_authkit() {
    let service = service().await;
    let (device, mut browser) = (Device::new(), Browser::new());
    let pushed = device.push(&service, &[("login_hint", "ada@acme.test")]).await;
    let provider = browser.authorize(&service, &pushed).await;
    assert_eq!(provider.path(), "/user_management/authorize");
    let asked = |name| parameter(provider.as_str(), name);
    assert_eq!((&*asked("provider"), &*asked("screen_hint")), ("authkit", "sign-in"));
    assert_eq!((&*asked("login_hint"), &*asked("client_id")), ("ada@acme.test", "client_1"));
    let answer = browser.callback(&service, &provider, "code_1").await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let handoff = format!("{}{}", service.url, answer.header("location"));
    let callback = browser.come_back_from(&handoff).await;
    let code = parameter(&callback, "code");
    let session = device.redeem(&service, &code, &pushed.verifier).await.json();
    let account = &session["keyport_account"];
    assert_eq!(
        (&account["email"], &account["connection"]),
        (&json!("ada@acme.test"), &json!(null))
    );
    assert_eq!(account["organization"]["name"], "Acme Rockets");
    let token = session["access_token"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims);
    let claims: Value = serde_json::from_slice(&claims.unwrap()).unwrap();
    assert_eq!((claims.get("connection_id"), &claims["org_id"]), (None, &json!("org_acme")));
    let bodies = service.provider.users.bodies.lock().unwrap().clone();
    assert_eq!(bodies.len(), 1);
    assert_eq!(
        crate::support::s256(bodies[0]["code_verifier"].as_str().unwrap()),
        asked("code_challenge")
    );
    assert_eq!(service.exchanges(), 0, "standalone SSO was not asked");
}

#[tokio::test]
async fn no_token_of_workos_is_kept() {
    let service = service().await;
    let (device, mut browser) = (Device::new(), Browser::new());
    let pushed = device.push(&service, &[]).await;
    browser.come_back(&service, &pushed).await;
    for file in std::fs::read_dir(service.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for planted in ["upstream_refresh_planted", "metadata_planted", "eyJ"] {
            let found = bytes.windows(planted.len()).any(|window| window == planted.as_bytes());
            assert!(!found, "{planted}");
        }
    }
}

#[tokio::test]
async fn an_access_token_that_is_not_of_this_sign_in_ends_it() {
    let service = service().await;
    for hostile in [
        json!({ "iss": "https://evil.test/" }),
        json!({ "iss": null }),
        json!({ "sub": "user_eve" }),
        json!({ "sid": null }),
        json!({ "org_id": "org_evil" }),
        json!({ "org_id": null }),
        json!({ "exp": crate::support::NOON - 3600 }),
        json!({ "exp": null }),
        json!({ "other_key": true }),
    ] {
        *service.provider.users.claims.lock().unwrap() = hostile.clone();
        assert_eq!(problem(&service).await, "provider_failed", "{hostile}");
    }
    *service.provider.users.claims.lock().unwrap() = json!({});
    assert_eq!(problem(&service).await, "", "and the right one signs in");
}

#[tokio::test]
async fn who_comes_from_the_page_of_authkit_is_admitted_by_the_rules() {
    let service = service().await;
    for (changes, wanted) in [
        (json!({ "organization_id": null }), "without_organization"),
        (json!({ "organization_id": "org_evil" }), "organization_not_allowed"),
        (json!({ "authentication_method": "GitHubOAuth" }), "provider_not_allowed"),
        (json!({ "authentication_method": "GoogleOAuth" }), ""),
        (json!({ "authentication_method": "SSO" }), ""),
    ] {
        *service.provider.users.changes.lock().unwrap() = changes.clone();
        assert_eq!(problem(&service).await, wanted, "{changes}");
    }
    let open = policy(AuthKitUse::Always).with_people_without_organization(true);
    let service = Service::with_policy(open).await;
    for (method, wanted) in [("Password", ""), ("GitHubOAuth", "provider_not_allowed")] {
        let changes = json!({ "organization_id": null, "authentication_method": method });
        *service.provider.users.changes.lock().unwrap() = changes;
        assert_eq!(problem(&service).await, wanted, "{method}");
    }
}

#[tokio::test]
async fn an_email_whose_domain_has_a_connection_goes_to_sso() {
    let service = Service::with_policy(policy(AuthKitUse::WithoutConnection)).await;
    let (device, mut browser) = (Device::new(), Browser::new());
    for (hints, path) in [
        (&[("login_hint", "ada@acme.test")][..], "/sso/authorize"),
        (&[("login_hint", "ada@elsewhere.test")], "/user_management/authorize"),
        (&[("login_hint", "ada@evil.test")], "/user_management/authorize"),
        (&[("organization", "org_acme")], "/sso/authorize"),
        (&[], "/user_management/authorize"),
    ] {
        let pushed = device.push(&service, hints).await;
        let provider = browser.authorize(&service, &pushed).await;
        assert_eq!(provider.path(), path, "{hints:?}");
    }
}

#[tokio::test]
async fn selectors_have_the_names_of_user_management() {
    let service = service().await;
    let (device, mut browser) = (Device::new(), Browser::new());
    for (hint, value, name) in [
        ("organization", "org_acme", "organization_id"),
        ("connection", "conn_acme", "connection_id"),
        ("provider", "GoogleOAuth", "provider"),
    ] {
        let pushed = device.push(&service, &[(hint, value)]).await;
        let provider = browser.authorize(&service, &pushed).await;
        assert_eq!(provider.path(), "/user_management/authorize");
        assert_eq!(parameter(provider.as_str(), name), value);
        assert!(!provider.as_str().contains("screen_hint"));
    }
}

/// Ada's session of AuthKit on a new device, with its refresh token.
async fn session(service: &Service, of: &str) -> (Device, String) {
    *service.provider.users.claims.lock().unwrap() = json!({ "sid": of });
    let (device, mut browser) = (Device::new(), Browser::new());
    let pushed = device.push(service, &[]).await;
    let callback = browser.come_back(service, &pushed).await;
    let code = parameter(&callback, "code");
    let session = device.redeem(service, &code, &pushed.verifier).await.json();
    let token = session["refresh_token"].as_str().unwrap().to_owned();
    (device, token)
}

async fn refresh(service: &Service, (device, token): &(Device, String)) -> (u16, Value) {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "keyport-desktop"),
        ("refresh_token", token.as_str()),
    ];
    let answer = device.post(service, "/oauth/token", &form).await;
    (answer.status, answer.json()["keyport_problem"].clone())
}

async fn check(service: &Service) -> usize {
    let upstream = service.app.upstreams.current();
    check_round(&service.app, upstream, Duration::ZERO).await.unwrap()
}

#[tokio::test]
async fn a_session_that_is_over_at_workos_ends_here() {
    let service = service().await;
    let revoked = session(&service, "session_1").await;
    let other = session(&service, "session_2").await;
    service.provider.users.ended.lock().unwrap().push("session_1".into());
    assert_eq!(check(&service).await, 0, "the list may not have a session of this minute");
    service.wait(61);
    assert_eq!(check(&service).await, 1);
    assert_eq!(refresh(&service, &revoked).await, (400, json!("access_ended")));
    assert_eq!(refresh(&service, &other).await.0, 200);
    assert_eq!(check(&service).await, 0);
    let asked = service.provider.users.lists.lock().unwrap().clone();
    assert_eq!(asked, ["user_ada", "user_ada"], "one question for each user in each round");
}

#[tokio::test]
async fn a_session_that_no_list_names_ends_and_a_failure_ends_none() {
    let service = service().await;
    let unknown = session(&service, "session_9").await;
    let known = session(&service, "session_2").await;
    service.wait(61);
    *service.provider.users.refuse_list.lock().unwrap() = Some((500, "0"));
    tokio::time::timeout(Duration::from_secs(20), check(&service)).await.unwrap();
    assert_eq!(refresh(&service, &known).await.0, 200, "silence proves nothing");
    *service.provider.users.refuse_list.lock().unwrap() = None;
    assert_eq!(check(&service).await, 1);
    assert_eq!(refresh(&service, &unknown).await, (400, json!("access_ended")));
}
