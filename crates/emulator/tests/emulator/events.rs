//! The Events API: who may read it, how it is filtered, and that each change is in it.

use serde_json::{Value, json};

use crate::support::{CLIENT, Service, answer};

fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|it| it["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn nothing_without_the_key_and_bad_filters_are_unprocessable() {
    let service = Service::start().await;
    assert_eq!(answer(service.http.get(format!("{}/events", service.url))).await.0, 401);
    for query in ["limit=0", "after=event_none", "range_start=today", "order=newest"] {
        assert_eq!(service.api(&format!("/events?{query}")).await.0, 422, "{query}");
    }
    assert_eq!(service.api("/events").await.1["data"], json!([]));
}

#[tokio::test]
async fn a_deleted_connection_is_an_event_and_takes_its_codes_along() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    for id in ["conn_acme", "conn_google"] {
        let path = format!("{}/connections/{id}", service.url);
        assert_eq!(answer(service.http.delete(path).bearer_auth(CLIENT.1)).await.0, 204);
    }
    assert_eq!(service.exchange(&code, &[]).await.1["error"], "invalid_grant");
    let (_, list) = service.api("/events").await;
    assert_eq!(names(&list), ["connection.deleted", "connection.deleted"]);
    let first = &list["data"][0];
    assert_eq!((&first["object"], &first["data"]["id"]), (&json!("event"), &json!("conn_acme")));
    assert!(first["id"].as_str().unwrap().starts_with("event_"));
    let after = format!("/events?after={}", first["id"].as_str().unwrap());
    assert_eq!(service.api(&after).await.1["data"][0]["data"]["id"], "conn_google");
    for (query, count) in [
        ("events=connection.deleted", 2),
        ("events=user.created,connection.deleted", 2),
        ("events[]=user.created&events[]=connection.deleted", 2),
        ("events=user.created", 0),
        ("organization_id=org_acme", 1),
        ("range_start=2026-01-15T12:00:00Z", 2),
        ("range_end=2026-01-15T12:00:00Z", 0),
    ] {
        let (_, list) = service.api(&format!("/events?{query}")).await;
        assert_eq!(list["data"].as_array().unwrap().len(), count, "{query}");
    }
}
