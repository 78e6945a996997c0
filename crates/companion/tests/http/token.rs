//! Codes and refresh tokens at the token endpoint, revocation, userinfo.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Body, Browser, Device, NOON, Pushed, Service, parameter, s256};

async fn with_code(service: &Service, device: &Device) -> (Pushed, String) {
    let pushed = device.push(service, &[]).await;
    let callback = Browser::new().come_back(service, &pushed).await;
    let code = parameter(&callback, "code");
    (pushed, code)
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}"))
}

fn refused(answer: &crate::support::Answer) {
    assert_eq!(answer.error(), (400, "invalid_grant".into()), "{}", answer.body);
}

#[tokio::test]
async fn a_code_gives_a_bound_session_and_says_whose() {
    let (service, device) = (Service::start().await, Device::new());
    let answer = device.sign_in(&service).await;
    assert_eq!(answer["token_type"], "DPoP");
    assert_eq!(answer["expires_in"], 300);
    assert_eq!(answer["scope"], "openid profile email offline_access");
    assert!(text(&answer, "refresh_token").starts_with("kpr_"));
    let account = &answer["keyport_account"];
    assert_eq!(account["email"], "ada@acme.test");
    assert_eq!(account["name"], "Ada Lovelace");
    assert_eq!(account["organization"], json!({ "id": "org_acme", "name": "Acme Rockets" }));
    assert_eq!(account["connection"], json!({ "id": "conn_acme", "type": "OktaSAML" }));
    let mut parts = text(&answer, "access_token").split('.');
    let mut part = || {
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap())
            .unwrap()
    };
    let (header, claims) = (part(), part());
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    assert_eq!(claims["cnf"]["jkt"], device.thumbprint());
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(service.url), &json!(service.url)));
    assert_eq!(
        (&claims["org_id"], &claims["connection_id"]),
        (&json!("org_acme"), &json!("conn_acme"))
    );
    assert_eq!(
        (&claims["client_id"], &claims["auth_time"], &claims["scope"]),
        (&json!("keyport-desktop"), &json!(NOON), &answer["scope"])
    );
    assert!(text(&claims, "sid").starts_with("session_"));
    assert_eq!(
        (claims["exp"].as_i64(), claims["sub"].as_str()),
        (Some(NOON + 300), account["sub"].as_str())
    );
}

#[tokio::test]
async fn a_thief_without_the_device_key_cannot_even_burn_a_code() {
    let (service, device, thief) = (Service::start().await, Device::new(), Device::new());
    let (pushed, code) = with_code(&service, &device).await;
    refused(&thief.redeem(&service, &code, &pushed.verifier).await);
    refused(&thief.redeem(&service, &code, "wrong").await);
    refused(&device.redeem(&service, "unknown", &pushed.verifier).await);
    assert_eq!(device.redeem(&service, &code, &pushed.verifier).await.status, 200);
}

#[tokio::test]
async fn a_wrong_verifier_burns_the_code() {
    let (service, device) = (Service::start().await, Device::new());
    let (pushed, code) = with_code(&service, &device).await;
    refused(&device.redeem(&service, &code, &"w".repeat(43)).await);
    refused(&device.redeem(&service, &code, &pushed.verifier).await);
}

#[tokio::test]
async fn a_replayed_code_is_refused_and_what_it_gave_is_revoked() {
    let (service, device) = (Service::start().await, Device::new());
    let (pushed, code) = with_code(&service, &device).await;
    let session = device.redeem(&service, &code, &pushed.verifier).await.json();
    assert_eq!(device.userinfo(&service, text(&session, "access_token")).await.status, 200);
    refused(&device.redeem(&service, &code, &pushed.verifier).await);
    refused(&device.refresh(&service, text(&session, "refresh_token")).await);
    assert_eq!(device.userinfo(&service, text(&session, "access_token")).await.status, 401);
}

#[tokio::test]
async fn sixty_four_redemptions_of_one_code_succeed_once() {
    let (service, device) = (Service::start().await, Device::new());
    let (pushed, code) = with_code(&service, &device).await;
    let answers = join_all((0..64).map(|_| device.redeem(&service, &code, &pushed.verifier))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 400).count(), 63);
}

#[tokio::test]
async fn another_redirect_uri_than_the_pushed_one_is_refused() {
    let (service, device) = (Service::start().await, Device::new());
    let (pushed, code) = with_code(&service, &device).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "keyport-desktop"),
        ("code", &code),
        ("code_verifier", &pushed.verifier),
        ("redirect_uri", "dev.keyport.desktop:/callback"),
    ];
    refused(&device.post(&service, "/oauth/token", &form).await);
}

#[tokio::test]
async fn a_broken_token_request_gets_the_error_code_of_the_standard() {
    let (service, device) = (Service::start().await, Device::new());
    let (client, grant) = (("client_id", "keyport-desktop"), ("grant_type", "authorization_code"));
    let table: &[(&[(&str, &str)], &str)] = &[
        (&[grant, ("code", "x")], "invalid_request"),
        (&[("client_id", "x"), grant, ("code", "x")], "invalid_client"),
        (&[client, ("code", "x")], "invalid_request"),
        (&[client, ("grant_type", "password")], "unsupported_grant_type"),
        (&[client, grant, ("code", "x")], "invalid_request"),
        (&[client, ("grant_type", "refresh_token")], "invalid_request"),
        (
            &[client, ("grant_type", "refresh_token"), ("refresh_token", "kpr_forged")],
            "invalid_grant",
        ),
        (
            &[
                client,
                grant,
                ("code", "x"),
                ("code_verifier", "x"),
                ("resource", "https://evil.test"),
            ],
            "invalid_target",
        ),
    ];
    for (form, error) in table {
        assert_eq!(
            device.post(&service, "/oauth/token", form).await.error(),
            (400, (*error).to_owned()),
            "{form:?}"
        );
    }
}

#[tokio::test]
async fn a_refresh_token_rotates_and_survives_a_lost_answer() {
    let (service, device, thief) = (Service::start().await, Device::new(), Device::new());
    let first = text(&device.sign_in(&service).await, "refresh_token").to_owned();
    let second = device.refresh(&service, &first).await.json();
    assert_eq!(second["keyport_account"], Value::Null);
    let lost = device.refresh(&service, &first).await.json();
    assert_eq!(lost["refresh_token"], second["refresh_token"], "the same child again");
    refused(&thief.refresh(&service, text(&second, "refresh_token")).await);
    let third = device.refresh(&service, text(&second, "refresh_token")).await;
    assert_eq!(third.status, 200, "a foreign key ends nothing");
    refused(&device.refresh(&service, &first).await);
    refused(&device.refresh(&service, text(&third.json(), "refresh_token")).await);
}

/// A proxy holds a request back, the client asks again and goes on; ten minutes later the first one
/// arrives. Its token is a grand-parent by then, but its proof's nonce is stale, and that is looked
/// at before any token.
#[tokio::test]
async fn a_refresh_that_was_held_back_for_ten_minutes_ends_no_session() {
    let (service, device) = (Service::start().await, Device::new());
    let first = text(&device.sign_in(&service).await, "refresh_token").to_owned();
    let url = format!("{}/oauth/token", service.url);
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "keyport-desktop"),
        ("refresh_token", &first),
    ];
    let held =
        (device.http.post(&url).form(&form), device.proof("POST", &url, &json!({}), &json!({})));
    let second = text(&device.refresh(&service, &first).await.json(), "refresh_token").to_owned();
    service.wait(300);
    let third = text(&device.refresh(&service, &second).await.json(), "refresh_token").to_owned();
    service.wait(300);
    let late = device.send(held.0, &held.1).await;
    assert_eq!(late.error(), (400, "use_dpop_nonce".to_owned()));
    assert_eq!(device.refresh(&service, &third).await.status, 200, "the session goes on");
}

#[tokio::test]
async fn sixty_four_refreshes_of_one_token_all_get_the_same_child() {
    let (service, device) = (Service::start().await, Device::new());
    let token = text(&device.sign_in(&service).await, "refresh_token").to_owned();
    let answers = join_all((0..64).map(|_| device.refresh(&service, &token))).await;
    let mut children: Vec<String> =
        answers.iter().map(|answer| text(&answer.json(), "refresh_token").to_owned()).collect();
    children.dedup();
    assert_eq!(children.len(), 1);
}

#[tokio::test]
async fn a_refresh_may_ask_for_less_and_never_for_more() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[("scope", "email offline_access")]).await;
    let callback = Browser::new().come_back(&service, &pushed).await;
    let session =
        device.redeem(&service, &parameter(&callback, "code"), &pushed.verifier).await.json();
    let info = device.userinfo(&service, text(&session, "access_token")).await.json();
    assert_eq!((info["email"].as_str(), info.get("name")), (Some("ada@acme.test"), None));
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "keyport-desktop"),
        ("refresh_token", text(&session, "refresh_token")),
        ("scope", "profile offline_access"),
    ];
    let answer = device.post(&service, "/oauth/token", &form).await.json();
    assert_eq!(answer["scope"], "offline_access");
    let info = device.userinfo(&service, text(&answer, "access_token")).await.json();
    assert_eq!(info.as_object().unwrap().keys().collect::<Vec<_>>(), ["sub"]);
}

#[tokio::test]
async fn revocation_takes_either_token_and_never_tells() {
    let (service, device) = (Service::start().await, Device::new());
    let http = reqwest::Client::new();
    let revoke = |token: String| {
        let form = [("client_id", "keyport-desktop".to_owned()), ("token", token)];
        let request = http.post(format!("{}/oauth/revoke", service.url)).form(&form).send();
        async move { request.await.unwrap().status().as_u16() }
    };
    for name in ["refresh_token", "access_token"] {
        let session = device.sign_in(&service).await;
        assert_eq!(revoke("nonsense".into()).await, 200);
        assert_eq!(device.userinfo(&service, text(&session, "access_token")).await.status, 200);
        assert_eq!(revoke(text(&session, name).into()).await, 200);
        assert_eq!(device.userinfo(&service, text(&session, "access_token")).await.status, 401);
        refused(&device.refresh(&service, text(&session, "refresh_token")).await);
        assert_eq!(revoke(text(&session, name).into()).await, 200);
    }
}

#[tokio::test]
async fn userinfo_wants_the_token_the_key_and_a_proof_over_both() {
    let (service, device, thief) = (Service::start().await, Device::new(), Device::new());
    let token = text(&device.sign_in(&service).await, "access_token").to_owned();
    let info = device.userinfo(&service, &token).await;
    assert_eq!(info.status, 200);
    assert_eq!(info.json()["organization_name"], "Acme Rockets");
    assert_eq!(info.json()["connection_type"], "OktaSAML");
    assert_eq!(thief.userinfo(&service, &token).await.error(), (401, "invalid_token".into()));
    let url = format!("{}/oauth/userinfo", service.url);
    let bare = device.http.get(&url).header("authorization", format!("Bearer {token}"));
    let answer = device.send(bare, &device.proof("GET", &url, &json!({}), &json!({}))).await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").starts_with("DPoP"));
    let ath = json!({ "ath": s256(&token) });
    let twice = device.http.get(&url).header("authorization", format!("DPoP {token}"));
    let twice = twice.header("authorization", "DPoP another");
    let answer = device.send(twice, &device.proof("GET", &url, &json!({}), &ath)).await;
    assert_eq!(answer.error(), (401, "invalid_request".into()));
    let without_ath = device.http.get(&url).header("authorization", format!("DPoP {token}"));
    let answer = device.send(without_ath, &device.proof("GET", &url, &json!({}), &json!({}))).await;
    assert_eq!(answer.error(), (401, "invalid_dpop_proof".into()));
    service.wait(300);
    assert_eq!(device.userinfo(&service, &token).await.error(), (401, "invalid_token".into()));
    let forged = format!("{}x", &token[..token.len() - 1]);
    assert_eq!(device.userinfo(&service, &forged).await.status, 401);
}

#[tokio::test]
async fn get_and_query_parameters_get_nothing() {
    let (service, device) = (Service::start().await, Device::new());
    let url = format!("{}/oauth/token", service.url);
    assert_eq!(device.ask("GET", &url, None, None).await.status, 405);
    let answer = device.ask("POST", &url, None, Some(Body::Form(&[]))).await;
    assert_eq!(answer.error(), (400, "invalid_request".into()));
}
