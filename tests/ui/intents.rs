//! What the page's files name, held against the types that the shell reads it with: intents, and
//! the commands that it may call.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use keyport_core::Intent;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::zoom::{ZoomLevel, ZoomStep};

/// What stands before and after the name of an intent: attributes and offers.
const INTENTS: [(&str, &str); 3] =
    [("data-intent=\"", "\""), ("data-intent-of-form=\"", "\""), ("['", "', words")];
const COMMANDS: [(&str, &str); 2] = [("data-command=\"", "\""), ("invoke('", "'")];
/// In the table of keys.
const ZOOM_STEPS: [(&str, &str); 2] = [(": '", "'"), (": '", "' }")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn named_in(text: &str, places: &[(&str, &str)]) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (before, after) in places {
        for rest in text.split(before).skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_lowercase() || "-_".contains(c)));
            let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
            if rest.starts_with(after) {
                named.insert(name.to_owned());
            }
        }
    }
    named
}

fn named_by_the_page(places: &[(&str, &str)]) -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join("ui")).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    texts.flat_map(|text| named_in(&text, places)).collect()
}

/// The variants of a type, as it lists them itself when it meets another one.
fn variants<T: DeserializeOwned>(unknown: Value) -> BTreeSet<String> {
    let error = serde_json::from_value::<T>(unknown).err().unwrap().to_string();
    let (_, listed) = error.split_once("expected one of ").unwrap();
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_page_names_every_intent_that_the_core_knows_and_no_other() {
    assert_eq!(named_by_the_page(&INTENTS), variants::<Intent>(json!({"name": ""})));
}

#[test]
fn the_page_calls_every_command_that_it_may_call_and_no_other() {
    let permissions = root().join("src-tauri/permissions/app.toml");
    let permissions = std::fs::read_to_string(permissions).unwrap();
    let (_, allowed) = permissions.split_once("commands.allow = [").unwrap();
    let allowed: BTreeSet<String> =
        allowed.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(named_by_the_page(&COMMANDS), allowed);
    let shell = std::fs::read_to_string(root().join("src-tauri/src/lib.rs")).unwrap();
    let (_, handlers) = shell.split_once("generate_handler![").unwrap();
    let (handlers, _) = handlers.split_once(']').unwrap();
    assert_eq!(named_in(handlers, &[("shell::", "")]), allowed, "and the shell has no other");
}

#[test]
fn the_page_names_every_step_of_the_zoom() {
    let table = std::fs::read_to_string(root().join("ui/person.js")).unwrap();
    let table = table.lines().find(|line| line.starts_with("const ZOOM")).unwrap();
    assert_eq!(named_in(table, &ZOOM_STEPS), variants::<ZoomStep>(json!("")));
}

#[test]
fn text_is_never_larger_or_smaller_than_the_last_step() {
    let after = |steps: &[ZoomStep]| {
        let level = steps.iter().fold(ZoomLevel::default(), |level, step| level.after(*step));
        level.factor().to_string()
    };
    assert_eq!(after(&[]), "1");
    assert_eq!(after(&[ZoomStep::In]), "1.1");
    assert_eq!(after(&[ZoomStep::In; 20]), "2");
    assert_eq!(after(&[ZoomStep::Out; 20]), "0.5");
    assert_eq!(after(&[ZoomStep::In, ZoomStep::In, ZoomStep::Reset]), "1");
}
