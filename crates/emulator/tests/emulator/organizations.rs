//! `/organizations/{id}`. That it needs the key is tested beside the connections.

use serde_json::json;

use crate::support::Service;

#[tokio::test]
async fn an_unknown_organization_is_not_found() {
    let service = Service::start().await;
    let (status, body) = service.api("/organizations/org_unknown").await;
    assert_eq!((status, body["message"].is_string()), (404, true));
}

#[tokio::test]
async fn an_organization_has_its_full_shape() {
    let service = Service::start().await;
    let (status, mut organization) = service.api("/organizations/org_globex").await;
    assert_eq!(status, 200);
    let domain = organization["domains"][0].take();
    assert_eq!(
        organization,
        json!({
            "object": "organization",
            "id": "org_globex",
            "name": "Globex <&> \"Sons\"",
            "allow_profiles_outside_organization": false,
            "domains": [null],
            "stripe_customer_id": null,
            "external_id": "42",
            "metadata": {"tier": "gold"},
            "created_at": "2026-01-15T12:00:00.000Z",
            "updated_at": "2026-01-15T12:00:00.000Z",
        })
    );
    assert_eq!(
        (domain["domain"].as_str(), domain["state"].as_str()),
        (Some("globex.test"), Some("verified"))
    );
    assert_eq!(domain["organization_id"], "org_globex");
    // The same domain has the same id in a connection.
    let (_, connection) = service.api("/connections/conn_globex_1").await;
    assert_eq!(connection["domains"][0]["id"], domain["id"]);
}
