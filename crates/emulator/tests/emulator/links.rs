//! Sign-out at the provider, links to the portal, the redirect URIs, and the consent screen.

use serde_json::{Value, json};

use crate::support::{CLIENT, Callback, ENVIRONMENT, REDIRECT_URI, Service, answer};

async fn post(service: &Service, path: &str, body: Value) -> (u16, Value) {
    let request = service.http.post(format!("{}{path}", service.url)).json(&body);
    answer(request.bearer_auth(CLIENT.1)).await
}

/// An environment with a connection that can sign out and one that asks for consent.
async fn service() -> Service {
    let mut seed: Value = serde_json::from_str(ENVIRONMENT).unwrap();
    seed["connections"][2]["connection_type"] = json!("GenericOIDC");
    seed["connections"][0]["consent"] = json!(true);
    seed["sign_out_redirects"] = json!(["https://app.example/signed-out"]);
    Service::with_seed(&seed.to_string()).await
}

async fn profile(service: &Service, connection: &str) -> String {
    let url = service.authorize_url(&[("connection", connection)]);
    let callback = service.sign_in(&url, "grace@globex.test").await;
    let (_, answer) = service.exchange(callback.code(), &[]).await;
    answer["profile"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn only_an_oidc_connection_signs_out_and_its_token_serves_once() {
    let service = service().await;
    let path = "/sso/logout/authorize";
    assert_eq!(post(&service, path, json!({})).await.0, 422);
    assert_eq!(post(&service, path, json!({ "profile_id": "prof_none" })).await.0, 404);
    let saml = profile(&service, "conn_umbrella").await;
    assert_eq!(
        post(&service, path, json!({ "profile_id": saml })).await,
        (
            400,
            json!({
                "error": "connection_invalid",
                "error_description": "Single Logout is only supported for GenericOIDC connections.",
            })
        )
    );
    let oidc = profile(&service, "conn_globex_1").await;
    let (status, offered) = post(&service, path, json!({ "profile_id": oidc })).await;
    assert_eq!(status, 201);
    let url = offered["logout_url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}/sso/logout?token=", service.url)), "{url}");
    let out = service.open(url).await;
    let target = "https://app.example/signed-out".parse().unwrap();
    assert_eq!((out.status().as_u16(), &out.headers()["location"]), (302, &target));
    assert_eq!(service.open(url).await.status(), 400);
}

#[tokio::test]
async fn a_link_to_the_portal_lives_five_minutes() {
    let service = service().await;
    let path = "/portal/generate_link";
    for (body, status) in [
        (json!({}), 422),
        (json!({ "organization": "org_acme", "intent": "magic" }), 422),
        (json!({ "organization": "org_acme", "it_contact_emails": vec!["a@b.test"; 21] }), 422),
        (json!({ "organization": "org_none" }), 404),
    ] {
        assert_eq!(post(&service, path, body.clone()).await.0, status, "{body}");
    }
    let body = json!({ "organization": "org_acme", "intent": "sso" });
    let (status, made) = post(&service, path, body).await;
    let link = made["link"].as_str().unwrap();
    assert_eq!((status, service.open(link).await.status().as_u16()), (201, 200));
    let ahead = json!({ "advance_seconds": 300 });
    let clock = service.http.post(format!("{}/_emulator/clock", service.url)).json(&ahead);
    assert_eq!(clock.send().await.unwrap().status(), 204);
    assert_eq!(service.open(link).await.status(), 400);
}

#[tokio::test]
async fn redirect_uris_are_listed_with_the_default_one() {
    let service = service().await;
    let (_, list) = service.api("/user_management/redirect_uris?order=asc").await;
    let rows = list["data"].as_array().unwrap().iter();
    let rows: Vec<_> = rows.map(|row| (&row["uri"], &row["default"])).collect();
    assert_eq!(
        rows,
        [
            (&json!("http://127.0.0.1:*/callback"), &json!(false)),
            (&json!("https://app.example/callback?x=1"), &json!(true)),
            (&json!("dev.example.app:/callback"), &json!(false)),
        ]
    );
}

#[tokio::test]
async fn consent_may_be_denied() {
    let service = service().await;
    let url = service.authorize_url(&[]);
    let asked = service.submit(&url, "ada@acme.test", "keyport").await;
    assert_eq!(asked.status(), 200);
    assert!(asked.text().await.unwrap().contains("name=\"consent\""));
    let decide = async |consent: &str| {
        let form = [("email", "ada@acme.test"), ("password", "keyport"), ("consent", consent)];
        Callback::of(&service.http.post(&url).form(&form).send().await.unwrap())
    };
    let denied = decide("no").await;
    assert_eq!(denied.value("error"), Some("signin_consent_denied"));
    let given = decide("yes").await;
    assert_eq!((given.to.as_str(), given.code().len()), (REDIRECT_URI, 26));
}
