//! README shows code that is compiled: its Rust is a marked region of a file that cargo builds.

use std::path::Path;

use anyhow::{Context, Result};

/// The file that README names beside its Rust.
const EXAMPLE: &str = "crates/cli/examples/library.rs";
const BEGIN: &str = "// README: begin";
const END: &str = "// README: end";

fn read(path: &str) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(path)).context(path.to_owned())
}

/// The lines between the markers, without the indentation that all of them share.
fn marked(source: &str) -> Result<String> {
    let lines: Vec<&str> = source
        .lines()
        .skip_while(|line| line.trim() != BEGIN)
        .skip(1)
        .take_while(|line| line.trim() != END)
        .collect();
    let indentation = |line: &&str| line.len() - line.trim_start().len();
    let shared = lines.iter().filter(|line| !line.is_empty()).map(indentation).min();
    let shared = shared.with_context(|| format!("no {BEGIN} in {EXAMPLE}"))?;
    Ok(lines.iter().map(|line| line.get(shared..).unwrap_or_default().to_owned() + "\n").collect())
}

#[test]
fn the_rust_of_the_readme_is_the_example_that_is_compiled() -> Result<()> {
    let readme = read("README.md")?;
    let blocks: Vec<&str> = readme
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect();
    assert_eq!(blocks, [marked(&read(EXAMPLE)?)?]);
    assert!(readme.contains(EXAMPLE), "README does not name {EXAMPLE}");
    Ok(())
}
