//! The MFA API by itself.

use serde_json::json;

use super::{assert_plain, totp};
use crate::support::{Service, answer};

#[tokio::test]
async fn what_is_no_totp_factor_is_refused() {
    let service = Service::authkit().await;
    for body in [
        json!({}),
        json!({ "type": "sms", "phone_number": "+15005550006" }),
        json!({ "type": "totp", "totp_secret": "short" }),
    ] {
        assert_eq!(service.api_post("/auth/factors/enroll", body).await.0, 422);
    }
    let path = "/user_management/users/user_none/auth_factors";
    assert_eq!(service.api_post(path, json!({ "type": "totp" })).await.0, 404);
    assert_eq!(service.api_post("/auth/factors/none/challenge", json!({})).await.0, 404);
    let body = json!({ "code": "1" });
    assert_eq!(service.api_post("/auth/challenges/none/verify", body).await.0, 404);
    for path in ["/auth/factors/x", "/user_management/users", "/user_management/users/user_ada"] {
        assert_eq!(answer(service.http.get(format!("{}{path}", service.url))).await.0, 401);
    }
}

#[tokio::test]
async fn a_factor_is_enrolled_challenged_verified_and_deleted() {
    let service = Service::authkit().await;
    let names = json!({ "type": "totp", "totp_issuer": "Keyport", "totp_user": "ada" });
    let (status, factor) = service.api_post("/auth/factors/enroll", names).await;
    assert_eq!((status, &factor["type"]), (201, &json!("totp")));
    let shown = &factor["totp"];
    assert!(shown["qr_code"].as_str().unwrap().starts_with("data:image/"));
    assert!(shown["uri"].as_str().unwrap().starts_with("otpauth://totp/Keyport:ada?secret="));
    let id = factor["id"].as_str().unwrap();
    let (_, read) = service.api(&format!("/auth/factors/{id}")).await;
    assert_eq!(read["totp"], json!({ "issuer": "Keyport", "user": "ada" }), "no secret");
    let path = format!("/auth/factors/{id}/challenge");
    let (_, challenge) = service.api_post(&path, json!({})).await;
    let path = format!("/auth/challenges/{}/verify", challenge["id"].as_str().unwrap());
    let verify = async |code: &str| service.api_post(&path, json!({ "code": code })).await;
    assert_eq!(verify("000000").await.1["valid"], false);
    let code = totp(shown["secret"].as_str().unwrap(), 0);
    let (status, verified) = verify(&code).await;
    assert_eq!((status, &verified["valid"]), (201, &json!(true)));
    assert_plain(&verify(&code).await, "one_time_code_previously_used");
    let delete = || {
        let url = format!("{}/auth/factors/{id}", service.url);
        answer(service.http.delete(url).bearer_auth(crate::support::CLIENT.1))
    };
    assert_eq!(delete().await.0, 204);
    assert_eq!(delete().await.0, 404);
}
