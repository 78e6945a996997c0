//! The token endpoint: what is refused and what that costs, then what is answered.

use serde_json::{Value, json};

use crate::support::{CLIENT, Service, answer};

// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: [(&str, &str); 2] = [
    ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("code_challenge_method", "S256"),
];

fn assert_refused((status, body): &(u16, Value), error: &str) {
    assert_eq!((*status, body["error"].as_str()), (400, Some(error)), "{body}");
    assert!(body["error_description"].is_string());
}

#[tokio::test]
async fn a_foreign_client_is_refused_and_the_code_lives_on() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    for wrong in [
        ("client_secret", ""),
        ("client_secret", "sk_test_of_the_test"),
        ("client_secret", "sk_test_of_the_tests "),
        ("client_id", ""),
        ("client_id", "client_other"),
    ] {
        assert_refused(&service.exchange(&code, &[wrong]).await, "invalid_client");
    }
    assert_eq!(service.exchange(&code, &[]).await.0, 200);
}

#[tokio::test]
async fn the_api_key_as_bearer_does_not_count() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    let without = service.token_request(&code, &[("client_secret", "")]).bearer_auth(CLIENT.1);
    assert_refused(&answer(without).await, "invalid_client");
    let beside = service.token_request(&code, &[]).bearer_auth("sk_of_another_account");
    assert_eq!(answer(beside).await.0, 200);
}

#[tokio::test]
async fn a_code_serves_once_even_when_64_ask_at_once() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    let racers: Vec<_> =
        (0..64).map(|_| tokio::spawn(answer(service.token_request(&code, &[])))).collect();
    let mut won = 0;
    for racer in racers {
        let outcome = racer.await.unwrap();
        match outcome.0 {
            200 => won += 1,
            _ => assert_refused(&outcome, "invalid_grant"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(service.calls().await["codes"], json!({"issued": 1, "redeemed": 1, "refused": 63}));
}

#[tokio::test]
async fn a_used_or_invented_code_is_an_invalid_grant() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    assert_eq!(service.exchange(&code, &[]).await.0, 200);
    for spent in [code.as_str(), "01E2RJ4C05B52KKZ8FSRDAP23J"] {
        let refused = service.exchange(spent, &[]).await;
        assert_refused(&refused, "invalid_grant");
        assert_eq!(
            refused.1["error_description"],
            "The code has expired or has already been used."
        );
    }
}

#[tokio::test]
async fn a_missing_or_wrong_verifier_burns_the_code() {
    let service = Service::start().await;
    let another = VERIFIER.replace('d', "e");
    for wrong in ["", "short", another.as_str(), CHALLENGE[0].1] {
        let code = service.code(&CHALLENGE).await;
        assert_refused(
            &service.exchange(&code, &[("code_verifier", wrong)]).await,
            "invalid_grant",
        );
        assert_refused(
            &service.exchange(&code, &[("code_verifier", VERIFIER)]).await,
            "invalid_grant",
        );
    }
}

#[tokio::test]
async fn a_verifier_without_a_challenge_is_a_stripped_challenge() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    assert_refused(&service.exchange(&code, &[("code_verifier", VERIFIER)]).await, "invalid_grant");
}

#[tokio::test]
async fn other_grants_are_unsupported_and_cost_no_code() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    for grant in ["", "refresh_token", "client_credentials", "password"] {
        assert_refused(
            &service.exchange(&code, &[("grant_type", grant)]).await,
            "unsupported_grant_type",
        );
    }
    assert_eq!(service.exchange(&code, &[]).await.0, 200);
}

#[tokio::test]
async fn a_malformed_body_has_a_message_and_costs_no_code() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    let post = || service.http.post(format!("{}/sso/token", service.url));
    let form = format!(
        "client_id={}&client_secret={}&grant_type=authorization_code&code={code}",
        CLIENT.0, CLIENT.1
    );
    let typed = |kind: &str, body: String| post().header("content-type", kind).body(body);
    let form_type = "application/x-www-form-urlencoded";
    for (request, status) in [
        (typed("application/json", form.clone()), 400),
        (typed("application/json", "[]".to_owned()), 400),
        (typed("text/plain", form.clone()), 422),
        (post().body(form.clone()), 422),
        (typed(form_type, format!("{form}&code={code}")), 422),
        (typed(form_type, form.replace(&code, "")), 422),
        (typed(form_type, format!("{form}&padding={}", "x".repeat(20_000))), 413),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        if status != 413 {
            assert!(response.json::<Value>().await.unwrap()["message"].is_string());
        }
    }
    assert_eq!(service.exchange(&code, &[]).await.0, 200);
}

#[tokio::test]
async fn there_is_nothing_to_get() {
    let service = Service::start().await;
    assert_eq!(service.api("/sso/token").await, (405, json!({"message": "Method Not Allowed"})));
    assert_eq!(service.api("/sso/tokens").await, (404, json!({"message": "Not Found"})));
}

#[tokio::test]
async fn form_and_json_get_the_same_complete_answer() {
    let service = Service::start().await;
    let form =
        service.token_request(&service.code(&CHALLENGE).await, &[("code_verifier", VERIFIER)]);
    let body = json!({
        "client_id": CLIENT.0,
        "client_secret": CLIENT.1,
        "grant_type": "authorization_code",
        "code": service.code(&CHALLENGE).await,
        "code_verifier": VERIFIER,
        "subject_token": null,
    });
    let json = service.http.post(format!("{}/sso/token", service.url)).json(&body);
    let ((_, by_form), (_, by_json)) = (answer(form).await, answer(json).await);
    assert_eq!(by_form["profile"], by_json["profile"]);
    assert_ne!(by_form["access_token"], by_json["access_token"]);
    for answer in [by_form, by_json] {
        assert_eq!(
            (answer["token_type"].as_str(), answer["expires_in"].as_u64()),
            (Some("Bearer"), Some(600))
        );
    }
}

#[tokio::test]
async fn an_answer_with_a_token_is_not_stored_and_has_a_request_id() {
    let service = Service::start().await;
    let response = service.token_request(&service.code(&[]).await, &[]).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(response.headers().contains_key("x-request-id"));
}
