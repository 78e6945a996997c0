//! Proofs and nonces (RFC 9449), against a service that believes neither `Host` nor the device's
//! clock.

use serde_json::{Value, json};

use crate::support::{Answer, Device, Service, random, s256};

async fn push_with(service: &Service, device: &Device, header: Value, claims: Value) -> Answer {
    let url = format!("{}/oauth/par", service.url);
    let (_, form) = device.request(&[]);
    let proof = device.proof("POST", &url, &header, &claims);
    device.send(device.http.post(&url).form(&form), &proof).await
}

async fn with_nonce(service: &Service) -> Device {
    let device = Device::new();
    let first = push_with(service, &device, json!({}), json!({})).await;
    assert_eq!(first.error(), (400, "use_dpop_nonce".into()));
    device
}

#[tokio::test]
async fn a_nonce_is_asked_for_once_and_never_twice_running() {
    let service = Service::start().await;
    let device = with_nonce(&service).await;
    for _ in 0..3 {
        service.wait(59);
        let answer = push_with(&service, &device, json!({}), json!({})).await;
        assert_eq!(answer.status, 201, "each answer brings the nonce for the next request");
    }
    service.wait(120);
    assert_eq!(
        push_with(&service, &device, json!({}), json!({})).await.error().1,
        "use_dpop_nonce"
    );
    service.wait(59);
    assert_eq!(push_with(&service, &device, json!({}), json!({})).await.status, 201);
    let made_up = push_with(&service, &device, json!({}), json!({ "nonce": random() })).await;
    assert_eq!(made_up.error(), (400, "use_dpop_nonce".into()));
}

#[tokio::test]
async fn a_clock_that_is_hours_off_signs_in() {
    let service = Service::start().await;
    for clock_error in [-3600, 3600, 10 * 365 * 86400] {
        let mut device = Device::new();
        device.clock_error = clock_error;
        device.sign_in(&service).await;
    }
}

#[tokio::test]
async fn a_proof_is_good_once() {
    let service = Service::start().await;
    let device = with_nonce(&service).await;
    let jti = random();
    assert_eq!(push_with(&service, &device, json!({}), json!({ "jti": jti })).await.status, 201);
    let again = push_with(&service, &device, json!({}), json!({ "jti": jti })).await;
    assert_eq!(again.error(), (400, "invalid_dpop_proof".into()));
}

#[tokio::test]
async fn a_proof_that_is_not_exactly_about_this_request_is_refused() {
    let service = Service::start().await;
    let device = with_nonce(&service).await;
    let other = Device::new();
    let par = format!("{}/oauth/par", service.url);
    let good =
        push_with(&service, &device, json!({}), json!({ "htu": format!("{par}?a=b#c") })).await;
    assert_eq!(good.status, 201, "query and fragment do not count");
    let table = [
        (json!({}), json!({ "htm": "GET" })),
        (json!({}), json!({ "htm": "post" })),
        (json!({}), json!({ "htu": format!("{}/oauth/token", service.url) })),
        (json!({}), json!({ "htu": "https://evil.test/oauth/par" })),
        (json!({}), json!({ "htu": null })),
        (json!({}), json!({ "jti": null })),
        (json!({}), json!({ "jti": "" })),
        (json!({}), json!({ "jti": "j".repeat(300) })),
        (json!({}), json!({ "iat": null })),
        (json!({}), json!({ "iat": "now" })),
        (json!({ "typ": "JWT" }), json!({})),
        (json!({ "typ": null }), json!({})),
        (json!({ "alg": "none" }), json!({})),
        (json!({ "alg": "HS256" }), json!({})),
        (json!({ "alg": "RS256" }), json!({})),
        (json!({ "jwk": null }), json!({})),
        (json!({ "jwk": { "kty": "oct", "k": "AAAA" } }), json!({})),
        (json!({ "jwk": { "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA" } }), json!({})),
        (json!({ "jwk": other_key(&other) }), json!({})),
        (json!({ "jwk": with_private_part(&device, json!("AAAA")) }), json!({})),
        (json!({ "jwk": with_private_part(&device, Value::Null) }), json!({})),
        (json!({ "crit": ["x"], "x": 1 }), json!({})),
    ];
    for (header, claims) in table {
        let answer = push_with(&service, &device, header.clone(), claims.clone()).await;
        assert_eq!(answer.error(), (400, "invalid_dpop_proof".into()), "{header} {claims}");
        assert_ne!(answer.header("dpop-nonce"), "");
    }
}

fn other_key(device: &Device) -> Value {
    let proof = device.proof("GET", "http://x", &json!({}), &json!({}));
    let head = base64::Engine::decode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        proof.split('.').next().unwrap(),
    )
    .unwrap();
    serde_json::from_slice::<Value>(&head).unwrap()["jwk"].clone()
}

fn with_private_part(device: &Device, d: Value) -> Value {
    let mut jwk = other_key(device);
    jwk["d"] = d;
    jwk
}

#[tokio::test]
async fn no_proof_two_proofs_and_noise_are_refused() {
    let service = Service::start().await;
    let device = with_nonce(&service).await;
    let url = format!("{}/oauth/par", service.url);
    let (_, form) = device.request(&[]);
    let proof = || device.proof("POST", &url, &json!({}), &json!({}));
    let requests = [
        device.http.post(&url).form(&form),
        device.http.post(&url).form(&form).header("dpop", proof()).header("dpop", proof()),
        device.http.post(&url).form(&form).header("dpop", "a.b.c"),
        device.http.post(&url).form(&form).header("dpop", "x".repeat(6000)),
    ];
    for request in requests {
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.error(), (400, "invalid_dpop_proof".into()));
    }
}

#[tokio::test]
async fn the_host_header_has_no_say() {
    let service = Service::start().await;
    let device = with_nonce(&service).await;
    let url = format!("{}/oauth/par", service.url);
    let (_, form) = device.request(&[]);
    let proof = device.proof("POST", "https://evil.test/oauth/par", &json!({}), &json!({}));
    let answer =
        device.send(device.http.post(&url).header("host", "evil.test").form(&form), &proof).await;
    assert_eq!(answer.error(), (400, "invalid_dpop_proof".into()));
    let proof = device.proof("POST", &url, &json!({}), &json!({}));
    let answer =
        device.send(device.http.post(&url).header("host", "evil.test").form(&form), &proof).await;
    assert_eq!(answer.status, 201);
}

#[tokio::test]
async fn at_a_resource_the_nonce_is_asked_for_with_401() {
    let service = Service::start().await;
    let device = Device::new();
    let token = device.sign_in(&service).await["access_token"].as_str().unwrap().to_owned();
    service.wait(130);
    let url = format!("{}/oauth/userinfo", service.url);
    let proof = device.proof("GET", &url, &json!({}), &json!({ "ath": s256(&token) }));
    let answer = device
        .send(device.http.get(&url).header("authorization", format!("DPoP {token}")), &proof)
        .await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").starts_with("DPoP error=\"use_dpop_nonce\""));
    assert_eq!(device.userinfo(&service, &token).await.status, 200);
}
