use std::ffi::OsString;

use super::*;
use crate::upstream::workos_sso::IDS;

const GOOD: &[(&str, &str)] = &[
    ("WORKOS_API_KEY", "sk_test_planted"),
    ("WORKOS_CLIENT_ID", "client_1"),
    ("KEYPORT_ORGANIZATIONS", "org_1, org_2"),
];

fn judge(extra: &[(&str, &str)], listen: &str) -> Result<Settings, EnvironmentError> {
    let mut variables: Vec<(String, String)> = Vec::new();
    for (name, value) in GOOD.iter().chain(extra) {
        variables.retain(|(known, _)| known != name);
        variables.push(((*name).to_owned(), (*value).to_owned()));
    }
    let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
    judge_raw(variables, listen)
}

fn judge_raw(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    listen: &str,
) -> Result<Settings, EnvironmentError> {
    let read = |path: &str| match path {
        "/run/key" => Ok("sk_from_file\n".into()),
        "/run/empty" => Ok("\n".into()),
        "/etc/clients.toml" => Ok(include_str!("../clients/keyport-desktop.toml").into()),
        "/etc/two-faults.toml" => Ok("[[client]]\nid = \"notes\"\nscopes = []\n".into()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    Settings::judge(variables, listen.parse().unwrap(), read, &IDS)
}

fn faults(extra: &[(&str, &str)]) -> String {
    judge(extra, "127.0.0.1:8788").unwrap_err().to_string()
}

#[test]
fn three_variables_are_enough_on_loopback() {
    let settings = judge(&[], "127.0.0.1:8788").unwrap();
    assert_eq!(settings.upstream.base_url, "https://api.workos.com");
    assert_eq!(settings.public_url, None);
    let DatabaseAddress::Sqlite(path) = &settings.database else { panic!("{settings:?}") };
    assert_eq!(*path, PathBuf::from("keyport-companion.sqlite"));
    assert_eq!(settings.key_file, PathBuf::from("keyport-companion.key"));
    assert_eq!(settings.lifetimes, Lifetimes::default());
    assert!(settings.policy.organizations.allows("org_2"));
}

#[test]
fn beyond_loopback_the_public_address_must_be_said() {
    let fault = judge(&[], "0.0.0.0:80").unwrap_err().to_string();
    assert!(fault.contains("KEYPORT_PUBLIC_URL is missing"), "{fault}");
    let settings =
        judge(&[("KEYPORT_PUBLIC_URL", "https://Sign-In.example.com:443/")], "0.0.0.0:80").unwrap();
    assert_eq!(settings.public_url.as_deref(), Some("https://sign-in.example.com"));
}

#[test]
fn an_issuer_is_an_origin_over_tls_and_nothing_more() {
    for bad in [
        "http://sign-in.example.com",
        "https://sign-in.example.com/x",
        "https://sign-in.example.com/?a",
        "https://me@sign-in.example.com",
        "sign-in.example.com",
        "ftp://127.0.0.1",
    ] {
        assert!(faults(&[("KEYPORT_PUBLIC_URL", bad)]).contains("KEYPORT_PUBLIC_URL"), "{bad}");
    }
}

#[test]
fn a_mistyped_rule_does_not_fail_open() {
    assert!(
        faults(&[("KEYPORT_ORGANISATIONS", "org_1")])
            .contains("KEYPORT_ORGANISATIONS is not a setting")
    );
    assert!(
        faults(&[("KEYPORT_ORGANIZATIONS", "org_1,*")]).contains("KEYPORT_ORGANIZATIONS holds *")
    );
    assert!(judge(&[("KEYPORT_COMPANION", "http://127.0.0.1:8788")], "127.0.0.1:1").is_ok());
}

#[test]
fn every_fault_is_named_at_once_and_no_secret_is_shown() {
    let faults = faults(&[
        ("WORKOS_API_KEY", "sk_test_planted"),
        ("WORKOS_API_KEY_FILE", "/run/key"),
        ("WORKOS_CLIENT_ID", ""),
        ("WORKOS_BASE_URL", "https://user:secret@api.workos.com"),
        ("DATABASE_URL", "postgres://x"),
        ("KEYPORT_UPSTREAM", "saml"),
        ("KEYPORT_SESSION_DAYS", "0"),
        ("KEYPORT_DEFAULT_ORGANIZATION", "org_3"),
    ]);
    for name in [
        "WORKOS_API_KEY and WORKOS_API_KEY_FILE",
        "WORKOS_CLIENT_ID is missing",
        "WORKOS_BASE_URL",
        "DATABASE_URL",
        "KEYPORT_UPSTREAM",
        "KEYPORT_SESSION_DAYS",
        "KEYPORT_DEFAULT_ORGANIZATION",
    ] {
        assert!(faults.contains(name), "{name} in {faults}");
    }
    assert!(!faults.contains("planted"));
}

#[test]
fn people_without_an_organization_need_a_plain_true() {
    let name = "KEYPORT_ALLOW_PEOPLE_WITHOUT_ORGANIZATION";
    for (value, allowed) in [("true", true), ("false", false), ("", false)] {
        let policy = judge(&[(name, value)], "127.0.0.1:1").unwrap().policy;
        assert_eq!(policy.people_without_organization, allowed, "{value:?}");
    }
    assert!(!judge(&[], "127.0.0.1:1").unwrap().policy.people_without_organization);
    for unclear in ["1", "yes", "TRUE", "GoogleOAuth"] {
        assert!(faults(&[(name, unclear)]).contains(name), "{unclear}");
    }
}

#[test]
fn postgresql_needs_a_key_file_that_every_instance_has() {
    let database = ("DATABASE_URL", "postgres://keyport:hunter2@db.acme.test/keyport");
    assert!(faults(&[database]).contains("KEYPORT_KEY_FILE is missing"));
    let settings = judge(&[database, ("KEYPORT_KEY_FILE", "/etc/keyport.key")], "127.0.0.1:1");
    let settings = settings.unwrap();
    let DatabaseAddress::Postgres(address) = &settings.database else { panic!("{settings:?}") };
    assert_eq!(address.name(), "db.acme.test:5432/keyport");
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn a_database_over_the_network_without_verified_tls_is_refused() {
    let key = ("KEYPORT_KEY_FILE", "/etc/keyport.key");
    let url = "postgres://keyport:hunter2@db.acme.test/keyport?sslmode=require";
    let faults = faults(&[key, ("DATABASE_URL", url)]);
    assert!(faults.contains("DATABASE_URL has sslmode=require"), "{faults}");
    assert!(!faults.contains("hunter2"), "{faults}");
}

#[test]
fn a_database_that_is_no_file_is_refused() {
    for bad in [
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite:file:x?mode=memory",
        "sqlite:x.db?mode=memory",
        "sqlite:data/",
        "sqlite:///",
    ] {
        assert!(faults(&[("DATABASE_URL", bad)]).contains("must name a file"), "{bad}");
    }
    assert!(judge(&[("DATABASE_URL", "sqlite:///var/lib/k.db")], "127.0.0.1:1").is_ok());
}

#[test]
fn proxies_are_addresses_and_networks() {
    let proxies = |list| judge(&[("KEYPORT_TRUSTED_PROXIES", list)], "127.0.0.1:1");
    let trusted = proxies("10.0.0.0/8, fd00::1").unwrap().trusted_proxies;
    assert!(trusted.contains("10.1.2.3".parse().unwrap()));
    assert!(trusted.contains("::ffff:10.1.2.3".parse().unwrap()));
    assert!(trusted.contains("fd00::1".parse().unwrap()));
    assert!(!trusted.contains("192.168.0.1".parse().unwrap()));
    for mapped in ["::ffff:10.1.2.3", "::ffff:10.1.0.0/112", "::ffff:a01:203/128"] {
        let trusted = proxies(mapped).unwrap().trusted_proxies;
        assert!(trusted.contains("10.1.2.3".parse().unwrap()), "{mapped}");
        assert!(trusted.contains("::ffff:10.1.2.3".parse().unwrap()), "{mapped}");
        assert!(!trusted.contains("10.2.2.3".parse().unwrap()), "{mapped}");
    }
    let fault = proxies("10.0.0.0/8,proxy.example.com").unwrap_err().to_string();
    assert!(fault.contains("KEYPORT_TRUSTED_PROXIES holds \"proxy.example.com\""), "{fault}");
}

#[test]
fn a_secret_may_come_from_a_file() {
    let from =
        |path| judge(&[("WORKOS_API_KEY", ""), ("WORKOS_API_KEY_FILE", path)], "127.0.0.1:1");
    assert_eq!(from("/run/key").unwrap().upstream.api_key.expose(), "sk_from_file");
    assert!(from("/run/empty").unwrap_err().to_string().contains("is empty"));
    assert!(from("/run/none").unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn the_provider_address_is_an_origin_and_no_password_is_printed() {
    for bad in [
        "http://api.workos.com",
        "https://user:planted@api.workos.com",
        "https://api.workos.com/v1",
        "https://api.workos.com?planted",
        "https://api.workos.com#planted",
    ] {
        let faults = faults(&[("WORKOS_BASE_URL", bad)]);
        assert!(faults.contains("WORKOS_BASE_URL must be an https origin"), "{faults}");
        assert!(!faults.contains("planted"), "{faults}");
    }
    for good in ["https://api.workos.com", "https://api.workos.com/", "http://127.0.0.1:8787"] {
        assert!(judge(&[("WORKOS_BASE_URL", good)], "127.0.0.1:1").is_ok(), "{good}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_and_named_at_once() {
    let named = |pairs: &[(&str, &str)], sentence: &str| {
        let faults = faults(pairs);
        assert!(faults.contains(sentence), "{sentence:?} in {faults}");
    };
    for bad in ["acme", "org_1,acme", "org_", "org_1;drop", "Org_1", "ORG_1"] {
        named(&[("KEYPORT_ORGANIZATIONS", bad)], "KEYPORT_ORGANIZATIONS holds");
    }
    let all = [("KEYPORT_ORGANIZATIONS", "*"), ("KEYPORT_DEFAULT_ORGANIZATION", "acme")];
    named(&all, "KEYPORT_DEFAULT_ORGANIZATION is \"acme\"");
    for bad in ["google", "GoogleOauth", "GoogleOAuth,authkit", "OktaSAML", "*"] {
        named(&[("KEYPORT_PROVIDERS", bad)], "KEYPORT_PROVIDERS holds");
    }
    for bad in [
        "0.0.0.0/0",
        "::/0",
        "10.0.0.0/8,0.0.0.0/0",
        "10.1.2.3/0",
        "::ffff:0.0.0.0/96",
        "::ffff:10.0.0.0/95",
        "::ffff:10.0.0.0/8",
    ] {
        named(&[("KEYPORT_TRUSTED_PROXIES", bad)], "KEYPORT_TRUSTED_PROXIES holds");
    }
    let days = [("KEYPORT_SESSION_IDLE_DAYS", "31"), ("KEYPORT_SESSION_DAYS", "30")];
    named(&days, "KEYPORT_SESSION_IDLE_DAYS is more than KEYPORT_SESSION_DAYS");
    named(&[("KEYPORT_SESSION_IDLE_DAYS", "365")], "more than KEYPORT_SESSION_DAYS (180)");
    // A target is a Rust path: no event has another one, so nothing would be logged.
    for bad in [
        "inof",
        "info,keyport_companion=loud",
        "info,debgu",
        "=",
        "a=b=c",
        "keyport-companion=debug",
        "keyport_companion:oauth=debug",
        "info;hyper=warn",
        "info hyper=warn",
        "info/text",
        "\"info\"",
        "info,[span{a,b",
    ] {
        named(&[("RUST_LOG", bad)], "RUST_LOG holds");
    }
    let all = faults(&[
        ("KEYPORT_ORGANIZATIONS", "acme"),
        ("KEYPORT_PROVIDERS", "google"),
        ("KEYPORT_TRUSTED_PROXIES", "::/0"),
        ("KEYPORT_SESSION_IDLE_DAYS", "3650"),
        ("RUST_LOG", "inof"),
    ]);
    assert_eq!(all.matches("\n  - ").count(), 5, "{all}");
}

#[test]
fn what_can_be_meant_is_accepted() {
    let judged = |name, value| judge(&[(name, value)], "127.0.0.1:1");
    for good in [
        "info",
        "DEBUG",
        "off",
        "2",
        "info,keyport_companion=debug",
        "keyport_companion::oauth=trace",
        "keyport_companion",
        "tower_http::trace",
        "info,[request]=debug",
        "info,[span{a,b,c}]=debug",
        "[{request_id=a}]=debug",
        "keyport_companion[request]=trace",
        "warn, hyper=error",
        " info ,, hyper::proto=warn , ",
        "hyper",
        "info,reqwest",
    ] {
        assert!(judged("RUST_LOG", good).is_ok(), "{good}");
    }
    assert!(judged("KEYPORT_PROVIDERS", "GoogleOAuth, MicrosoftOAuth GitHubOAuth").is_ok());
    assert!(judged("KEYPORT_TRUSTED_PROXIES", "10.0.0.0/8,::1,fd00::/8").is_ok());
    let shorter = judged("KEYPORT_SESSION_DAYS", "7").unwrap().lifetimes;
    let week = Duration::from_secs(7 * DAY);
    assert_eq!(shorter.session_absolute, week);
    assert_eq!(shorter.session_idle, week, "unset, it follows");
    let equal = [("KEYPORT_SESSION_IDLE_DAYS", "9"), ("KEYPORT_SESSION_DAYS", "9")];
    assert!(judge(&equal, "127.0.0.1:1").is_ok());
}

mod environment;
