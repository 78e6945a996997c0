//! The walls of `docs/architecture.md`, held by a test and not by good will: which crate may depend
//! on what, where a secret may be taken out of its type, what the window's page may not do, and how
//! long a file may grow. NOT a linter: clippy has its own step.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result};
use keyport_tests::sources::{files, is_test, root};
use serde_json::Value;

#[path = "walls/tables.rs"]
mod tables;

use tables::{
    EXPOSES, LONG, LONGEST, NARROW, NEVER_NAMES, NEVER_REACHES, NOT_IN_THE_PAGE, OURS, WIDE, WIDEST,
};

/// The packages of the workspace and what each of them ships with.
struct Graph {
    names: BTreeMap<String, String>,
    edges: BTreeMap<String, Vec<String>>,
}

impl Graph {
    fn read() -> Result<Self> {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
            .current_dir(root())
            .output()?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        anyhow::ensure!(output.status.success(), "cargo metadata: {error}");
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let mut graph = Self { names: BTreeMap::new(), edges: BTreeMap::new() };
        for package in metadata["packages"].as_array().context("packages")? {
            graph.names.insert(text(&package["id"]), text(&package["name"]));
        }
        for node in metadata["resolve"]["nodes"].as_array().context("nodes")? {
            let shipped = node["deps"].as_array().context("deps")?.iter().filter(|dependency| {
                let kinds = dependency["dep_kinds"].as_array();
                kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
            });
            let edges = shipped.map(|dependency| text(&dependency["pkg"])).collect();
            graph.edges.insert(text(&node["id"]), edges);
        }
        Ok(graph)
    }

    fn id(&self, name: &str) -> &str {
        let found = self.names.iter().find(|(_, candidate)| *candidate == name);
        found.unwrap_or_else(|| panic!("no package {name}")).0
    }

    fn named_by(&self, name: &str) -> BTreeSet<&str> {
        self.edges[self.id(name)].iter().map(|id| self.names[id].as_str()).collect()
    }

    fn reached_by(&self, name: &str) -> BTreeSet<&str> {
        let (mut seen, mut left) = (BTreeSet::new(), vec![self.id(name)]);
        while let Some(id) = left.pop() {
            for next in &self.edges[id] {
                if seen.insert(next.as_str()) {
                    left.push(next);
                }
            }
        }
        seen.into_iter().map(|id| self.names[id].as_str()).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn no_crate_reaches_what_its_wall_keeps_out() -> Result<()> {
    let graph = Graph::read()?;
    for (name, never) in NEVER_REACHES {
        let reached = graph.reached_by(name);
        for other in never {
            assert!(!reached.contains(other), "{name} reaches {other}");
        }
    }
    for (name, never) in NEVER_NAMES {
        let named = graph.named_by(name);
        for other in never {
            assert!(!named.contains(other), "{name} names {other}");
        }
    }
    Ok(())
}

#[test]
fn our_crates_name_only_those_of_ours_that_they_may() -> Result<()> {
    let graph = Graph::read()?;
    for (name, may) in OURS {
        let named = graph.named_by(name);
        let ours: BTreeSet<&str> =
            named.into_iter().filter(|other| other.starts_with("keyport-")).collect();
        assert!(ours.is_subset(&may.iter().copied().collect()), "{name} names {ours:?}");
    }
    Ok(())
}

#[test]
fn secrets_leave_their_types_in_the_named_files_only() -> Result<()> {
    let exposing: BTreeSet<String> = files(&[".rs"])?
        .into_iter()
        .filter(|(path, content)| !is_test(path) && content.contains(".expose()"))
        .map(|(path, _)| path)
        .collect();
    let named: BTreeSet<String> = EXPOSES.iter().map(|path| (*path).to_owned()).collect();
    let added: Vec<_> = exposing.difference(&named).collect();
    let gone: Vec<_> = named.difference(&exposing).collect();
    assert!(added.is_empty(), "call expose() and are not in the list: {added:#?}");
    assert!(gone.is_empty(), "are in the list and need not be: {gone:#?}");
    let shell: Vec<_> = named.iter().filter(|path| path.starts_with("src-tauri/")).collect();
    assert_eq!(shell, ["src-tauri/src/platform.rs"], "the shell only hands an address on");
    Ok(())
}

#[test]
fn the_page_of_the_window_draws_and_sends_intents_and_nothing_else() -> Result<()> {
    let page: Vec<_> = files(&[".js", ".html", ".css"])?
        .into_iter()
        .filter(|(path, _)| path.starts_with("ui/"))
        .collect();
    assert!(!page.is_empty(), "there is a page");
    for (path, content) in page {
        for word in NOT_IN_THE_PAGE {
            assert!(!content.contains(word), "{path} has {word}");
        }
        let away =
            content.lines().find(|line| line.contains("://") && !line.contains("www.w3.org"));
        assert_eq!(away, None, "{path} names an address");
    }
    Ok(())
}

#[test]
fn files_stay_short_enough_to_be_one_thing() -> Result<()> {
    let reasons: BTreeMap<_, _> = LONG.iter().copied().collect();
    let mut long = Vec::new();
    for (path, content) in files(&[".rs", ".js", ".css"])? {
        let lines = content.lines().count();
        let excused = reasons.contains_key(path.as_str());
        if lines > LONGEST && !excused {
            long.push((lines, path));
        } else {
            assert!(lines > LONGEST || !excused, "{path} needs no excuse any more");
        }
    }
    assert!(long.is_empty(), "are these each one thing? {long:#?}");
    Ok(())
}

#[test]
fn lines_fit_the_width_of_a_page() -> Result<()> {
    let mut wide = Vec::new();
    let mut excused = BTreeSet::new();
    for (path, content) in files(&[".rs"])? {
        if !NARROW.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        for (number, line) in content.lines().enumerate() {
            if line.chars().count() <= WIDEST {
                continue;
            }
            let is_excuse = |(file, start, _): &&(&str, &str, &str)| {
                *file == path && line.trim_start().starts_with(start)
            };
            match WIDE.iter().find(is_excuse) {
                Some(excuse) => drop(excused.insert(*excuse)),
                None => wide.push(format!("{path}:{}", number + 1)),
            }
        }
    }
    assert!(wide.is_empty(), "lines over {WIDEST} columns: {wide:#?}");
    let needless: Vec<_> = WIDE.iter().filter(|excuse| !excused.contains(*excuse)).collect();
    assert!(needless.is_empty(), "need no excuse any more: {needless:?}");
    Ok(())
}

#[test]
fn every_file_says_first_what_it_is() -> Result<()> {
    for (path, content) in files(&[".rs"])? {
        let told = content.starts_with("//!") || path.ends_with("/tests.rs");
        assert!(told, "{path} has no module doc");
    }
    Ok(())
}

#[test]
fn nothing_is_left_open_and_no_machine_is_named() -> Result<()> {
    let here = format!("{}/", root().display());
    let open = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[", "ignore"),
        concat!("FIX", "ME"),
    ];
    let endings = [
        ".rs", ".js", ".mjs", ".css", ".html", ".toml", ".json", ".md", ".ftl", ".sh", ".desktop",
        "run",
    ];
    for (path, content) in files(&endings)? {
        let homes = ["/home/", "/root/", "/Users/"];
        for name in homes.iter().copied().chain([here.as_str()]) {
            let named = content.match_indices(name).any(|(at, _)| {
                let before = content[..at].chars().next_back();
                let example = content[at..].starts_with("/home/ada/");
                !example && before.is_none_or(|c| !(c.is_alphanumeric() || "_.-}$>".contains(c)))
            });
            assert!(
                !named || path == "tests/walls.rs",
                "{path} names a folder of a machine: {name}"
            );
        }
        for word in open.iter().filter(|_| path.ends_with(".rs")) {
            assert!(!content.contains(word), "{path} leaves something open: {word}");
        }
    }
    Ok(())
}

#[test]
fn the_core_is_kept_from_clock_files_and_environment() -> Result<()> {
    let lints = std::fs::read_to_string(root().join("crates/core/clippy.toml"))?;
    for banned in [
        "std::time::SystemTime::now",
        "std::time::Instant::now",
        "std::env::var",
        "std::fs::read_to_string",
        "std::net::TcpStream",
        "std::thread::spawn",
    ] {
        assert!(lints.contains(banned), "crates/core/clippy.toml does not ban {banned}");
    }
    Ok(())
}

#[test]
fn every_test_file_of_this_package_is_run() -> Result<()> {
    let manifest = std::fs::read_to_string(root().join("tests/Cargo.toml"))?;
    for (path, _) in files(&[".rs"])? {
        let Some(name) = path.strip_prefix("tests/").filter(|name| !name.contains('/')) else {
            continue;
        };
        assert!(manifest.contains(&format!("path = \"{name}\"")), "{path} is in no target");
    }
    Ok(())
}

#[test]
fn signals_are_recorded_by_one_crate() -> Result<()> {
    let second_ways = [concat!("tokio::", "signal"), concat!("signal_", "hook")];
    for (path, content) in files(&[".rs"])? {
        let ships = path.starts_with("crates/") || path.starts_with("src-tauri/");
        let allowed = path.starts_with("crates/shutdown/") || path == "crates/cli/src/signals.rs";
        for word in second_ways.iter().filter(|_| ships && !is_test(&path) && !allowed) {
            assert!(!content.contains(word), "{path} uses {word}: see keyport-shutdown");
        }
    }
    Ok(())
}
