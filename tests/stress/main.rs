//! `keyport-stress`: people sign in at a real companion while everything that an unauthenticated
//! caller can do is done to it at once, from the same address. It fails when a person fails, when
//! memory or database leave their bounds, or when the service is not as before five seconds after
//! the load has stopped. Times are printed and never judged. Loopback only.

mod checks;
mod load;
mod people;
mod sockets;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use keyport_tests::World;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::checks::{Memory, Outcome};
use crate::load::Size;

/// After the load has stopped the service has this long to become as before.
const RECOVERY: Duration = Duration::from_secs(5);
/// Sign-ins without load, for the ratios.
const UNDISTURBED: usize = 10;

#[derive(Parser)]
#[command(about = "People sign in while the service is under attack")]
struct Arguments {
    /// Less than a minute of a smaller load instead of minutes
    #[arg(long)]
    short: bool,
    /// Leave out everything that does not contain this word: poll, unread, idle, code, domain, push
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(outcome) if outcome.failures.is_empty() => {
            println!("\nstress: passed");
            ExitCode::SUCCESS
        }
        Ok(outcome) => {
            for failure in &outcome.failures {
                println!("FAILED: {failure}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("FAILED: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<Outcome> {
    let size = if arguments.short { Size::SHORT } else { Size::LONG };
    let files = raise_open_files()?;
    let size = size.within(files).only(arguments.only.as_deref());
    let folder =
        tempfile::Builder::new().prefix("stress-").tempdir_in(keyport_tests::binaries::folder()?)?;
    // Only warnings are logged: a line for each request would measure the disk of the log.
    let world = World::with().folder(folder.path()).log("warn").start()?;
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    println!("companion {} ({build} build), {files} open files each", world.issuer());
    let mut outcome = Outcome::default();
    let memory = Memory::watch(world.companion.id())?;
    println!("memory at rest: {}", checks::mib(memory.now()?));

    let undisturbed = people::sign_in_times(&world, UNDISTURBED).await?;
    println!("undisturbed: {} sign-ins", undisturbed.count());

    println!("load: {size}");
    let load = load::start(&world, &size)?;
    let started = Instant::now();
    let people = people::sign_in_during(&world, async { load.is_done(&size).await }).await;
    let pushed = load.pushed();
    let counts = load.stop().await;
    let stopped = Instant::now();
    println!("load stopped after {:.0} s: {counts}", started.elapsed().as_secs_f64());
    outcome.people(&people, &undisturbed);
    outcome.expect(!size.is_whole || pushed >= size.pushes, || {
        format!("the load was too small: {pushed} of {} requests were pushed", size.pushes)
    });

    tokio::time::sleep(RECOVERY.saturating_sub(stopped.elapsed())).await;
    match people::sign_in_times(&world, 1).await {
        Ok(after) => outcome.compare("5 s after the load", &after, &undisturbed),
        Err(error) => outcome.fail(format!("5 s after the load no one can sign in: {error:#}")),
    }
    outcome.memory(memory.stop()?);
    outcome.database(&world.database())?;
    Ok(outcome)
}

/// As many open files as this user may have: here, and in the services, which inherit it.
fn raise_open_files() -> Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(65_536).min(65_536);
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).context("cannot raise the limit of open files")?;
    }
    ensure!(wanted >= 1024, "only {wanted} open files are allowed here");
    Ok(wanted)
}
