//! The profile in the answer of a code exchange: what of it is read, and as what. Here an identity
//! enters the service; the rules for it are `domain`'s.

use serde_json::{Value, json};
use workos::models::Profile;

use super::UpstreamError;
use crate::domain::{ProviderProfile, UpstreamIdentity};

/// Reads the profile.
///
/// # Errors
/// It cannot be the identity of a person; the log says why and never shows a value.
pub(super) fn identity(issuer: &str, profile: Profile) -> Result<UpstreamIdentity, UpstreamError> {
    let connection = profile.connection_id.clone();
    let validated = UpstreamIdentity::validate(ProviderProfile {
        issuer: issuer.to_owned(),
        profile_id: profile.id,
        connection_id: profile.connection_id,
        connection_type: profile.connection_type.as_str().to_owned(),
        idp_id: profile.idp_id,
        email: profile.email,
        name: full_name(profile.name, profile.first_name, profile.last_name),
        organization_id: profile.organization_id,
    })
    .map_err(UpstreamError::Identity)?;
    if validated.is_name_cleaned {
        // Debug escapes what the connection id may hold, which is known to be short by now.
        tracing::warn!(?connection, "the name of a person was cleaned before it is kept");
    }
    Ok(validated.identity)
}

fn full_name(name: Option<String>, first: Option<String>, last: Option<String>) -> Option<String> {
    let says = |text: &String| !text.trim().is_empty();
    let parts: Vec<String> = [first, last].into_iter().flatten().filter(says).collect();
    name.filter(says).or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
}

/// The members of a profile that are never read. They may be large, secret or of any shape, and the
/// WorkOS crate refuses a profile without `raw_attributes`.
const NOT_READ: [&str; 4] = ["custom_attributes", "groups", "role", "roles"];

/// Takes out of the body of a token answer what is never read. Anything else stays as it came: what
/// is wrong with it is said by whoever reads it.
pub(super) fn without_attributes(body: &[u8]) -> Option<Vec<u8>> {
    let mut answer: Value = serde_json::from_slice(body).ok()?;
    answer.as_object_mut()?.remove("oauth_tokens");
    let profile = answer.get_mut("profile")?.as_object_mut()?;
    profile.retain(|name, _| !NOT_READ.contains(&name.as_str()));
    profile.insert("raw_attributes".to_owned(), json!({}));
    serde_json::to_vec(&answer).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(changes: &Value) -> Value {
        let mut profile = json!({
            "object": "profile", "id": "prof_1", "connection_id": "conn_1", "idp_id": "ada-1",
            "connection_type": "OktaSAML", "email": "ada@acme.test", "organization_id": "org_1",
            "first_name": "Ada", "last_name": "Lovelace", "name": "Ada King",
            "role": {"slug": "admin"}, "roles": [{"slug": "admin"}], "groups": ["a"],
            "custom_attributes": {"floor": 3}, "raw_attributes": {"phone": "planted"},
        });
        for (name, value) in changes.as_object().unwrap() {
            profile[name] = value.clone();
        }
        json!({"profile": profile, "access_token": "t", "oauth_tokens": {"access_token": "x"}})
    }

    fn read(answer: &Value) -> UpstreamIdentity {
        let body = without_attributes(&serde_json::to_vec(answer).unwrap()).unwrap();
        let mut read: Value = serde_json::from_slice(&body).unwrap();
        let profile = serde_json::from_value(read["profile"].take()).unwrap();
        identity("https://api.workos.com", profile).unwrap()
    }

    #[test]
    fn attributes_go_no_further_whatever_they_are() {
        let all = ["raw_attributes", "custom_attributes", "groups", "role", "roles"];
        for name in all {
            for sent in [json!(null), json!(7), json!([1]), json!({"a": {"b": []}})] {
                let mut changed = answer(&json!({}));
                changed["profile"][name] = sent;
                read(&changed);
            }
            let mut absent = answer(&json!({}));
            absent["profile"].as_object_mut().unwrap().remove(name);
            read(&absent);
        }
        let body = serde_json::to_vec(&answer(&json!({}))).unwrap();
        let left = String::from_utf8(without_attributes(&body).unwrap()).unwrap();
        assert!(!left.contains("planted") && !left.contains("oauth_tokens"), "{left}");
        assert_eq!(without_attributes(b"nonsense"), None);
        assert_eq!(without_attributes(br#"{"profile": "nonsense"}"#), None);
    }

    #[test]
    fn each_name_may_be_absent_null_or_empty() {
        let silent = [None, Some(json!(null)), Some(json!("")), Some(json!(" "))];
        for (names, left) in [
            (&["name"][..], Some("Ada Lovelace")),
            (&["name", "first_name"][..], Some("Lovelace")),
            (&["name", "last_name"][..], Some("Ada")),
            (&["first_name", "last_name"][..], Some("Ada King")),
            (&["name", "first_name", "last_name"][..], None),
        ] {
            for sent in &silent {
                let mut changed = answer(&json!({}));
                let profile = changed["profile"].as_object_mut().unwrap();
                for name in names {
                    profile.remove(*name);
                    profile.extend(sent.clone().map(|value| ((*name).to_owned(), value)));
                }
                assert_eq!(read(&changed).name(), left, "{names:?} {sent:?}");
            }
        }
        for sent in &silent[..3] {
            let mut changed = answer(&json!({}));
            let profile = changed["profile"].as_object_mut().unwrap();
            profile.remove("organization_id");
            profile.extend(sent.clone().map(|value| ("organization_id".to_owned(), value)));
            assert_eq!(read(&changed).organization(), None, "{sent:?}");
        }
    }
}
