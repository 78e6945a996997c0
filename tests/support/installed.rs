//! The .deb, made and put where a desktop finds it. In CI as root it is really installed and removed again; elsewhere it is unpacked
//! into a folder that the session's `PATH` and `XDG_DATA_DIRS` name, so that no test changes a developer's machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{offspring, process};

/// The package's name.
const NAME: &str = "keyport";

/// The package, where programs and desktop entry are in force.
pub struct Installed {
    root: PathBuf,
    unpacked: Option<TempDir>,
}

/// Makes the debug package with `cargo xtask package --debug`; answers with its path.
///
/// # Errors
/// When it cannot be made.
pub fn make_package() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "xtask", "--", "package", "--debug"])
        .current_dir(root)
        .output()?;
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    anyhow::ensure!(output.status.success(), "cargo xtask package: {said}\n{errors}");
    Ok(said.lines().last().context("cargo xtask package says nothing")?.into())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Installed {
    /// Installs or unpacks the package.
    ///
    /// # Errors
    /// When apt or dpkg refuses it.
    pub fn from(package: &Path) -> Result<Self> {
        let root = rustix::process::geteuid().is_root();
        if root && std::env::var_os("CI").is_some() {
            let mut apt = Command::new("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive");
            apt.args(["install", "-y", "-qq", "--no-install-recommends", "--reinstall"]);
            process::run_within(apt.arg(package), INSTALLATION)?;
            return Ok(Self { root: "/".into(), unpacked: None });
        }
        let folder = tempfile::Builder::new().prefix("installed-").tempdir()?;
        offspring::remove_afterwards(folder.path());
        let mut unpack = Command::new("dpkg-deb");
        process::run_within(unpack.arg("-x").arg(package).arg(folder.path()), INSTALLATION)?;
        // What dpkg's trigger does after an installation.
        let mut update = Command::new("update-desktop-database");
        update.arg(folder.path().join("usr/share/applications"));
        process::run_within(&mut update, INSTALLATION)?;
        Ok(Self { root: folder.path().to_path_buf(), unpacked: Some(folder) })
    }

    /// An installed program.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.root.join("usr/bin").join(name)
    }

    /// A file of the package by its path without the first slash.
    #[must_use]
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// What a session must add so that it finds the package, as names and values of the environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        if self.unpacked.is_none() {
            return Vec::new();
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let programs = self.root.join("usr/bin");
        let data = self.root.join("usr/share");
        vec![
            ("PATH", format!("{}:{path}", programs.display())),
            ("XDG_DATA_DIRS", format!("{}:/usr/local/share:/usr/share", data.display())),
        ]
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if self.unpacked.is_none() {
            let mut remove = Command::new("dpkg");
            let _ = process::run_within(remove.args(["--purge", NAME]), INSTALLATION);
        }
    }
}

/// apt may have to fetch a dependency.
const INSTALLATION: std::time::Duration = std::time::Duration::from_secs(300);
