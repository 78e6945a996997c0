//! `/connections`: no entry without the key, filters, cursors, delete.

use serde_json::{Value, json};

use crate::support::{CLIENT, Callback, Service, answer};

const NEWEST_FIRST: [&str; 10] = [
    "conn_xero",
    "conn_github_2",
    "conn_github_1",
    "conn_google",
    "conn_umbrella",
    "conn_initech",
    "conn_globex_2",
    "conn_globex_1",
    "conn_acme_old",
    "conn_acme",
];

fn ids(list: &Value) -> Vec<&str> {
    list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|connection| connection["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn nothing_without_the_api_key() {
    let service = Service::start().await;
    for path in [
        "/connections",
        "/connections/conn_acme",
        "/connections/conn_unknown",
        "/organizations/org_acme",
    ] {
        let request = || service.http.get(format!("{}{path}", service.url));
        assert_eq!(answer(request()).await, (401, json!({"message": "Unauthorized"})), "{path}");
        assert_eq!(answer(request().bearer_auth("sk_other")).await.0, 401, "{path}");
        assert_eq!(answer(request().basic_auth(CLIENT.1, None::<&str>)).await.0, 401, "{path}");
    }
    let delete = service.http.delete(format!("{}/connections/conn_acme", service.url));
    assert_eq!(answer(delete).await.0, 401);
    assert_eq!(service.api("/connections/conn_acme").await.0, 200);
}

#[tokio::test]
async fn the_path_under_sso_never_existed() {
    let service = Service::start().await;
    for path in ["/sso/connections", "/sso/connections/conn_acme"] {
        assert_eq!(service.api(path).await.0, 404);
    }
}

#[tokio::test]
async fn a_bad_query_is_unprocessable() {
    let service = Service::start().await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=ten",
        "order=newest",
        "before=conn_acme&after=conn_acme",
        "after=conn_unknown",
        "domain=a&domain=b",
    ] {
        let (status, body) = service.api(&format!("/connections?{query}")).await;
        assert_eq!((status, body["message"].is_string()), (422, true), "{query}");
    }
}

#[tokio::test]
async fn a_connection_has_its_full_shape() {
    let service = Service::start().await;
    let (status, mut connection) = service.api("/connections/conn_acme").await;
    assert_eq!(status, 200);
    for domain in connection["domains"].as_array_mut().unwrap() {
        assert!(
            domain
                .as_object_mut()
                .unwrap()
                .remove("id")
                .unwrap()
                .as_str()
                .unwrap()
                .starts_with("org_domain_")
        );
    }
    assert_eq!(
        connection,
        json!({
            "object": "connection",
            "id": "conn_acme",
            "organization_id": "org_acme",
            "connection_type": "OktaSAML",
            "name": "Acme",
            "state": "active",
            "status": "linked",
            "domains": [
                {"object": "connection_domain", "domain": "acme.test"},
                {"object": "connection_domain", "domain": "acme.example"},
            ],
            "created_at": "2026-01-15T12:00:00.000Z",
            "updated_at": "2026-01-15T12:00:00.000Z",
        })
    );
    let (_, inactive) = service.api("/connections/conn_acme_old").await;
    assert_eq!((&inactive["state"], &inactive["status"]), (&json!("inactive"), &json!("unlinked")));
    assert_eq!(service.api("/connections/conn_google").await.1["organization_id"], Value::Null);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let service = Service::start().await;
    for (query, expected) in [
        ("connection_type=OktaSAML", &["conn_globex_1", "conn_acme"][..]),
        ("domain=acme.example", &["conn_acme_old", "conn_acme"]),
        ("domain=acme", &[]),
        ("organization_id=org_globex", &["conn_globex_2", "conn_globex_1"]),
        ("organization_id=org_globex&connection_type=OktaSAML", &["conn_globex_1"]),
        ("search=GLOBEX%20w", &["conn_globex_2"]),
        // There is no such filter at WorkOS; it changes nothing.
        ("organization_id=org_acme&state=active", &["conn_acme_old", "conn_acme"]),
    ] {
        let (_, list) = service.api(&format!("/connections?{query}")).await;
        assert_eq!(ids(&list), expected, "{query}");
        assert_eq!(list["list_metadata"], json!({"before": null, "after": null}), "{query}");
    }
}

#[tokio::test]
async fn cursors_walk_the_list_both_ways() {
    let service = Service::start().await;
    let mut oldest_first = NEWEST_FIRST;
    oldest_first.reverse();
    for (order, expected) in
        [("desc", NEWEST_FIRST), ("normal", NEWEST_FIRST), ("asc", oldest_first)]
    {
        let (mut forth, mut cursor) = (Vec::new(), String::new());
        let last = loop {
            let (_, list) =
                service.api(&format!("/connections?order={order}&limit=4{cursor}")).await;
            forth.extend(ids(&list).into_iter().map(str::to_owned));
            match list["list_metadata"]["after"].as_str() {
                Some(after) => cursor = format!("&after={after}"),
                None => break list,
            }
        };
        assert_eq!(forth, expected, "{order}");
        let before = last["list_metadata"]["before"].as_str().unwrap();
        let (_, previous) =
            service.api(&format!("/connections?order={order}&limit=4&before={before}")).await;
        assert_eq!(ids(&previous), expected[4..8], "{order}");
        assert_eq!(
            previous["list_metadata"],
            json!({"before": expected[4], "after": expected[7]}),
            "{order}"
        );
    }
}

#[tokio::test]
async fn the_first_page_has_ten_and_nothing_before() {
    let service = Service::start().await;
    let (_, list) = service.api("/connections").await;
    assert_eq!((list["object"].as_str(), ids(&list)), (Some("list"), NEWEST_FIRST.to_vec()));
    assert_eq!(list["list_metadata"], json!({"before": null, "after": null}));
}

#[tokio::test]
async fn a_deleted_connection_is_gone_everywhere() {
    let service = Service::start().await;
    let delete = || {
        service.http.delete(format!("{}/connections/conn_acme", service.url)).bearer_auth(CLIENT.1)
    };
    assert_eq!(answer(delete()).await, (204, Value::Null));
    let (status, body) = answer(delete()).await;
    assert_eq!((status, body["message"].is_string()), (404, true));
    assert_eq!(service.api("/connections/conn_acme").await.0, 404);
    let callback = Callback::of(&service.open(&service.authorize_url(&[])).await);
    assert_eq!(callback.value("error"), Some("connection_invalid"));
}
