//! The steps that the API puts between a sign-in and its session, each with its wrong, spent and
//! late codes; and the whole way through all of them.

use serde_json::{Value, json};

use super::{
    EMAIL, MFA, ORGANIZATION, SECRET, assert_challenge, assert_plain, assert_refused, claims, totp,
};
use crate::support::Service;

fn email(token: &str, code: &str) -> Value {
    json!({ "grant_type": EMAIL, "code": code, "pending_authentication_token": token })
}

fn mfa(token: &str, challenge: &Value, code: &str) -> Value {
    json!({ "grant_type": MFA, "code": code, "pending_authentication_token": token,
            "authentication_challenge_id": challenge["id"] })
}

fn organization(token: &str, id: &str) -> Value {
    json!({ "grant_type": ORGANIZATION, "organization_id": id,
            "pending_authentication_token": token })
}

#[tokio::test]
async fn a_wrong_email_code_is_refused_and_the_attempt_goes_on() {
    let service = Service::authkit().await;
    let challenge = service.password("new@hooli.test").await;
    let token = assert_challenge(&challenge, "email_verification_required");
    assert_eq!(challenge.1["email"], "new@hooli.test");
    assert_plain(&service.grant(email(token, "wrong")).await, "invalid_one_time_code");
    let code = service.sent_code(&challenge.1).await;
    assert_plain(
        &service.grant(email("made-up", &code)).await,
        "invalid_pending_authentication_token",
    );
    let (status, session) = service.grant(email(token, &code)).await;
    assert_eq!((status, &session["user"]["email_verified"]), (200, &json!(true)));
    assert_plain(&service.grant(email(token, &code)).await, "invalid_pending_authentication_token");
    assert_eq!(service.password("new@hooli.test").await.0, 200, "verified for good");
}

#[tokio::test]
async fn an_email_code_is_given_up_after_five_tries_and_after_ten_minutes() {
    let service = Service::authkit().await;
    let challenge = service.password("new@hooli.test").await;
    let token = assert_challenge(&challenge, "email_verification_required");
    let code = service.sent_code(&challenge.1).await;
    for _ in 0..5 {
        assert_plain(&service.grant(email(token, "wrong")).await, "invalid_one_time_code");
    }
    assert_plain(&service.grant(email(token, &code)).await, "one_time_code_too_many_attempts");
    let again = service.password("new@hooli.test").await;
    let code = service.sent_code(&again.1).await;
    service.advance(300).await;
    let late = service.password("new@hooli.test").await;
    assert_eq!(late.1["email_verification_id"], again.1["email_verification_id"]);
    let token = assert_challenge(&late, "email_verification_required");
    service.advance(300).await;
    assert_plain(&service.grant(email(token, &code)).await, "one_time_code_expired");
    service.advance(300).await;
    assert_plain(&service.grant(email(token, &code)).await, "invalid_pending_authentication_token");
}

#[tokio::test]
async fn a_challenge_needs_the_client_secret() {
    let service = Service::authkit().await;
    let challenge = service.password("new@hooli.test").await;
    let mut grant = email(assert_challenge(&challenge, "email_verification_required"), "1");
    grant["client_secret"] = Value::Null;
    assert_refused(&service.grant(grant).await, "invalid_client");
}

#[tokio::test]
async fn an_mfa_challenge_takes_the_code_of_its_user_once() {
    let service = Service::authkit().await;
    let challenge = service.password("totp@hooli.test").await;
    let token = assert_challenge(&challenge, "mfa_challenge");
    let factors = &challenge.1["authentication_factors"];
    assert_eq!((&factors[0]["type"], factors.as_array().unwrap().len()), (&json!("totp"), 1));
    assert_eq!(challenge.1["user"]["id"], "user_totp");
    let path = format!("/auth/factors/{}/challenge", factors[0]["id"].as_str().unwrap());
    let (status, made) = service.api_post(&path, json!({})).await;
    assert_eq!((status, &made["authentication_factor_id"]), (201, &factors[0]["id"]));
    assert_plain(&service.grant(mfa(token, &made, "000000")).await, "invalid_one_time_code");
    let foreign = json!({ "id": "auth_challenge_none" });
    assert_plain(&service.grant(mfa(token, &foreign, "000000")).await, "user_mismatch");
    let code = totp(SECRET, 0);
    assert_eq!(service.grant(mfa(token, &made, &code)).await.0, 200);
    let again = service.password("totp@hooli.test").await;
    let token = assert_challenge(&again, "mfa_challenge");
    let (_, made) = service.api_post(&path, json!({})).await;
    assert_plain(&service.grant(mfa(token, &made, &code)).await, "one_time_code_previously_used");
    service.advance(60).await;
    assert_eq!(service.grant(mfa(token, &made, &totp(SECRET, 60))).await.0, 200);
}

#[tokio::test]
async fn an_mfa_challenge_expires_and_gives_up() {
    let service = Service::authkit().await;
    let challenge = service.password("totp@hooli.test").await;
    let token = assert_challenge(&challenge, "mfa_challenge");
    let id = challenge.1["authentication_factors"][0]["id"].as_str().unwrap();
    let path = format!("/auth/factors/{id}/challenge");
    let (_, made) = service.api_post(&path, json!({})).await;
    for _ in 0..5 {
        assert_plain(&service.grant(mfa(token, &made, "000000")).await, "invalid_one_time_code");
    }
    let right = totp(SECRET, 0);
    let refused = service.grant(mfa(token, &made, &right)).await;
    assert_plain(&refused, "one_time_code_too_many_attempts");
    let (_, made) = service.api_post(&path, json!({})).await;
    service.advance(599).await;
    let fresh = service.password("totp@hooli.test").await;
    let token = assert_challenge(&fresh, "mfa_challenge");
    service.advance(2).await;
    let right = totp(SECRET, 601);
    assert_plain(&service.grant(mfa(token, &made, &right)).await, "one_time_code_expired");
}

#[tokio::test]
async fn who_has_no_factor_enrols_one_and_it_counts_once_it_is_confirmed() {
    let service = Service::authkit().await;
    let challenge = service.password("enroll@hooli.test").await;
    assert_challenge(&challenge, "mfa_enrollment");
    let path = "/user_management/users/user_enroll/auth_factors";
    let names = json!({ "type": "totp", "totp_issuer": "Keyport", "totp_user": "enroll" });
    let (status, enrolled) = service.api_post(path, names).await;
    assert_eq!(status, 201);
    let secret = enrolled["authentication_factor"]["totp"]["secret"].as_str().unwrap();
    // It was offered and not confirmed: the next sign-in asks to enrol again.
    let again = service.password("enroll@hooli.test").await;
    let token = assert_challenge(&again, "mfa_enrollment");
    let made = &enrolled["authentication_challenge"];
    assert_plain(&service.grant(mfa(token, made, "000000")).await, "invalid_one_time_code");
    assert_eq!(service.grant(mfa(token, made, &totp(secret, 0))).await.0, 200);
    assert_challenge(&service.password("enroll@hooli.test").await, "mfa_challenge");
}

#[tokio::test]
async fn a_user_of_two_organizations_chooses_one_of_their_own() {
    let service = Service::authkit().await;
    let challenge = service.password("two@hooli.test").await;
    let token = assert_challenge(&challenge, "organization_selection_required");
    assert_eq!(
        challenge.1["organizations"],
        json!([{ "id": "org_acme", "name": "Acme" }, { "id": "org_hooli", "name": "Hooli" }]),
        "active ones"
    );
    for foreign in ["org_globex", "org_none"] {
        let refused = service.grant(organization(token, foreign)).await;
        assert_plain(&refused, "invalid_organization_id");
    }
    let (status, session) = service.grant(organization(token, "org_hooli")).await;
    assert_eq!((status, &session["organization_id"]), (200, &json!("org_hooli")));
}

#[tokio::test]
async fn an_organization_may_want_its_own_sso() {
    let service = Service::authkit().await;
    let refused = service.password("strict@strict.test").await;
    assert_refused(&refused, "sso_required");
    assert_eq!(refused.1["connection_ids"], json!(["conn_strict"]));
    assert_eq!(refused.1["email"], "strict@strict.test");
    let chosen = service.password("half@hooli.test").await;
    let token = assert_challenge(&chosen, "organization_selection_required");
    let (status, body) = service.grant(organization(token, "org_strict")).await;
    let message = json!({ "message": "Must use SSO for selected organization" });
    assert_eq!((status, body), (400, message));
    let code = service.provider_code(("connection_id", "conn_strict"), "strict@strict.test").await;
    let (status, session) = service.code_grant(&code).await;
    assert_eq!((status, &session["authentication_method"]), (200, &json!("SSO")));
}

#[tokio::test]
async fn through_an_organization_the_api_puts_every_step_one_after_the_other() {
    let service = Service::authkit().await;
    let code = service.provider_code(("organization_id", "org_acme"), "all@acme.test").await;
    let first = service.code_grant(&code).await;
    let token = assert_challenge(&first, "email_verification_required");
    let second = service.grant(email(token, &service.sent_code(&first.1).await)).await;
    let token = assert_challenge(&second, "mfa_enrollment");
    let path = "/user_management/users/user_all/auth_factors";
    let (_, enrolled) = service.api_post(path, json!({ "type": "totp" })).await;
    let secret = enrolled["authentication_factor"]["totp"]["secret"].as_str().unwrap();
    let grant = mfa(token, &enrolled["authentication_challenge"], &totp(secret, 0));
    let third = service.grant(grant).await;
    let token = assert_challenge(&third, "organization_selection_required");
    let (status, session) = service.grant(organization(token, "org_hooli")).await;
    assert_eq!((status, &claims(&session)["org_id"]), (200, &json!("org_hooli")));
    assert_eq!(session["authentication_method"], "SSO");
}

#[tokio::test]
async fn who_comes_through_a_connection_becomes_a_user_and_a_member() {
    let service = Service::authkit().await;
    let code = service.provider_code(("connection_id", "conn_globex_1"), "grace@globex.test").await;
    let (status, session) = service.code_grant(&code).await;
    assert_eq!((status, &session["organization_id"]), (200, &json!("org_globex")), "{session}");
    assert_eq!(session["user"]["email_verified"], true, "a domain of the organization");
    let code = service.provider_code(("provider", "GoogleOAuth"), "grace@globex.test").await;
    let (_, social) = service.code_grant(&code).await;
    assert_eq!(social["user"]["id"], session["user"]["id"]);
    assert_eq!(social["authentication_method"], "GoogleOAuth");
    // An address outside the organization's domains is not believed.
    let service = Service::authkit().await;
    let code = service.provider_code(("connection_id", "conn_umbrella"), "grace@globex.test").await;
    assert_challenge(&service.code_grant(&code).await, "email_verification_required");
}
