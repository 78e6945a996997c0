//! The profile in the answer of a code exchange: what of it is read, and as what. Here an identity
//! enters the service; the rules for it are `domain`'s.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use workos::models::Profile;

use super::UpstreamError;
use crate::domain::{AttributeValue, ProviderAttributes, ProviderProfile, UpstreamIdentity};
use crate::upstream::members::{Members, kept, read, reshape};

/// Reads the profile.
///
/// # Errors
/// It cannot be the identity of a person; the log says why and never shows a value.
pub(super) fn identity(issuer: &str, profile: Profile) -> Result<UpstreamIdentity, UpstreamError> {
    let attributes = ProviderAttributes {
        first_name: profile.first_name.clone(),
        last_name: profile.last_name.clone(),
        role: profile.role.map(|role| role.slug),
        groups: profile.groups.unwrap_or_default(),
        custom: custom_attributes(profile.custom_attributes.into_iter().flatten()),
    };
    validated(ProviderProfile {
        issuer: issuer.to_owned(),
        upstream: super::NAME.to_owned(),
        profile_id: profile.id,
        connection_id: Some(profile.connection_id),
        method: profile.connection_type.as_str().to_owned(),
        idp_id: profile.idp_id,
        email: profile.email,
        name: full_name(profile.name, profile.first_name, profile.last_name),
        organization_id: profile.organization_id,
        attributes,
        session: None,
    })
}

/// Validates what WorkOS said of a person; the log says what was changed for that, and no value.
///
/// # Errors
/// It cannot be the identity of a person.
pub(in crate::upstream) fn validated(
    profile: ProviderProfile,
) -> Result<UpstreamIdentity, UpstreamError> {
    let connection = profile.connection_id.clone();
    let validated = UpstreamIdentity::validate(profile).map_err(UpstreamError::Identity)?;
    // Debug escapes what the connection id may hold, which is known to be short by now.
    if validated.is_name_cleaned {
        tracing::warn!(?connection, "the name of a person was cleaned before it is kept");
    }
    if !validated.lost_attributes.is_empty() {
        let fields = validated.lost_attributes.join(", ");
        tracing::warn!(?connection, fields, "attributes of a person were cut or dropped");
    }
    Ok(validated.identity)
}

/// The name, or first and last name.
pub(in crate::upstream) fn full_name(
    name: Option<String>,
    first: Option<String>,
    last: Option<String>,
) -> Option<String> {
    let says = |text: &String| !text.trim().is_empty();
    let parts: Vec<String> = [first, last].into_iter().flatten().filter(says).collect();
    name.filter(says).or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
}

/// Those that have a value of a simple kind; `null` is no value.
fn custom_attributes(
    said: impl Iterator<Item = (String, Value)>,
) -> BTreeMap<String, AttributeValue> {
    let simple = |(key, value)| {
        let simple = simple_value(value);
        if simple.is_none() {
            tracing::warn!("a custom attribute holds more than texts, numbers and flags: left out");
        }
        Some((key, simple?))
    };
    said.filter(|(_, value)| !value.is_null()).filter_map(simple).collect()
}

fn simple_value(value: Value) -> Option<AttributeValue> {
    Some(match value {
        Value::Bool(flag) => AttributeValue::Flag(flag),
        Value::Number(number) => AttributeValue::Number(number),
        Value::String(text) => AttributeValue::Text(text),
        Value::Array(items) => {
            AttributeValue::List(items.into_iter().map(text_of).collect::<Option<_>>()?)
        }
        Value::Null | Value::Object(_) => return None,
    })
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Takes out of the body of a token answer what is never read: tokens of the identity provider, raw
/// attributes and second spellings of the role, which may be large, secret or of any shape. An
/// attribute that cannot be read is left out too, so that it is no reason to refuse the sign-in.
/// Anything else stays as it came: what is wrong with it is said by whoever reads it. (The WorkOS
/// crate refuses a profile without `raw_attributes`.)
pub(super) fn readable(body: &[u8]) -> Option<Vec<u8>> {
    let mut answer: Members<'_> = serde_json::from_slice(body).ok()?;
    answer.remove("oauth_tokens");
    let said = answer.remove("profile")?;
    let mut profile: Members<'_> = serde_json::from_str(said.get()).ok()?;
    profile.remove("roles");
    profile.insert("raw_attributes", kept(&json!({}))?);
    for name in ["name", "first_name", "last_name"] {
        reshape(&mut profile, name, |said| read::<String>(said));
    }
    reshape(&mut profile, "role", |said| {
        let role: BTreeMap<&str, &RawValue> = read(said)?;
        Some(json!({ "slug": read::<String>(role.get("slug")?)? }))
    });
    reshape(&mut profile, "groups", |said| {
        let groups: Vec<&RawValue> = read(said)?;
        Some(groups.into_iter().filter_map(read::<String>).collect::<Vec<_>>())
    });
    reshape(&mut profile, "custom_attributes", |said| {
        let custom: BTreeMap<String, &RawValue> = read(said)?;
        let readable = custom.into_iter().filter_map(|(name, said)| Some((name, read(said)?)));
        Some(readable.collect::<BTreeMap<String, Value>>())
    });
    answer.insert("profile", kept(&profile)?);
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
        let body = readable(&serde_json::to_vec(answer).unwrap()).unwrap();
        let mut read: Value = serde_json::from_slice(&body).unwrap();
        let profile = serde_json::from_value(read["profile"].take()).unwrap();
        identity("https://api.workos.com", profile).unwrap()
    }

    #[test]
    fn attributes_of_any_shape_refuse_no_sign_in() {
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
        let left = String::from_utf8(readable(&body).unwrap()).unwrap();
        assert!(!left.contains("planted") && !left.contains("oauth_tokens"), "{left}");
        assert_eq!(readable(b"nonsense"), None);
        assert_eq!(readable(br#"{"profile": "nonsense"}"#), None);
    }

    /// JSON that no text or number of a program can hold.
    #[test]
    fn an_attribute_that_cannot_be_held_refuses_no_sign_in() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let plain = String::from_utf8(serde_json::to_vec(&answer(&json!({}))).unwrap()).unwrap();
        for odd in [r#""\ud800x""#, "1e999", &deep] {
            for (member, value) in [
                (r#""phone":"planted""#, format!(r#""phone":{odd}"#)),
                (r#""floor":3"#, format!(r#""floor":{odd}"#)),
                (r#""groups":["a"]"#, format!(r#""groups":["a",{odd}]"#)),
                (r#""first_name":"Ada""#, format!(r#""first_name":{odd}"#)),
                (r#""role":{"slug":"admin"}"#, format!(r#""role":{{"slug":{odd}}}"#)),
            ] {
                let sent = plain.replace(member, &value);
                assert_ne!(sent, plain, "{member}");
                let body = readable(sent.as_bytes()).expect(&sent);
                let mut read: Value = serde_json::from_slice(&body).expect(&sent);
                let profile = serde_json::from_value(read["profile"].take()).expect(&sent);
                let identity = identity("https://api.workos.com", profile).unwrap();
                assert_eq!(identity.name(), Some("Ada King"), "{sent}");
            }
            let sent = plain.replace(r#""idp_id":"ada-1""#, &format!(r#""idp_id":{odd}"#));
            let body = readable(sent.as_bytes()).unwrap();
            assert!(serde_json::from_slice::<Value>(&body).is_err(), "an id is never left out");
        }
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

    #[test]
    fn role_groups_and_custom_attributes_are_read() {
        let identity = read(&answer(&json!({
            "groups": ["Engineering", 7, null, {"name": "x"}, "IT"],
            "custom_attributes": {
                "floor": 3, "lead": false, "team": "Rockets", "sites": ["a", "b"],
                "nothing": null, "nested": {"raw": "planted"}, "mixed": ["a", {"raw": "planted"}],
            },
        })));
        let kept = identity.attributes();
        assert_eq!((kept.first_name(), kept.last_name()), (Some("Ada"), Some("Lovelace")));
        assert_eq!(kept.role(), Some("admin"));
        assert_eq!(kept.groups(), ["Engineering", "IT"]);
        let custom = json!({ "floor": 3, "lead": false, "sites": ["a", "b"], "team": "Rockets" });
        assert_eq!(serde_json::to_value(kept.custom()).unwrap(), custom);
    }

    #[test]
    fn a_profile_without_attributes_has_none() {
        let mut silent = answer(&json!({ "first_name": null, "last_name": null }));
        for name in ["role", "roles", "groups", "custom_attributes"] {
            silent["profile"].as_object_mut().unwrap().remove(name);
        }
        assert_eq!(read(&silent).attributes(), &crate::domain::ProfileAttributes::default());
    }
}
