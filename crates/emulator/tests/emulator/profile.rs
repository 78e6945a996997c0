//! The profile: its full shape, who keeps which id, and who may read it.

use serde_json::{Value, json};

use crate::support::{CLIENT, Service, answer};

async fn profile(service: &Service, connection: &str, email: &str) -> Value {
    let callback =
        service.sign_in(&service.authorize_url(&[("connection", connection)]), email).await;
    service.exchange(callback.code(), &[]).await.1["profile"].clone()
}

#[tokio::test]
async fn only_an_access_token_opens_the_profile() {
    let service = Service::start().await;
    let code = service.code(&[]).await;
    let (_, exchanged) = service.exchange(&code, &[]).await;
    let token = exchanged["access_token"].as_str().unwrap();
    let get = || service.http.get(format!("{}/sso/profile", service.url));
    let unauthorized = (401, json!({"error": "Unauthorized"}));
    for (scheme, wrong) in
        [("Bearer", CLIENT.1), ("Bearer", &code), ("Bearer", ""), ("Basic", token), ("", token)]
    {
        let refused = answer(get().header("authorization", format!("{scheme} {wrong}"))).await;
        assert_eq!(refused, unauthorized, "{scheme} {wrong}");
    }
    assert_eq!(answer(get()).await, unauthorized);
    assert_eq!(answer(get().bearer_auth(token)).await, (200, exchanged["profile"].clone()));
}

#[tokio::test]
async fn it_has_every_field_of_the_reference() {
    let service = Service::start().await;
    let mut profile = profile(&service, "conn_acme", "ada@acme.test").await;
    let id = profile.as_object_mut().unwrap().remove("id").unwrap();
    assert!(id.as_str().unwrap().starts_with("prof_"));
    assert_eq!(
        profile,
        json!({
            "object": "profile",
            "organization_id": "org_acme",
            "connection_id": "conn_acme",
            "connection_type": "OktaSAML",
            "idp_id": "ada-at-okta",
            "email": "ada@acme.test",
            "first_name": "Ada",
            "last_name": "Lovelace",
            "name": "Ada Lovelace",
            "role": {"slug": "admin"},
            "roles": [{"slug": "admin"}],
            "groups": ["Engineering"],
            "custom_attributes": {"floor": 3},
            "raw_attributes": {
                "idp_id": "ada-at-okta",
                "email": "ada@acme.test",
                "firstName": "Ada",
                "lastName": "Lovelace",
                "groups": ["Engineering"],
                "phone": "555",
            },
        })
    );
}

#[tokio::test]
async fn what_the_provider_does_not_say_is_null() {
    let service = Service::start().await;
    let profile = profile(&service, "conn_globex_1", "grace@globex.test").await;
    assert_eq!(profile["name"], "Grace");
    for field in ["last_name", "role", "roles"] {
        assert_eq!(profile.get(field), Some(&Value::Null), "{field}");
    }
}

#[tokio::test]
async fn a_person_keeps_their_ids_over_sign_ins_and_restarts() {
    let (one, other) = (Service::start().await, Service::start().await);
    let first = profile(&one, "conn_acme", "ada@acme.test").await;
    let again = profile(&one, "conn_acme", "ADA@acme.test").await;
    assert_eq!(first, again);
    assert_eq!(first, profile(&other, "conn_acme", "ada@acme.test").await);
}

#[tokio::test]
async fn one_person_through_two_connections_is_two_profiles() {
    let service = Service::start().await;
    let east = profile(&service, "conn_globex_1", "grace@globex.test").await;
    let west = profile(&service, "conn_globex_2", "grace@globex.test").await;
    assert_ne!((&east["id"], &east["idp_id"]), (&west["id"], &west["idp_id"]));
    let google = profile(&service, "conn_google", "grace@globex.test").await;
    assert_eq!(google["organization_id"], Value::Null);
}

#[tokio::test]
async fn transient_ids_change_at_each_sign_in() {
    let service = Service::start().await;
    let first = profile(&service, "conn_umbrella", "ada@acme.test").await;
    let second = profile(&service, "conn_umbrella", "ada@acme.test").await;
    assert_eq!(first["email"], second["email"]);
    assert_ne!(first["idp_id"], second["idp_id"]);
    assert_ne!(first["id"], second["id"]);
    // A person's seeded idp_id does not make a transient connection persistent.
    assert_ne!(first["idp_id"], "ada-at-okta");
}
