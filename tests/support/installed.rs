//! The .deb, made and put where a desktop finds it. In CI as root it is really installed and
//! removed again; elsewhere it is unpacked into a folder that the session's `PATH` and
//! `XDG_DATA_DIRS` name, so that no test changes a developer's machine. One at a time on a machine:
//! take it before the desktop session.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{offspring, process};

/// The package's name.
const NAME: &str = "keyport";

/// The desktop entry, from the root of the package.
pub const ENTRY: &str = "usr/share/applications/keyport-desktop.desktop";

/// apt may have to fetch a dependency.
const INSTALLATION: Duration = Duration::from_secs(300);

/// Waits until the test lets go of its standard input, by will or because it was killed.
const REMOVAL: &str = r#"
trap '' INT TERM HUP
read -r _
apt-get purge -y -qq -o DPkg::Lock::Timeout=120 "$1" >/dev/null 2>&1
"#;

/// The package, where programs and desktop entry are in force.
pub struct Installed {
    root: PathBuf,
    unpacked: Option<TempDir>,
    _removal: Option<Removal>,
}

/// The package at `KEYPORT_PACKAGE`, or else the debug package, made with `cargo xtask package
/// --debug`; answers with its path.
///
/// # Errors
/// When it cannot be made.
pub fn package() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if let Some(given) = std::env::var_os("KEYPORT_PACKAGE") {
        let path = root.join(given);
        return path.canonicalize().with_context(|| format!("no package {}", path.display()));
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "xtask", "--", "package", "--debug"])
        .current_dir(root)
        // For the harness of the tests only: with it cargo would compile everything again.
        .env_remove("RUSTC_BOOTSTRAP")
        .output()?;
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    anyhow::ensure!(output.status.success(), "cargo xtask package: {said}\n{errors}");
    Ok(said.lines().last().context("cargo xtask package says nothing")?.into())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Installed {
    /// The package in force, made and installed by the first test that wants it, removed by the
    /// last one that lets go of it.
    ///
    /// # Errors
    /// As [`package`] and [`Installed::from`].
    pub fn shared() -> Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Installed>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(installed) = shared.upgrade() {
            return Ok(installed);
        }
        let installed = Arc::new(Self::from(&package()?)?);
        *shared = Arc::downgrade(&installed);
        Ok(installed)
    }

    /// Installs or unpacks the package.
    ///
    /// # Errors
    /// When apt or dpkg refuses it.
    pub fn from(package: &Path) -> Result<Self> {
        let root = rustix::process::geteuid().is_root();
        if root && std::env::var_os("CI").is_some() {
            // First, so that half an installation is removed too.
            let removal = Removal::prepare()?;
            let mut apt = Command::new("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive");
            apt.args(["install", "-y", "-qq", "--no-install-recommends", "--reinstall"]);
            apt.args(["--allow-downgrades", "-o", "DPkg::Lock::Timeout=120"]);
            process::run_within(apt.arg(package), INSTALLATION)?;
            return Ok(Self { root: "/".into(), unpacked: None, _removal: Some(removal) });
        }
        let folder = tempfile::Builder::new().prefix("installed-").tempdir()?;
        offspring::remove_afterwards(folder.path());
        let mut unpack = Command::new("dpkg-deb");
        process::run_within(unpack.arg("-x").arg(package).arg(folder.path()), INSTALLATION)?;
        // What dpkg's trigger does after an installation.
        let mut update = Command::new("update-desktop-database");
        update.arg(folder.path().join("usr/share/applications"));
        process::run_within(&mut update, INSTALLATION)?;
        let root = folder.path().to_path_buf();
        Ok(Self { root, unpacked: Some(folder), _removal: None })
    }

    /// The scheme of the links that the installed desktop entry takes; also the service of the
    /// app's keychain items.
    ///
    /// # Errors
    /// When the entry takes no links.
    pub fn scheme(&self) -> Result<String> {
        let entry = std::fs::read_to_string(self.file(ENTRY))?;
        let types = entry.lines().find_map(|line| line.strip_prefix("MimeType="));
        let scheme = types.and_then(|types| types.strip_prefix("x-scheme-handler/"));
        Ok(scheme.context("an entry without a scheme")?.trim_end_matches(';').to_owned())
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

    /// What a session must add so that it finds the package, as names and values of the
    /// environment.
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

/// A shell that removes the package when it is let go of, and holds the machine's one place for an
/// installation until then.
struct Removal {
    shell: Child,
}

impl Removal {
    fn prepare() -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let path = std::env::temp_dir().join("keyport-installation.lock");
        let lock = File::options().create(true).append(true).open(&path);
        let lock = lock.with_context(|| format!("cannot open {}", path.display()))?;
        lock.lock()?;
        let shell = Command::new("sh")
            .args(["-c", REMOVAL, "removal", NAME])
            .stdin(Stdio::piped())
            // The lock is the shell's from here on: it ends with the last copy of the open file.
            .stdout(lock)
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { shell })
    }
}

impl Drop for Removal {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
