//! `keyport-bench`: measures the release build beside the floors of the same machine in the same
//! minutes, and prints what it found. `cargo xtask bench` builds and starts it;
//! `docs/benchmarks.md` says how to read it. NOT a test: no figure makes it fail.

mod client;
mod floors;
mod kernel;
mod refreshes;
mod report;
mod samples;
mod service;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use keyport_tests::{World, binaries};
use tempfile::TempDir;

use crate::report::Report;

/// Runs of each measurement.
const RUNS: usize = 200;
const QUICK: usize = 20;

#[derive(Parser)]
#[command(about = "Measures Keyport beside the floors of this machine")]
struct Arguments {
    /// 20 runs of each instead of 200: shows that everything can be measured, and little more
    #[arg(long)]
    quick: bool,
    /// Only the refreshes on SQLite and their floors: to compare two builds in pairs
    #[arg(long)]
    refreshes: bool,
    /// Write the figures here too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// The process that is the client; started by this program itself
    #[command(name = client::SUBCOMMAND, hide = true)]
    Client(client::Orders),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match std::env::args_os().next().map(PathBuf::from) {
        Some(program) if program.ends_with(client::BROWSER) => {
            client::report_start(&program).map_err(Into::into)
        }
        _ => run(Arguments::parse()).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nthe benchmark failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    if let Some(Part::Client(orders)) = arguments.part {
        return client::measure(&orders).await;
    }
    let runs = if arguments.quick { QUICK } else { RUNS };
    let report =
        if arguments.refreshes { measure_refreshes(runs).await? } else { measure(runs).await? };
    report.print();
    if let Some(file) = arguments.json {
        let text = serde_json::to_string_pretty(&report)? + "\n";
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Beside the programs and not in the folder for temporary files, which may be memory.
fn folder() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(binaries::folder()?)?)
}

async fn measure_refreshes(runs: usize) -> Result<Report> {
    let (folder, mut report) = (folder()?, Report::default());
    state_setup(&mut report, folder.path(), runs)?;
    let world = World::with().folder(folder.path()).start()?;
    service::idle(&world, &mut report).await?;
    service::measure(&world, &mut report, runs).await?;
    report.state("load average at the end", kernel::load());
    Ok(report)
}

async fn measure(runs: usize) -> Result<Report> {
    let (folder, mut report) = (folder()?, Report::default());
    state_setup(&mut report, folder.path(), runs)?;
    let mut world = World::with().folder(folder.path()).start()?;
    service::idle(&world, &mut report).await?;
    println!("the client, with a keychain in memory");
    let times = client::in_memory(&world, runs)?;
    add_client(&mut report, "keychain in memory", &times);
    println!("the client, with the Secret Service");
    match client::with_secret_service(&world, runs) {
        Ok(times) => add_client(&mut report, "Secret Service", &times),
        Err(error) => report.leave_out("the client with the Secret Service", format!("{error:#}")),
    }
    println!("refreshes and floors");
    service::measure(&world, &mut report, runs).await?;
    println!("refreshes on PostgreSQL");
    service::on_postgres(&folder.path().join("postgres"), &mut report, runs).await?;
    println!("starts of the companion");
    service::starts(&mut world, &mut report)?;
    report.state("load average at the end", kernel::load());
    Ok(report)
}

fn add_client(report: &mut Report, keychain: &str, times: &client::Times) {
    let stored = format!("callback byte -> session stored, {keychain}");
    report.time(&stored, &times.stored, Some(50.0));
    let spawned = format!("click -> browser process, {keychain}");
    report.time(&spawned, &times.spawned, Some(100.0));
}

fn state_setup(report: &mut Report, folder: &Path, runs: usize) -> Result<()> {
    let build = if cfg!(debug_assertions) { "debug: figures say nothing" } else { "release" };
    report.state("build", build);
    report.state("processors", kernel::processors());
    report
        .state("services", "companion and emulator on this machine, loopback http, log level info");
    report.state("load generator", "on the same processors, one open connection for each client");
    report.state("store", "warm: metadata, connections, nonces and the device key are there");
    let file_system = kernel::file_system(folder)?;
    let durable =
        if kernel::is_memory(&file_system) { ": MEMORY, nothing is durable here" } else { "" };
    report.state("database", format!("SQLite, WAL, synchronous=FULL, on {file_system}{durable}"));
    report
        .state("runs", format!("{runs} of each unless the table says otherwise, after a warm-up"));
    report.state("load average at start", kernel::load());
    Ok(())
}
