//! Directories: who is in them, and the events of those who come, change and leave.

use serde_json::{Value, json};

use crate::support::{CLIENT, ENVIRONMENT, Service, answer};

impl Service {
    pub async fn with_directory() -> Self {
        let mut seed: Value = serde_json::from_str(ENVIRONMENT).unwrap();
        seed["directories"] = json!([{
            "id": "directory_acme", "organization_id": "org_acme", "name": "Acme",
            "users": [
                { "id": "directory_user_ada", "email": "ada@acme.test", "idp_id": "ada-at-okta",
                  "first_name": "Ada", "groups": ["Engineering"] },
                { "id": "directory_user_grace", "email": "grace@acme.test" },
            ],
        }]);
        Self::with_seed(&seed.to_string()).await
    }
}

async fn change(service: &Service, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = service.http.request(method.parse().unwrap(), format!("{}{path}", service.url));
    answer(request.bearer_auth(CLIENT.1).json(&body)).await
}

async fn names(service: &Service) -> Vec<String> {
    let (_, list) = service.api("/events?limit=100").await;
    let events = list["data"].as_array().unwrap().iter();
    events.map(|it| it["event"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn nothing_without_the_key_and_nothing_unknown() {
    let service = Service::with_directory().await;
    for path in ["/directories", "/directory_users?directory=directory_acme", "/directory_groups"] {
        assert_eq!(answer(service.http.get(format!("{}{path}", service.url))).await.0, 401);
    }
    assert_eq!(service.api("/directory_users").await.0, 422);
    for path in ["/directories/directory_none", "/directory_users/directory_user_none"] {
        assert_eq!(service.api(path).await.0, 404, "{path}");
    }
    let path = "/_emulator/directory_users/directory_user_ada";
    assert_eq!(change(&service, "PATCH", path, json!({ "state": "gone" })).await.0, 422);
    assert!(names(&service).await.is_empty());
}

#[tokio::test]
async fn a_directory_user_has_the_full_shape_and_is_found() {
    let service = Service::with_directory().await;
    let (_, user) = service.api("/directory_users/directory_user_ada").await;
    for (name, value) in [
        ("object", "directory_user"),
        ("directory_id", "directory_acme"),
        ("organization_id", "org_acme"),
        ("idp_id", "ada-at-okta"),
        ("state", "active"),
        ("name", "Ada"),
    ] {
        assert_eq!(user[name], value, "{name}");
    }
    let group = user["groups"][0]["id"].as_str().unwrap();
    for query in ["idp_id=ada-at-okta", "email=ADA@acme.test", &format!("group={group}")] {
        let path = format!("/directory_users?directory=directory_acme&{query}");
        let (_, list) = service.api(&path).await;
        let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
        assert_eq!(ids, ["directory_user_ada"], "{query}");
    }
    let (_, groups) = service.api("/directory_groups?directory=directory_acme").await;
    assert_eq!(groups["data"][0]["name"], "Engineering");
}

#[tokio::test]
async fn who_comes_changes_and_leaves_is_an_event_each() {
    let service = Service::with_directory().await;
    let path = "/_emulator/directories/directory_acme/users";
    let (status, new) = change(&service, "POST", path, json!({ "email": "new@acme.test" })).await;
    assert_eq!(status, 201);
    let path = "/_emulator/directory_users/directory_user_ada";
    let body = json!({ "state": "suspended", "groups": ["Mathematics"] });
    assert_eq!(change(&service, "PATCH", path, body).await.0, 200);
    let path = format!("/_emulator/directory_users/{}", new["id"].as_str().unwrap());
    assert_eq!(change(&service, "DELETE", &path, json!({})).await.0, 204);
    assert_eq!(change(&service, "DELETE", &path, json!({})).await.0, 404);
    assert_eq!(change(&service, "DELETE", "/directories/directory_acme", json!({})).await.0, 202);
    assert_eq!(
        names(&service).await,
        [
            "dsync.user.created",
            "dsync.user.updated",
            "dsync.group.user_added",
            "dsync.group.user_removed",
            "dsync.user.deleted",
            "dsync.deleted",
        ]
    );
    let (_, list) = service.api("/events?events=dsync.user.updated").await;
    let data = &list["data"][0]["data"];
    assert_eq!((&data["state"], &data["idp_id"]), (&json!("suspended"), &json!("ada-at-okta")));
    assert_eq!(data["previous_attributes"]["state"], "active");
}

#[tokio::test]
async fn a_connection_that_is_switched_and_an_organization_that_goes_are_events() {
    let service = Service::start().await;
    let path = "/_emulator/connections/conn_acme";
    for state in ["inactive", "inactive", "active"] {
        assert_eq!(change(&service, "PATCH", path, json!({ "state": state })).await.0, 204);
    }
    assert_eq!(change(&service, "DELETE", "/organizations/org_acme", json!({})).await.0, 202);
    assert_eq!(change(&service, "DELETE", "/organizations/org_acme", json!({})).await.0, 404);
    let expected = ["connection.deactivated", "connection.activated", "connection.deleted"];
    let events = names(&service).await;
    assert_eq!(events[..3], expected);
    assert_eq!(events[3..], ["connection.deleted", "organization.deleted"]);
    let (_, list) = service.api("/organizations?domains=globex.test").await;
    assert_eq!(list["data"][0]["id"], "org_globex");
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
}
