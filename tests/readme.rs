//! README shows code that is compiled: its Rust is the doc test of the client library.

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
