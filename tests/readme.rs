//! What of the documents a test can hold: the Rust of README is the doc test of the client library,
//! and every decision has its number and its date.

use std::path::Path;

use anyhow::{Context, Result};

/// The file whose doc test README shows.
const EXAMPLE: &str = "crates/client/src/lib.rs";
/// Longest getting-started, in lines.
const LONGEST: usize = 25;

fn read(path: &str) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).context(path.to_owned())
}

/// The lines of the first doc test of a module.
fn doc_test(source: &str) -> Result<String> {
    let (_, rest) = source.split_once("//! ```no_run\n").context("no doc test")?;
    let (lines, _) = rest.split_once("//! ```").context("a doc test without an end")?;
    let bare = |line: &str| line.trim_start_matches("//!").strip_prefix(' ').map(str::to_owned);
    Ok(lines.lines().map(|line| bare(line).unwrap_or_default() + "\n").collect())
}

#[test]
fn the_rust_of_the_readme_is_a_short_doc_test() -> Result<()> {
    let readme = read("README.md")?;
    let blocks: Vec<&str> = readme
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect();
    let example = doc_test(&read(EXAMPLE)?)?;
    assert!(example.lines().count() <= LONGEST, "getting started takes too long");
    assert_eq!(blocks, [example]);
    Ok(())
}

#[test]
fn every_decision_has_its_number_and_its_date() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/decisions");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    for (place, name) in names.iter().enumerate() {
        assert!(name.starts_with(&format!("{:04}-", place + 1)), "{name} is number {}", place + 1);
        let page = read(&format!("docs/decisions/{name}"))?;
        let lines: Vec<&str> = page.lines().take(4).collect();
        let [title, "", date, ""] = lines[..] else { panic!("{name} begins with {lines:?}") };
        assert!(title.starts_with("# "), "{name}: {title}");
        let date = date.strip_prefix("Date: ").with_context(|| format!("{name} has no date"))?;
        let form: String = date.replace(|c: char| c.is_ascii_digit(), "0");
        assert_eq!(form, "0000-00-00", "{name}: {date}");
    }
    Ok(())
}
