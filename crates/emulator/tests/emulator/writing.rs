//! Organizations and connections that the API makes and changes.

use serde_json::{Value, json};

use crate::support::{CLIENT, Callback, Service, answer};

async fn send(service: &Service, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = service.http.request(method.parse().unwrap(), format!("{}{path}", service.url));
    answer(request.bearer_auth(CLIENT.1).json(body)).await
}

#[tokio::test]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let service = Service::start().await;
    let taken =
        json!({ "name": "New", "domain_data": [{ "domain": "ACME.test", "state": "verified" }] });
    let used = json!({ "name": "New", "external_id": "42" });
    for (method, path, body, status, code) in [
        ("POST", "/organizations", json!({}), 422, Some("invalid_request_parameters")),
        ("POST", "/organizations", taken.clone(), 409, None),
        ("POST", "/organizations", used, 400, Some("external_id_already_used")),
        ("PUT", "/organizations/org_none", json!({ "name": "x" }), 404, None),
        ("PUT", "/organizations/org_hooli", taken, 409, None),
        ("POST", "/connections", json!({}), 422, Some("invalid_request_parameters")),
        ("POST", "/connections", json!({ "organization_id": "org_none" }), 404, None),
        ("PATCH", "/connections/conn_none", json!({ "name": "x" }), 404, None),
    ] {
        let (answered, answer) = send(&service, method, path, &body).await;
        assert_eq!((answered, answer["code"].as_str()), (status, code), "{method} {path} {body}");
    }
    let (_, refused) = send(&service, "POST", "/organizations", &json!({})).await;
    assert_eq!(refused["errors"], json!([{ "field": "name", "code": "required" }]));
    let url = format!("{}/organizations", service.url);
    assert_eq!(answer(service.http.post(url).json(&json!({ "name": "x" }))).await.0, 401);
    assert_eq!(service.api("/events").await.1["data"], json!([]));
}

#[tokio::test]
async fn an_organization_that_was_made_signs_in_through_its_new_connection() {
    let service = Service::start().await;
    let body = json!({
        "name": "New",
        "domain_data": [
            { "domain": "globex.example", "state": "verified" },
            { "domain": "later.test", "state": "pending" },
        ],
    });
    let (status, made) = send(&service, "POST", "/organizations", &body).await;
    assert_eq!(status, 201);
    let states: Vec<_> =
        made["domains"].as_array().unwrap().iter().map(|it| &it["state"]).collect();
    assert_eq!(states, ["verified", "pending"]);
    let id = made["id"].as_str().unwrap();
    let body = json!({ "organization_id": id, "connection_type": "GenericOIDC" });
    let (_, draft) = send(&service, "POST", "/connections", &body).await;
    assert_eq!((&draft["state"], &draft["name"]), (&json!("draft"), &json!("New")));
    let body = json!({ "organization_id": id, "connection_type": "GenericOIDC",
                       "oidc_options": {}, "name": "East" });
    let (status, connection) = send(&service, "POST", "/connections", &body).await;
    assert_eq!((status, &connection["state"]), (201, &json!("active")));
    let own = connection["id"].as_str().unwrap();
    let change = json!({ "name": "West" });
    let (_, changed) = send(&service, "PATCH", &format!("/connections/{own}"), &change).await;
    assert_eq!(changed["name"], "West");
    let allowed = json!({ "allow_profiles_outside_organization": true });
    let path = format!("/organizations/{id}");
    assert_eq!(send(&service, "PUT", &path, &allowed).await.0, 200);
    let url = service.authorize_url(&[("connection", own)]);
    let answer = service.submit(&url, "ada@acme.test", "keyport").await;
    let (_, exchanged) = service.exchange(Callback::of(&answer).code(), &[]).await;
    assert_eq!(exchanged["profile"]["organization_id"], id);
    let (_, list) = service.api("/events").await;
    let names = list["data"].as_array().unwrap().iter().map(|it| it["event"].clone());
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["organization.created", "connection.activated", "organization.updated"]
    );
}
