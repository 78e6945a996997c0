//! What is found out about the account at the provider before a person signs in.

use keyport_companion::config::UpstreamSettings;
use keyport_companion::domain::SecretText;
use keyport_companion::upstream::UpstreamError;
use keyport_companion::upstream::workos_sso::WorkosSso;
use serde_json::json;

use crate::support::{API_KEY, Service};

#[tokio::test]
async fn an_unregistered_client_id_or_redirect_uri_is_found_at_start() {
    let service = Service::start().await;
    for (client_id, port, known) in [
        ("client_1", 8788, Ok(())),
        ("client_of_another_environment", 8788, Err(UpstreamError::WrongClient)),
        ("client_1", 1, Err(UpstreamError::WrongClient)),
    ] {
        let settings = UpstreamSettings {
            base_url: service.provider_url.clone(),
            client_id: client_id.into(),
            api_key: SecretText::new(API_KEY),
            authkit_domain: None,
        };
        let upstream = WorkosSso::new(&settings).unwrap();
        let redirect_uri = format!("http://127.0.0.1:{port}/callback");
        assert_eq!(upstream.check_client(&redirect_uri).await, known, "{client_id} {port}");
    }
}

#[tokio::test]
async fn only_the_providers_own_answer_proves_the_key_wrong() {
    let service = Service::start().await;
    let settings = UpstreamSettings {
        base_url: service.provider_url.clone(),
        client_id: "client_1".into(),
        api_key: SecretText::new(API_KEY),
        authkit_domain: None,
    };
    let upstream = WorkosSso::new(&settings).unwrap();
    assert_eq!(upstream.check_key().await, Ok(()));
    for (status, answer, error) in [
        (401, json!({ "message": "Unauthorized" }), UpstreamError::WrongKey),
        (401, json!({ "error": "Unauthorized" }), UpstreamError::WrongKey),
        (401, json!("<h1>Unauthorized</h1>"), UpstreamError::Foreign(401)),
        (403, json!("<h1>Blocked by policy</h1>"), UpstreamError::Foreign(403)),
        (403, json!({ "error": "blocked" }), UpstreamError::Foreign(403)),
        (403, json!({ "message": ["Forbidden"] }), UpstreamError::Foreign(403)),
        // The provider's documented shape, which refuses what was asked and not the key.
        (403, json!({ "message": "Forbidden" }), UpstreamError::Refused(403)),
        (403, json!({ "code": "invalid_client", "message": "x" }), UpstreamError::Refused(403)),
        (400, json!({ "message": "Validation failed" }), UpstreamError::Refused(400)),
        (409, json!({ "code": "domain_conflict", "message": "x" }), UpstreamError::Refused(409)),
        (409, json!("<h1>Conflict</h1>"), UpstreamError::Foreign(409)),
        (422, json!({ "message": "Validation failed" }), UpstreamError::Refused(422)),
        // A captive portal answers everything with its own page.
        (200, json!("<h1>Accept the terms of this network</h1>"), UpstreamError::Foreign(200)),
        (200, json!(""), UpstreamError::Foreign(200)),
        (200, json!({ "data": "nonsense" }), UpstreamError::Nonsense),
        (404, json!("<h1>No such page</h1>"), UpstreamError::Foreign(404)),
    ] {
        *service.provider.refuse_with.lock().unwrap() = Some((status, answer.clone()));
        assert_eq!(upstream.check_key().await, Err(error), "{status} {answer}");
    }
}
