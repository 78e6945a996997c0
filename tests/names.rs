//! The names of things: two public types never share one, and `docs/glossary.md` and the code use
//! the same words. NOT a check of English: what a word means is read by people.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use keyport_tests::sources::{files, is_test, root};

/// Crates that do not export their types.
const CLOSED: [&str; 2] = [
    "xtask",
    // It exports four names, and its inside speaks WorkOS' language: it shares nothing with us.
    "emulator",
];

/// Names that several crates give to a public type of theirs, each with the reason.
const SHARED: [(&str, &str); 10] = [
    ("Clock", AMBIENT),
    ("SystemClock", AMBIENT),
    ("Random", AMBIENT),
    ("Organization", PROTOCOL),
    ("Connection", PROTOCOL),
    ("Outcome", PROTOCOL),
    ("Issuer", PROTOCOL),
    ("AttemptId", PROTOCOL),
    ("AuthorizationCode", PROTOCOL),
    ("RefreshToken", PROTOCOL),
];
const AMBIENT: &str = "what a program takes from its system; client and companion share no crate";
const PROTOCOL: &str = "one thing of the protocol, as the app holds it and as the service does";

/// Each public type with the crates that define it, one entry for each definition.
fn public_types() -> Result<BTreeMap<String, Vec<String>>> {
    let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, content) in files(&[".rs"])? {
        let Some(owner) = owner(&path).filter(|_| !is_test(&path)) else { continue };
        for line in content.lines() {
            if let Some(name) = type_defined_by(line).or_else(|| listed_by(line)) {
                types.entry(name.to_owned()).or_default().push(owner.to_owned());
            }
        }
    }
    Ok(types)
}

/// The crate that a source file belongs to, by its folder.
fn owner(path: &str) -> Option<&str> {
    if path.starts_with("src-tauri/src/") {
        return Some("desktop");
    }
    let (owner, rest) = path.strip_prefix("crates/")?.split_once('/')?;
    rest.starts_with("src/").then_some(owner)
}

fn type_defined_by(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let (kind, rest) = rest.split_once(' ')?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let is_type = ["struct", "enum", "trait", "type", "union"].contains(&kind);
    // A macro's `$name` is no name.
    (is_type && end > 0).then(|| &rest[..end])
}

/// A type that a macro defines stands in its list alone on a line, perhaps with a prefix: `State;`,
/// `UserId "user_";`.
fn listed_by(line: &str) -> Option<&str> {
    let listed = line.trim_start().strip_suffix(';')?;
    let name = listed.split_once(" \"").map_or(listed, |(name, _)| name);
    let is_type = name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric);
    (line.starts_with("    ") && is_type).then_some(name)
}

#[test]
fn no_two_public_types_share_a_name() -> Result<()> {
    let types = public_types()?;
    ensure!(types.len() > 200, "{} public types were found", types.len());
    let mut shared = BTreeMap::new();
    for (name, owners) in types {
        let open: Vec<_> =
            owners.into_iter().filter(|owner| !CLOSED.contains(&owner.as_str())).collect();
        let several = open.len() > 1;
        let in_one_crate = open.len() > open.iter().collect::<BTreeSet<_>>().len();
        let excused = SHARED.iter().any(|(excused, _)| *excused == name) && !in_one_crate;
        assert!(several || !excused, "{name} needs no excuse any more");
        if several && !excused {
            shared.insert(name, open);
        }
    }
    assert!(shared.is_empty(), "public types of one name: {shared:#?}");
    Ok(())
}

#[test]
fn definitions_of_types_are_found() {
    for (line, name) in [
        ("pub struct Account {", Some("Account")),
        ("    pub enum Screen<'a> {", Some("Screen")),
        ("pub type Reply<'a, T> =", Some("Reply")),
        ("pub struct $name;", None),
        ("pub(crate) struct Inner;", None),
        ("struct Private;", None),
        ("/// pub struct Comment", None),
    ] {
        assert_eq!(type_defined_by(line), name, "{line}");
    }
    for (line, name) in [
        ("    State;", Some("State")),
        (r#"    UserId "user_";"#, Some("UserId")),
        ("    x;", None),
    ] {
        assert_eq!(listed_by(line), name, "{line}");
    }
}

fn glossary() -> Result<String> {
    std::fs::read_to_string(root().join("docs/glossary.md")).context("docs/glossary.md")
}

/// The cells of each row of the table under this heading; without the head of the table.
fn rows<'a>(glossary: &'a str, heading: &str) -> Result<Vec<Vec<&'a str>>> {
    let (_, section) = glossary.split_once(heading).with_context(|| heading.to_owned())?;
    let section = section.split("\n#").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
    Ok(lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect())
}

fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn what_the_glossary_names_is_there() -> Result<()> {
    let glossary = glossary()?;
    let types = public_types()?;
    let rows = rows(&glossary, "# Glossary")?;
    ensure!(rows.len() > 40, "{} rows", rows.len());
    let mut in_code = 0;
    for row in &rows {
        let [word, _, source, code] = row.as_slice() else {
            anyhow::bail!("a row of four cells: {row:?}");
        };
        for path in quoted(source) {
            assert!(root().join(path).exists(), "{word}: there is no {path}");
        }
        for name in quoted(code) {
            assert!(types.contains_key(name), "{word}: there is no public type {name}");
            in_code += 1;
        }
    }
    ensure!(in_code > 20, "{in_code} types are named");
    Ok(())
}

/// The words that the glossary replaces by others.
fn replaced_words(glossary: &str) -> Result<BTreeSet<&str>> {
    let rows = rows(glossary, "## Words that are not used")?;
    Ok(rows.iter().flat_map(|row| quoted(row[0])).collect())
}

/// Words in small letters; an identifier is several.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).flat_map(|run| {
        let mut found = Vec::new();
        for character in run.chars() {
            let ends_acronym = |word: &String| word.chars().all(char::is_uppercase);
            match found.last_mut() {
                Some(word) if !character.is_uppercase() || ends_acronym(word) => {
                    word.push(character);
                }
                _ => found.push(character.to_string()),
            }
        }
        found.into_iter().map(|word| word.to_lowercase())
    })
}

/// Sentences for people are plain English: only the ids of a Fluent file are names.
fn named_in(path: &str, line: &str) -> String {
    if path.ends_with(".ftl") {
        line.split_once('=').map_or("", |(id, _)| id).to_owned()
    } else {
        line.to_owned()
    }
}

#[test]
fn no_file_uses_a_word_that_the_glossary_replaces() -> Result<()> {
    let glossary = glossary()?;
    let replaced = replaced_words(&glossary)?;
    ensure!(replaced.contains("nobody"), "{replaced:?}");
    // The glossary itself, and the sentences for people, printed.
    let left_out = ["docs/glossary.md", "docs/errors.md", file!()];
    let endings = [
        ".rs", ".js", ".mjs", ".css", ".html", ".md", ".ftl", ".toml", ".sql", ".py", ".yml", ".sh",
    ];
    let mut found = Vec::new();
    for (path, content) in files(&endings)? {
        if left_out.iter().any(|left_out| Path::new(left_out).ends_with(&path)) {
            continue;
        }
        for (number, line) in content.lines().enumerate() {
            for word in words(&named_in(&path, line)) {
                if replaced.contains(word.as_str()) {
                    found.push(format!("{path}:{}: {word}", number + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

#[test]
fn an_identifier_is_read_as_its_words() {
    let read = |text: &str| words(text).collect::<Vec<_>>().join(" ");
    assert_eq!(read("KeychainTrouble, door_blocked"), "keychain trouble door blocked");
    assert_eq!(read("problem-door-blocked: NOBODY"), "problem door blocked nobody");
    assert_eq!(read("a desktop's Desk"), "a desktop s desk");
    assert_eq!(named_in("a.ftl", "some-id = Nobody waits."), "some-id ");
}
