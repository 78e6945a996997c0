//! `/user_management/authenticate`: who may ask, what a code and a refresh token are worth, and
//! what is answered.

use serde_json::{Value, json};

use super::{assert_plain, assert_refused, claims};
use crate::support::{CLIENT, Callback, Service, answer};

// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: [(&str, &str); 2] = [
    ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
    ("code_challenge_method", "S256"),
];

async fn hosted_code(service: &Service, changes: &[(&str, &str)]) -> String {
    let page = service.page_of(&service.authkit_url(changes)).await;
    let form = [("email", "ada@acme.test"), ("password", "keyport")];
    Callback::of(&service.post_form(&page, &form).await).code().to_owned()
}

#[tokio::test]
async fn a_foreign_client_is_refused_and_the_code_lives_on() {
    let service = Service::authkit().await;
    let code = hosted_code(&service, &[]).await;
    for change in [
        json!({ "client_secret": "sk_wrong" }),
        json!({ "client_secret": null }),
        json!({ "client_id": "client_other" }),
        json!({ "client_id": null }),
    ] {
        let mut body = json!({ "grant_type": "authorization_code", "code": code });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_refused(&service.grant(body).await, "invalid_client");
    }
    assert_eq!(service.code_grant(&code).await.0, 200);
    assert_refused(&service.code_grant(&code).await, "invalid_grant");
}

#[tokio::test]
async fn a_public_client_needs_the_verifier_and_a_wrong_one_burns_the_code() {
    let service = Service::authkit().await;
    let grant = |code: &str, verifier: &str| {
        json!({ "grant_type": "authorization_code", "code": code, "client_secret": null,
                "code_verifier": verifier })
    };
    let code = hosted_code(&service, &CHALLENGE).await;
    assert_refused(&service.grant(grant(&code, &"w".repeat(43))).await, "invalid_grant");
    assert_refused(&service.grant(grant(&code, VERIFIER)).await, "invalid_grant");
    let code = hosted_code(&service, &CHALLENGE).await;
    assert_eq!(service.grant(grant(&code, VERIFIER)).await.0, 200);
    let code = hosted_code(&service, &CHALLENGE).await;
    assert_refused(&service.code_grant(&code).await, "invalid_grant");
}

#[tokio::test]
async fn a_code_of_sso_is_none_of_authkit_and_the_other_way_round() {
    let service = Service::authkit().await;
    let sso = service.code(&[]).await;
    assert_refused(&service.code_grant(&sso).await, "invalid_grant");
    let authkit = hosted_code(&service, &[]).await;
    assert_eq!(service.exchange(&authkit, &[]).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_code_dies_after_ten_minutes() {
    let service = Service::authkit().await;
    let code = hosted_code(&service, &[]).await;
    service.advance(600).await;
    assert_refused(&service.code_grant(&code).await, "invalid_grant");
}

#[tokio::test]
async fn a_malformed_request_has_a_code_and_a_message() {
    let service = Service::authkit().await;
    for body in [
        json!({}),
        json!({ "grant_type": "authorization_code" }),
        json!({ "grant_type": "refresh_token" }),
        json!({ "grant_type": "password", "email": "ada@acme.test" }),
    ] {
        let (status, answer) = service.grant(body.clone()).await;
        assert_eq!((status, answer["code"].as_str()), (422, Some("invalid_request_parameters")));
        assert!(answer["message"].is_string(), "{body}");
    }
    assert_refused(&service.grant(json!({ "grant_type": "implicit" })).await, "invalid_request");
    let invited = json!({ "grant_type": "authorization_code", "code": "x",
                          "invitation_token": "none" });
    assert_refused(&service.grant(invited).await, "invitation_invalid");
}

#[tokio::test]
async fn a_wrong_password_or_an_unknown_user_are_one_error() {
    let service = Service::authkit().await;
    for (email, password) in [("ada@acme.test", "wrong"), ("unknown@acme.test", "keyport")] {
        let grant = json!({ "grant_type": "password", "email": email, "password": password });
        assert_plain(&service.grant(grant).await, "invalid_credentials");
    }
    assert_eq!(service.password("ADA@acme.test").await.0, 200);
}

#[tokio::test]
async fn form_and_json_get_the_same_complete_answer() {
    let service = Service::authkit().await;
    let code = hosted_code(&service, &[]).await;
    let form = [
        ("client_id", CLIENT.0),
        ("client_secret", CLIENT.1),
        ("grant_type", "authorization_code"),
        ("code", &code),
    ];
    let url = format!("{}/user_management/authenticate", service.url);
    let (status, by_form) = answer(service.http.post(url).form(&form)).await;
    assert_eq!(status, 200, "{by_form}");
    let (_, by_json) = service.code_grant(&hosted_code(&service, &[]).await).await;
    for answer in [by_form, by_json] {
        let (mut user, claims) = (answer["user"].clone(), claims(&answer));
        assert!(user["last_sign_in_at"].take().is_string());
        assert_eq!(
            user,
            json!({
                "object": "user", "id": "user_ada", "email": "ada@acme.test",
                "email_verified": true, "first_name": "Ada", "last_name": "Lovelace",
                "name": "Ada Lovelace", "profile_picture_url": null, "external_id": null,
                "metadata": {}, "last_sign_in_at": null, "locale": null,
                "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:00.000Z",
            })
        );
        assert_eq!(answer["organization_id"], "org_acme");
        assert_eq!(answer["authentication_method"], "Password");
        assert_eq!(
            (&claims["iss"], &claims["sub"], &claims["org_id"], &claims["role"]),
            (
                &json!("https://auth.example/"),
                &json!("user_ada"),
                &json!("org_acme"),
                &json!("admin")
            )
        );
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 300);
        assert!(claims["sid"].as_str().unwrap().starts_with("session_"));
    }
}

#[tokio::test]
async fn the_access_token_verifies_with_the_clients_jwks() {
    let service = Service::authkit().await;
    let (_, session) = service.password("ada@acme.test").await;
    let (status, jwks) =
        answer(service.http.get(format!("{}/sso/jwks/{}", service.url, CLIENT.0))).await;
    assert_eq!(status, 200);
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks.clone()).unwrap();
    let token = session["access_token"].as_str().unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = set.find(header.kid.as_deref().unwrap()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    let rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    assert!(jsonwebtoken::decode::<Value>(token, &key, &rules).is_ok());
    for name in ["x5c", "x5t#S256", "n", "e", "kid", "use", "alg", "kty"] {
        assert!(jwks["keys"][0].get(name).is_some(), "{name}");
    }
    let unknown = service.http.get(format!("{}/sso/jwks/client_other", service.url));
    assert_eq!(answer(unknown).await.0, 404);
}

#[tokio::test]
async fn a_refresh_token_serves_once_and_for_its_client() {
    let service = Service::authkit().await;
    let (_, first) = service.password("ada@acme.test").await;
    let refresh = |token: &Value| json!({ "grant_type": "refresh_token", "refresh_token": token });
    let token = &first["refresh_token"];
    let (status, second) = service.grant(refresh(token)).await;
    assert_eq!((status, &claims(&second)["sid"]), (200, &claims(&first)["sid"]));
    assert_refused(&service.grant(refresh(token)).await, "invalid_grant");
    assert_refused(&service.grant(refresh(&json!("made-up"))).await, "invalid_grant");
    // Public: no secret.
    let mut public = refresh(&second["refresh_token"]);
    public["client_secret"] = Value::Null;
    assert_eq!(service.grant(public).await.0, 200);
}

#[tokio::test]
async fn a_refresh_may_change_the_organization_where_the_user_belongs() {
    let service = Service::authkit().await;
    let page = service.password("two@hooli.test").await;
    let token = super::assert_challenge(&page, "organization_selection_required");
    let grant = json!({ "grant_type": super::ORGANIZATION, "organization_id": "org_acme",
                        "pending_authentication_token": token });
    let (_, session) = service.grant(grant).await;
    let refresh = |organization: &str| {
        json!({ "grant_type": "refresh_token", "refresh_token": session["refresh_token"],
                "organization_id": organization })
    };
    assert_refused(&service.grant(refresh("org_none")).await, "organization_not_found");
    for foreign in ["org_strict", "org_globex"] {
        let refused = service.grant(refresh(foreign)).await;
        assert_refused(&refused, "organization_membership_not_found");
    }
    let (status, moved) = service.grant(refresh("org_hooli")).await;
    assert_eq!((status, &claims(&moved)["org_id"]), (200, &json!("org_hooli")));
}
