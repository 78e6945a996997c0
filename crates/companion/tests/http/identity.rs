//! What the provider says of a person enters only as an identity: nameless people sign in, people
//! who cannot be told apart do not.

use serde_json::{Value, json};

use crate::support::{Browser, Device, Service, ada, parameter};

/// Ada's profile with these members; `null` removes one.
fn profile(changes: &Value) -> Value {
    let mut profile = ada();
    for (name, value) in changes.as_object().unwrap() {
        profile[name] = value.clone();
    }
    profile.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    profile
}

/// Signs in with this profile; what the token endpoint says of the account, or the problem.
async fn sign_in(service: &Service, profile: Value) -> Result<Value, String> {
    let device = Device::new();
    service.provider.profiles.lock().unwrap().insert("of-this-test".into(), profile);
    let pushed = device.push(service, &[]).await;
    let mut browser = Browser::new();
    let handoff = browser.arrive(service, &pushed, "of-this-test").await;
    let page = browser.get(&handoff).await;
    let state = device.attempt_state(service, &pushed.attempt).await;
    if state["state"] == "failed" {
        assert_eq!(page.problem(), state["problem"]);
        return Err(page.problem().to_owned());
    }
    let callback = browser.come_back_from(&handoff).await;
    let code = parameter(&callback, "code");
    let answer = device.redeem(service, &code, &pushed.verifier).await;
    Ok(answer.json()["keyport_account"].clone())
}

#[tokio::test]
async fn people_without_an_id_of_their_own_do_not_become_one_user() {
    let service = Service::start().await;
    for field in ["idp_id", "id", "connection_id", "email"] {
        for empty in ["", " "] {
            let refused = sign_in(&service, profile(&json!({ field: empty }))).await;
            assert_eq!(refused, Err("provider_failed".into()), "{field}");
        }
    }
    let one = sign_in(&service, profile(&json!({ "idp_id": "one" }))).await.unwrap();
    let two = sign_in(&service, profile(&json!({ "idp_id": "two" }))).await.unwrap();
    assert_ne!(one["sub"], two["sub"]);
    assert_eq!(one["email"], two["email"]);
}

#[tokio::test]
async fn ids_and_emails_with_line_ends_or_bidi_controls_are_refused() {
    let service = Service::start().await;
    for changes in [
        json!({ "email": "ada@acme.test\nBcc: eve@evil.test" }),
        json!({ "email": "ada@\u{202e}tset.emca" }),
        json!({ "email": format!("{}@acme.test", "a".repeat(250)) }),
        json!({ "idp_id": "ada\u{0}1" }),
        json!({ "idp_id": "a".repeat(256) }),
    ] {
        let refused = sign_in(&service, profile(&changes)).await;
        assert_eq!(refused, Err("provider_failed".into()), "{changes}");
    }
}

#[tokio::test]
async fn a_name_is_cleaned_and_cut() {
    let service = Service::start().await;
    for (name, kept) in [
        ("Ada\u{202e}ecalevoL", "AdaecalevoL".to_owned()),
        ("Ada\nLovelace\u{2066}", "Ada Lovelace".to_owned()),
        (&*"x".repeat(500_000), "x".repeat(256)),
    ] {
        let account = sign_in(&service, profile(&json!({ "name": name }))).await.unwrap();
        assert_eq!(account["name"], kept);
    }
}

#[tokio::test]
async fn a_person_without_a_name_or_attributes_signs_in() {
    let service = Service::start().await;
    let nameless = json!({ "name": null, "first_name": null, "last_name": null });
    let mut unnamed = profile(&nameless);
    assert_eq!(sign_in(&service, unnamed.clone()).await.unwrap()["name"], Value::Null);
    unnamed.as_object_mut().unwrap().remove("raw_attributes");
    assert_eq!(sign_in(&service, unnamed.clone()).await.unwrap()["name"], Value::Null);
    for name in ["name", "first_name", "last_name"] {
        for silent in [json!(null), json!("")] {
            unnamed[name] = silent;
            assert_eq!(sign_in(&service, unnamed.clone()).await.unwrap()["name"], Value::Null);
        }
    }
}

#[tokio::test]
async fn hostile_attributes_refuse_no_sign_in() {
    let service = Service::start().await;
    let many: Vec<String> = (0..2000).map(|number| format!("group {number}")).collect();
    for attributes in [
        json!({ "groups": many, "role": { "slug": "x".repeat(100_000) } }),
        json!({ "groups": ["a\nb", { "name": "c" }, null], "role": "admin", "roles": 7 }),
        json!({ "groups": "Engineering", "role": { "slug": ["admin"] } }),
        json!({ "custom_attributes": { "\u{202e}": "a\u{0}b", "deep": { "deeper": [{}] } } }),
        json!({ "custom_attributes": { "long": "x".repeat(500_000) } }),
        json!({ "custom_attributes": ["a"] }),
    ] {
        let account = sign_in(&service, profile(&attributes)).await.unwrap();
        assert_eq!(account["email"], "ada@acme.test");
    }
}

#[tokio::test]
async fn a_provider_that_sends_a_megabyte_is_not_read_to_its_end() {
    let service = Service::start().await;
    let large = profile(&json!({ "raw_attributes": { "photo": "x".repeat(2 * 1024 * 1024) } }));
    assert_eq!(sign_in(&service, large).await, Err("service_unavailable".into()));
}
