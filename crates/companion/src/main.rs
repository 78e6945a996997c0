//! The command line of the companion. Settings come from the environment; see `--help`.
#![deny(clippy::print_stderr)]

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use keyport_companion::config::{Settings, VARIABLES, Variable, read_settings_file};
use keyport_companion::operator::{self, OperatorCommand};
use keyport_companion::upstream::workos_sso;
use keyport_companion::{logging, serve};
use keyport_shutdown::{Hangup, Policy, Shutdown};

/// From the request to end to the end, whatever blocks. Open requests and exchanges in flight have
/// 13 seconds of it; the rest is for the log.
const TIME_TO_END: Duration = Duration::from_secs(16);
/// For what still runs when the last request has been answered.
const TIME_FOR_TASKS: Duration = Duration::from_secs(1);

#[derive(Parser)]
#[command(name = "keyport-companion", version, about)]
#[command(after_help = variables(), arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Print JSON: one object, or one a line.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Serve sign-ins until SIGTERM.
    #[command(after_help = variables())]
    Serve {
        /// Address and port to listen on; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:8788")]
        listen: SocketAddr,
    },
    #[command(flatten)]
    Operate(OperatorCommand),
}

fn variables() -> String {
    let lines = VARIABLES.iter().map(|variable| {
        let file = if variable.is_secret { ", or a file named by NAME_FILE" } else { "" };
        let Variable { name, meaning, unset, .. } = variable;
        format!("  {name:<29} {meaning}{file} [unset: {unset}]\n").replace('`', "")
    });
    format!("Settings (environment variables):\n{}", lines.collect::<String>())
}

fn main() -> ExitCode {
    // First of all, so that a signal is never lost.
    let shutdown = Shutdown::install(Policy {
        hangup: Hangup::Told,
        time_limit: TIME_TO_END,
        forced_exit_code: 1,
    });
    let shutdown = shutdown.map_err(|error| anyhow::anyhow!("signals cannot be received: {error}"));
    match Arguments::parse() {
        Arguments { command: Command::Serve { listen }, .. } => serve_until_told(listen, shutdown),
        Arguments { command: Command::Operate(command), json } => operate(&command, json, shutdown),
    }
}

fn serve_until_told(listen: SocketAddr, shutdown: anyhow::Result<Shutdown>) -> ExitCode {
    let log = logging::start();
    let served = shutdown.and_then(|shutdown| run(listen, &shutdown));
    if let Err(error) = &served {
        log.say(&format!("keyport-companion: {error:#}"));
    }
    log.finish();
    if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A command prints and is done: it has no log.
fn operate(command: &OperatorCommand, json: bool, shutdown: anyhow::Result<Shutdown>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let (Ok(runtime), Ok(shutdown)) = (runtime, shutdown) else { return ExitCode::FAILURE };
    let code = runtime.block_on(operator::run(command, json, &shutdown));
    runtime.shutdown_timeout(TIME_FOR_TASKS);
    code
}

fn run(listen: SocketAddr, shutdown: &Shutdown) -> anyhow::Result<()> {
    let settings =
        move || Settings::judge(std::env::vars_os(), listen, read_settings_file, &workos_sso::IDS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(settings, listen, shutdown));
    runtime.shutdown_timeout(TIME_FOR_TASKS);
    served
}
