//! The seed file: a misspelt one is refused with the place and the reason.

use keyport_emulator::Seed;
use serde_json::{Value, json};

use crate::support::ENVIRONMENT;

fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let mut seed: Value = serde_json::from_str(ENVIRONMENT).unwrap();
    change(&mut seed);
    format!("{:#}", Seed::parse(&seed.to_string()).unwrap_err())
}

#[test]
fn the_built_in_seed_is_valid() {
    let seed = Seed::built_in().unwrap();
    let nameless = seed.people.iter().find(|person| person.email == "linus@acme.test").unwrap();
    assert_eq!((&nameless.first_name, &nameless.last_name), (&None, &None));
}

#[test]
fn contradictions_and_misspellings_are_named() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 13] = [
        (|seed| seed["conections"] = json!([]), "conections"),
        (|seed| seed["people"][0]["e-mail"] = json!("x"), "e-mail"),
        (|seed| seed["connections"][0]["state"] = json!("activ"), "activ"),
        (|seed| seed["connections"][0]["organization_id"] = json!("org_none"), "org_none"),
        (|seed| seed["connections"][1]["id"] = json!("conn_acme"), "\"conn_acme\" is there twice"),
        (
            |seed| seed["organizations"][1]["domains"] = json!(["ACME.test"]),
            "\"acme.test\" is there twice",
        ),
        (
            |seed| seed["people"][1]["email"] = json!("ADA@acme.test"),
            "\"ada@acme.test\" is there twice",
        ),
        (|seed| seed["people"][1]["email"] = json!("grace"), "not an email address"),
        (
            |seed| seed["redirect_uris"][0] = json!("https://*.example.test/callback"),
            "port of a loopback host",
        ),
        (
            |seed| seed["default_redirect_uri"] = json!("https://app.example/"),
            "not among redirect_uris",
        ),
        (
            |seed| seed["default_redirect_uri"] = json!("http://127.0.0.1:*/callback"),
            "not among redirect_uris",
        ),
        (|seed| seed["client"]["api_key"] = json!(""), "client.api_key is empty"),
        (|seed| *seed = json!([]), "invalid"),
    ];
    for (change, expected) in cases {
        let words = refusal(change);
        assert!(words.contains(expected), "{expected:?} is not in {words:?}");
    }
}
