//! Users and memberships as the API lists them.

use serde_json::{Value, json};

use crate::support::Service;

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_bad_query_names_its_fault() {
    let service = Service::authkit().await;
    let (status, body) = service.api("/user_management/users?limit=0").await;
    assert_eq!((status, &body["code"]), (422, &json!("invalid_request_parameters")));
    let (status, body) = service.api("/user_management/organization_memberships").await;
    assert_eq!((status, &body["code"]), (400, &json!("missing_user_id_or_organization_id")));
    for path in ["users/user_none", "organization_memberships/om_none", "email_verification/none"] {
        assert_eq!(service.api(&format!("/user_management/{path}")).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn users_are_found_by_email_and_by_organization() {
    let service = Service::authkit().await;
    let (_, list) = service.api("/user_management/users?email=ADA@acme.test").await;
    assert_eq!(ids(&list), ["user_ada"]);
    let (_, list) = service.api("/user_management/users?organization_id=org_acme").await;
    assert_eq!(ids(&list), ["user_all", "user_two", "user_ada"]);
    let (_, user) = service.api("/user_management/users/user_two").await;
    assert_eq!((&user["object"], &user["name"]), (&json!("user"), &Value::Null));
}

#[tokio::test]
async fn memberships_have_their_user_and_organization() {
    let service = Service::authkit().await;
    let (_, mut membership) = service.api("/user_management/organization_memberships/om_ada").await;
    assert_eq!(membership["user"].take()["id"], "user_ada");
    assert_eq!(
        membership,
        json!({
            "object": "organization_membership", "id": "om_ada", "user_id": "user_ada",
            "organization_id": "org_acme", "organization_name": "Acme", "status": "active",
            "directory_managed": false, "custom_attributes": {}, "role": { "slug": "admin" },
            "roles": [{ "slug": "admin" }], "user": null,
            "created_at": "2026-01-15T12:00:00.000Z", "updated_at": "2026-01-15T12:00:00.000Z",
        })
    );
    let path = "/user_management/organization_memberships?user_id=user_two";
    assert_eq!(service.api(path).await.1["data"].as_array().unwrap().len(), 3);
    let (_, inactive) = service.api(&format!("{path}&statuses=inactive,pending")).await;
    assert_eq!(inactive["data"][0]["organization_id"], "org_globex");
    assert_eq!(inactive["data"].as_array().unwrap().len(), 1);
}
