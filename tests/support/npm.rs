//! A JavaScript project of the tests, installed with `npm ci` from its lock file into the target
//! folder; installed again only when the lock file changed. NOT part of any program that we ship.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::binaries;

/// Installs the project in `folder` (a folder beside the tests' `Cargo.toml`) and gives the folder
/// to run `node` in.
///
/// # Errors
/// When npm is not there or cannot install.
pub fn project(folder: &str) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let target = binaries::folder()?.join("npm").join(folder);
    std::fs::create_dir_all(&target)?;
    let lock = std::fs::read(source.join("package-lock.json"))?;
    let stamp = target.join("installed-lock.json");
    for entry in std::fs::read_dir(&source)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), target.join(entry.file_name()))?;
        }
    }
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(target);
    }
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&target)
        .status()
        .context("npm is needed for the tests with other people's libraries")?;
    ensure!(status.success(), "npm ci in {} failed", target.display());
    std::fs::write(stamp, lock)?;
    Ok(target)
}
