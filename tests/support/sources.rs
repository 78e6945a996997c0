//! The files of the project, for the tests that read them. NOT the repository's list: what stands
//! in the folder counts, committed or not.

use std::path::{Path, PathBuf};

use anyhow::Result;

/// The root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Every file of the project with one of these endings, by its path from the root; tools' folders
/// are not the project. Sorted; with the content of each.
///
/// # Errors
/// When a folder or a file cannot be read.
pub fn files(endings: &[&str]) -> Result<Vec<(String, String)>> {
    let (root, mut found) = (root(), Vec::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                let foreign = ["target", "node_modules", "gen", ".git", "__pycache__", ".venv"];
                if !foreign.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let short = path.strip_prefix(&root)?.to_string_lossy().into_owned();
                let content = std::fs::read(&path)?;
                found.push((short, String::from_utf8_lossy(&content).into_owned()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether the file is part of a test.
#[must_use]
pub fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}
