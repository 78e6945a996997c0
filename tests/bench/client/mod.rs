//! The real client against the running companion: from the callback's bytes to the stored session,
//! and from the click to the browser's process. It runs in a process of its own (`inside`), because
//! the Secret Service is found through the environment.

mod browser;
mod inside;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use keyport_tests::{DesktopSession, Process, World};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::samples::Samples;

pub use browser::{BROWSER, report_start};
pub use inside::measure;

/// The subcommand of the process that is the client.
pub const SUBCOMMAND: &str = "client";

/// Sign-ins and clicks take well under a second each.
const LONGEST: Duration = Duration::from_secs(900);

/// Which keychain the client keeps its sessions in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Keychain {
    /// The Secret Service of the session.
    System,
    /// The process's memory, through the same code.
    Memory,
}

/// What the process that is the client is told.
#[derive(Args, Debug)]
pub struct Orders {
    #[arg(long)]
    companion: Url,
    /// For the lock and the fake browser.
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    keychain: Keychain,
    #[arg(long)]
    runs: usize,
}

/// What it says at the end, in nanoseconds.
#[derive(Debug, Deserialize, Serialize)]
struct Measured {
    stored: Vec<u64>,
    spawned: Vec<u64>,
}

/// Times of the client.
pub struct Times {
    /// Callback byte to session stored.
    pub stored: Samples,
    /// Click to browser process.
    pub spawned: Samples,
}

/// With the Secret Service of a throw-away session.
pub fn with_secret_service(world: &World, runs: usize) -> Result<Times> {
    let session = DesktopSession::with().without_display().start()?;
    let command = session.command(std::env::current_exe()?);
    run(command, world, &session.home(), Keychain::System, runs)
}

/// With a keychain in memory.
pub fn in_memory(world: &World, runs: usize) -> Result<Times> {
    let folder = tempfile::tempdir_in(world.folder())?;
    let mut command = std::process::Command::new(std::env::current_exe()?);
    keyport_tests::binaries::without_settings(&mut command);
    run(command, world, folder.path(), Keychain::Memory, runs)
}

fn run(
    mut command: std::process::Command,
    world: &World,
    folder: &Path,
    keychain: Keychain,
    runs: usize,
) -> Result<Times> {
    let keychain = keychain.to_possible_value().context("a keychain of the list")?;
    command
        .args([SUBCOMMAND, "--companion", world.issuer(), "--keychain", keychain.get_name()])
        .args(["--runs", &runs.to_string()])
        .arg("--folder")
        .arg(folder);
    let client = Process::spawn("client", command, &world.folder().join("logs"))?;
    let measured: Measured = client.line(LONGEST, |line| serde_json::from_str(line).ok())?;
    Ok(Times { stored: samples(&measured.stored)?, spawned: samples(&measured.spawned)? })
}

fn samples(nanoseconds: &[u64]) -> Result<Samples> {
    let runs = nanoseconds.iter().map(|one| Duration::from_nanos(*one)).collect();
    Samples::of(runs).context("no run")
}
