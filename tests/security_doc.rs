//! Every test that `docs/security.md` names is a test.

use std::path::Path;

use anyhow::{Context, Result};

fn promised(document: &str) -> Vec<(&str, &str)> {
    let quoted = document.split('`').skip(1).step_by(2);
    quoted.filter_map(|text| text.split_once(".rs::")).collect()
}

/// Whether a test list has a line of this name: in the file itself, where it is a harness of its
/// own, or in the `main.rs` of a suite that is run for each engine.
fn is_listed(root: &Path, file: &str, name: &str) -> bool {
    let own = root.join(format!("{file}.rs"));
    let suite = own.parent().and_then(Path::parent).map(|folder| folder.join("main.rs"));
    [Some(own), suite].into_iter().flatten().any(|path| {
        let source = std::fs::read_to_string(path).unwrap_or_default();
        source.lines().any(|line| line.trim().trim_end_matches(',') == name)
    })
}

#[test]
fn each_promise_names_a_test_that_exists() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let document = std::fs::read_to_string(root.join("docs/security.md"))?;
    let promised = promised(&document);
    assert!(promised.len() > 20, "the document must be read: {}", promised.len());
    for line in
        document.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| threat"))
    {
        assert!(line.contains(".rs::"), "a promise without a test: {line}");
    }
    let mut broken = Vec::new();
    for (file, name) in promised {
        let source = std::fs::read_to_string(root.join(format!("{file}.rs"))).unwrap_or_default();
        let is_test = source.split(&format!("fn {name}(")).next().is_some_and(|before| {
            before.len() < source.len()
                && before.trim_end().trim_end_matches("async").trim_end().ends_with(']')
        });
        if !is_test && !is_listed(root, file, name) {
            broken.push(format!("{file}.rs::{name}"));
        }
    }
    assert!(broken.is_empty(), "no such test: {broken:#?}");
    Ok(())
}
