//! Attributes of profiles, the hostile ones first.

use super::*;

/// Text that no role, group, name or value of an attribute may have.
const HOSTILE: [&str; 7] =
    ["a\nb", "a\0", "\u{202e}nimda", "ad\u{200b}min", "\u{1b}[31m", "a\u{2028}b", "\u{feff}a"];

fn keep(said: ProviderAttributes) -> (ProfileAttributes, Vec<&'static str>) {
    let (kept, lost) = ProfileAttributes::keep(said);
    let stored = serde_json::to_string(&kept).unwrap();
    assert_eq!(serde_json::from_str::<ProfileAttributes>(&stored).unwrap(), kept);
    assert!(stored.len() < 64 * 1024, "{} bytes", stored.len());
    (kept, lost)
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::Text(text.to_owned())
}

#[test]
fn plain_attributes_are_kept_as_they_came() {
    let custom = BTreeMap::from([
        ("department".to_owned(), text("Rockets")),
        ("empty".to_owned(), text("")),
        ("floor".to_owned(), AttributeValue::Number(3.into())),
        ("remote".to_owned(), AttributeValue::Flag(true)),
        ("sites".to_owned(), AttributeValue::List(vec!["Zürich".into(), "Ōsaka".into()])),
    ]);
    let (kept, lost) = keep(ProviderAttributes {
        first_name: Some(" Zoë ".into()),
        last_name: Some("O'Núñez".into()),
        role: Some("admin".into()),
        groups: vec!["Engineering".into(), "IT – Zürich".into(), "Engineering".into()],
        custom: custom.clone(),
    });
    assert_eq!((kept.first_name(), kept.last_name()), (Some("Zoë"), Some("O'Núñez")));
    assert_eq!(kept.role(), Some("admin"));
    assert_eq!(kept.groups(), ["Engineering", "IT – Zürich"]);
    assert_eq!(kept.custom(), &custom);
    assert_eq!(lost, [""; 0]);
}

#[test]
fn nothing_said_is_nothing_kept_and_nothing_lost() {
    let blank = ProviderAttributes {
        first_name: Some(" ".into()),
        role: Some(String::new()),
        ..ProviderAttributes::default()
    };
    for said in [ProviderAttributes::default(), blank] {
        assert_eq!(keep(said), (ProfileAttributes::default(), Vec::new()));
    }
}

#[test]
fn a_hostile_role_group_or_attribute_is_dropped_not_mended() {
    for hostile in HOSTILE {
        let (kept, lost) = keep(ProviderAttributes {
            first_name: Some("Ada\u{202e}".into()),
            role: Some(hostile.into()),
            groups: vec![hostile.into(), "good".into()],
            custom: BTreeMap::from([
                (hostile.to_owned(), text("good")),
                ("value".to_owned(), text(hostile)),
                ("list".to_owned(), AttributeValue::List(vec!["good".into(), hostile.into()])),
                ("good".to_owned(), text("good")),
            ]),
            ..ProviderAttributes::default()
        });
        assert_eq!(kept.first_name(), Some("Ada"), "a name is shown only, so it is cleaned");
        assert_eq!(kept.role(), None, "{hostile:?}");
        assert_eq!(kept.groups(), ["good"], "{hostile:?}");
        assert_eq!(kept.custom().keys().collect::<Vec<_>>(), ["good"], "{hostile:?}");
        assert_eq!(lost, ["first_name", "role", "groups", "custom_attributes"]);
    }
}

#[test]
fn number_and_size_of_groups_are_bounded() {
    let many = (0..100_000).map(|number| format!("group {number}")).collect();
    let (kept, lost) = keep(ProviderAttributes { groups: many, ..Default::default() });
    assert_eq!((kept.groups().len(), lost), (GROUPS, vec!["groups"]));
    let large = (0..GROUPS).map(|number| format!("{number:0200}")).collect();
    let (kept, lost) = keep(ProviderAttributes { groups: large, ..Default::default() });
    assert_eq!((kept.groups().len(), lost), (GROUP_BYTES / 200, vec!["groups"]));
    let long = vec!["x".repeat(LONGEST_TEXT + 1), "x".repeat(LONGEST_TEXT)];
    let (kept, _) = keep(ProviderAttributes { groups: long, ..Default::default() });
    assert_eq!(kept.groups(), ["x".repeat(LONGEST_TEXT)]);
}

#[test]
fn number_and_size_of_custom_attributes_are_bounded() {
    let many = |value: &AttributeValue| {
        let custom = (0..1000).map(|number| (format!("key {number}"), value.clone())).collect();
        keep(ProviderAttributes { custom, ..Default::default() })
    };
    let (kept, lost) = many(&AttributeValue::Flag(true));
    assert_eq!((kept.custom().len(), lost), (CUSTOM, vec!["custom_attributes"]));
    let (kept, _) = many(&AttributeValue::List(vec!["x".repeat(200); 10]));
    assert_eq!(kept.custom().len(), 4, "8 KiB together");
    let oversize = [
        text(&"x".repeat(1024 * 1024)),
        AttributeValue::List(vec![String::new(); LIST + 1]),
        AttributeValue::List(vec!["x".repeat(LONGEST_TEXT + 1)]),
    ];
    for value in oversize {
        let (kept, lost) = many(&value);
        assert_eq!((kept.custom().len(), lost), (0, vec!["custom_attributes"]));
    }
}
