//! Our own programs as they were built: found beside the test executable, or where
//! `KEYPORT_BIN_DIR` points (an installed package). NOT built from here: `cargo build --workspace
//! --bins` (a step of `cargo xtask test`) comes first.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The folder with the programs under test.
///
/// # Errors
/// When the test executable does not know where it is.
pub fn folder() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("KEYPORT_BIN_DIR") {
        return Ok(folder.into());
    }
    let executable = std::env::current_exe().context("where is the test executable?")?;
    let folder = executable.parent().context("an executable in no folder")?;
    let folder = if folder.ends_with("deps") {
        folder.parent().context("deps without a parent")?
    } else {
        folder
    };
    Ok(folder.to_path_buf())
}

/// The path of one program, for example `keyport-companion`.
///
/// # Errors
/// When it was not built.
pub fn path(name: &str) -> Result<PathBuf> {
    let path = folder()?.join(name);
    if !path.is_file() {
        bail!(
            "{name} is not built: no {}. Run `cargo build --workspace --bins`, or set \
             KEYPORT_BIN_DIR",
            path.display()
        );
    }
    Ok(path)
}

/// A command for one of our programs with none of the caller's own settings in its environment.
///
/// # Errors
/// When it was not built.
pub fn command(name: &str) -> Result<Command> {
    let mut command = Command::new(path(name)?);
    without_settings(&mut command);
    Ok(command)
}

/// Takes from the environment what would steer our programs or send loopback requests through a
/// proxy.
pub fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_uppercase();
        let ours = upper.starts_with("KEYPORT_") || upper.starts_with("WORKOS_");
        if ours || upper.ends_with("_PROXY") || upper == "DATABASE_URL" || upper == "RUST_LOG" {
            command.env_remove(name);
        }
    }
}
