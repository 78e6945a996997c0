//! What is taken over from the profile of a provider.

use super::*;

fn ada() -> ProviderProfile {
    ProviderProfile {
        issuer: "https://api.workos.com".into(),
        upstream: "sso".into(),
        profile_id: "prof_1".into(),
        connection_id: Some("conn_1".into()),
        method: "OktaSAML".into(),
        idp_id: "00u1".into(),
        email: "ada@acme.test".into(),
        name: Some("Ada Lovelace".into()),
        organization_id: Some("org_1".into()),
        attributes: ProviderAttributes::default(),
        session: None,
    }
}

type Field = (&'static str, fn(&mut ProviderProfile) -> &mut String);

const IDS: [Field; 5] = [
    ("profile id", |profile| &mut profile.profile_id),
    ("connection_id", |profile| profile.connection_id.get_or_insert_default()),
    ("connection_type", |profile| &mut profile.method),
    ("idp_id", |profile| &mut profile.idp_id),
    ("email", |profile| &mut profile.email),
];

#[test]
fn ids_and_email_are_refused_when_empty_too_long_or_unsafe() {
    for (field, value) in IDS {
        let refused = |text: &str| {
            let mut profile = ada();
            text.clone_into(value(&mut profile));
            UpstreamIdentity::validate(profile).map_err(|error| {
                assert_eq!(error.field, field);
                error.fault
            })
        };
        let longest = if field == "email" { 254 } else { 255 };
        assert!(refused(&"é".repeat(longest / 2)).is_ok(), "{field}");
        assert_eq!(refused(""), Err(IdentityFault::Empty), "{field}");
        assert_eq!(refused(" "), Err(IdentityFault::Empty), "{field}");
        assert_eq!(refused(&"a".repeat(longest + 1)), Err(IdentityFault::TooLong), "{field}");
        for unsafe_text in
            ["a\nb", "a\r", "a\0b", "a\u{85}b", "a\u{202e}b", "a\u{2066}b", "a\u{200d}b"]
        {
            let fault = Err(IdentityFault::UnsafeCharacters);
            assert_eq!(refused(unsafe_text), fault, "{field} {unsafe_text:?}");
        }
    }
}

#[test]
fn an_empty_organization_is_none_and_an_unsafe_one_is_refused() {
    let with = |id: Option<&str>| {
        UpstreamIdentity::validate(ProviderProfile {
            organization_id: id.map(str::to_owned),
            ..ada()
        })
    };
    for none in [None, Some("")] {
        assert_eq!(with(none).unwrap().identity.organization(), None);
    }
    assert_eq!(with(Some("org\n1")).unwrap_err().field, "organization_id");
    let identity = with(Some("org_1")).unwrap().identity;
    assert_eq!(identity.organization().map(|found| &*found.id), Some("org_1"));
}

#[test]
fn a_name_is_cleaned_and_that_is_said() {
    let named = |name: Option<&str>| {
        let profile = ProviderProfile { name: name.map(str::to_owned), ..ada() };
        let validated = UpstreamIdentity::validate(profile).unwrap();
        (validated.identity.name().map(str::to_owned), validated.is_name_cleaned)
    };
    assert_eq!(named(Some("Ada Lovelace")), (Some("Ada Lovelace".into()), false));
    assert_eq!(named(Some(" Ada ")), (Some("Ada".into()), false));
    assert_eq!(named(Some("Ada\u{202e}x")), (Some("Adax".into()), true));
    assert_eq!(named(Some("\u{202e}")), (None, true));
    for nameless in [None, Some(""), Some(" ")] {
        assert_eq!(named(nameless), (None, false));
    }
    let (name, is_cleaned) = named(Some(&"a".repeat(500_000)));
    assert_eq!((name.unwrap().len(), is_cleaned), (256, true));
}

#[test]
fn a_refusal_names_the_field_and_not_its_value() {
    let profile = ProviderProfile { email: "planted\n@acme.test".into(), ..ada() };
    let error = UpstreamIdentity::validate(profile).unwrap_err();
    assert_eq!(error.to_string(), "email holds characters that it must not hold");
}

#[test]
fn an_attribute_that_cannot_be_kept_refuses_no_sign_in() {
    let attributes = ProviderAttributes {
        role: Some("a\nb".into()),
        groups: vec!["Engineering".into()],
        ..ProviderAttributes::default()
    };
    let validated = UpstreamIdentity::validate(ProviderProfile { attributes, ..ada() }).unwrap();
    assert_eq!(validated.lost_attributes, ["role"]);
    assert_eq!(validated.identity.profile_id(), "prof_1");
    assert_eq!(validated.identity.attributes().groups(), ["Engineering"]);
}
