//! Sessions: what ends them, and what is felt of it.

use serde_json::{Value, json};

use super::{assert_refused, claims};
use crate::support::Service;

fn refresh(session: &Value) -> Value {
    json!({ "grant_type": "refresh_token", "refresh_token": session["refresh_token"] })
}

#[tokio::test]
async fn a_revoked_session_is_not_refreshed_and_another_one_is() {
    let service = Service::authkit().await;
    let (_, first) = service.password("ada@acme.test").await;
    let (_, second) = service.password("ada@acme.test").await;
    let sid = claims(&first)["sid"].clone();
    let revoke = json!({ "session_id": sid });
    let path = "/user_management/sessions/revoke";
    let (status, ended) = service.api_post(path, revoke.clone()).await;
    assert_eq!((status, &ended["status"]), (200, &json!("revoked")));
    assert_refused(&service.grant(refresh(&first)).await, "invalid_grant");
    assert_eq!(service.grant(refresh(&second)).await.0, 200);
    assert_eq!(service.api_post(path, revoke).await.0, 400);
    assert_eq!(service.api_post(path, json!({})).await.0, 422);
    let (_, list) = service.api("/user_management/users/user_ada/sessions").await;
    let states = list["data"].as_array().unwrap().iter().map(|it| it["status"].clone());
    assert_eq!(states.collect::<Vec<_>>(), ["active", "revoked"], "newest first");
    assert_eq!(service.api("/user_management/users/user_none/sessions").await.0, 404);
}

#[tokio::test]
async fn the_events_of_a_life_with_authkit_are_all_there() {
    let service = Service::authkit().await;
    let code = service.provider_code(("connection_id", "conn_acme"), "ada@acme.test").await;
    let (_, session) = service.code_grant(&code).await;
    let sid = claims(&session)["sid"].clone();
    let call = async |method: &str, path: &str| {
        let url = format!("{}/user_management/{path}", service.url);
        let request = service.http.request(method.parse().unwrap(), url);
        crate::support::answer(request.bearer_auth(crate::support::CLIENT.1)).await
    };
    let membership = "organization_memberships/om_ada";
    let (status, inactive) = call("PUT", &format!("{membership}/deactivate")).await;
    assert_eq!((status, &inactive["status"]), (200, &json!("inactive")));
    assert_eq!(call("PUT", &format!("{membership}/reactivate")).await.1["status"], "active");
    assert_eq!(call("DELETE", membership).await.0, 204);
    assert_eq!(call("DELETE", membership).await.0, 404);
    assert_eq!(call("DELETE", "users/user_ada").await.0, 204);
    assert_eq!(call("DELETE", "users/user_ada").await.0, 404);
    assert_refused(&service.grant(refresh(&session)).await, "invalid_grant");
    let (_, list) = service.api("/events?limit=100").await;
    let events = list["data"].as_array().unwrap();
    let names: Vec<_> = events.iter().map(|it| it["event"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "session.created",
            "authentication.sso_succeeded",
            "organization_membership.updated",
            "organization_membership.updated",
            "organization_membership.deleted",
            "session.revoked",
            "user.deleted",
        ]
    );
    let sso = json!({ "organization_id": "org_acme", "connection_id": "conn_acme",
                      "session_id": sid });
    assert_eq!(events[1]["data"]["sso"], sso);
    assert_eq!(events[5]["data"]["id"], sid);
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let service = Service::authkit().await;
    let (_, session) = service.password("ada@acme.test").await;
    service.advance(7 * 24 * 60 * 60).await;
    assert_refused(&service.grant(refresh(&session)).await, "invalid_grant");
    let (_, list) = service.api("/user_management/users/user_ada/sessions").await;
    assert_eq!(list["data"][0]["status"], "expired");
}

#[tokio::test]
async fn a_sign_out_leads_to_a_registered_place_only() {
    let service = Service::authkit().await;
    let (_, session) = service.password("ada@acme.test").await;
    let sid = claims(&session)["sid"].as_str().unwrap().to_owned();
    let open = async |query: &str| {
        service.open(&format!("{}/user_management/sessions/logout?{query}", service.url)).await
    };
    let evil = open(&format!("session_id={sid}&return_to=https://evil.test/")).await;
    assert_eq!((evil.status().as_u16(), evil.headers().get("location")), (422, None));
    assert_eq!(open("return_to=https://app.example/signed-out").await.status(), 422);
    assert_eq!(service.grant(refresh(&session)).await.0, 200, "still there");
    for (query, target) in [
        ("", "https://app.example/signed-out"),
        ("&return_to=http://127.0.0.1:5555/signed-out", "http://127.0.0.1:5555/signed-out"),
    ] {
        let answer = open(&format!("session_id={sid}{query}")).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["location"]),
            (302, &target.parse().unwrap())
        );
    }
    let (_, list) = service.api("/user_management/users/user_ada/sessions").await;
    assert_eq!(list["data"][0]["status"], "revoked");
}
