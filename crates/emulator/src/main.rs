//! `keyport-emulator serve`: the command line around the library. The first line on standard output
//! is the ready event; logs go to standard error.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use keyport_emulator::{Emulator, Seed, serve};
use keyport_shutdown::{Hangup, Policy, Shutdown};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// From the request to end to the end: calls under way have three seconds of it.
const TIME_TO_END: Duration = Duration::from_secs(6);

/// A WorkOS-shaped service for development and tests. Never use it for anything else.
#[derive(Debug, Parser)]
#[command(name = "keyport-emulator", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C.
    Serve {
        /// The address to listen on; port 0 takes a free one.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8787")]
        listen: SocketAddr,
        /// A JSON file that replaces the built-in organizations, connections, people, client and
        /// redirect URIs.
        #[arg(long, value_name = "FILE")]
        seed: Option<PathBuf>,
    },
}

fn main() -> anyhow::Result<()> {
    // First of all, so that a signal is never lost.
    let shutdown = Shutdown::install(Policy {
        hangup: Hangup::Default,
        time_limit: TIME_TO_END,
        forced_exit_code: 1,
    })
    .context("signals cannot be received")?;
    let filter = EnvFilter::try_from_env("RUST_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // A reader that stalls stops only the thread that writes.
    let (lines, _written) = tracing_appender::non_blocking(std::io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines).with_ansi(false).init();
    let command = Arguments::parse().command;
    let runtime = tokio::runtime::Runtime::new()?;
    let served = runtime.block_on(run(command, shutdown));
    runtime.shutdown_background();
    served
}

async fn run(command: Command, shutdown: Shutdown) -> anyhow::Result<()> {
    let Command::Serve { listen, seed } = command;
    let seed = match seed {
        Some(path) => Seed::read(&path)?,
        None => Seed::built_in()?,
    };
    let listener = bind(listen).await?;
    let address = listener.local_addr().context("the listening address is not known")?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "others on the network can reach this emulator, and its keys are public"
        );
    }
    println!("{}", serde_json::json!({ "event": "ready", "url": format!("http://{address}") }));
    let stop = async move {
        shutdown.requested().await;
    };
    serve(listener, Emulator::new(seed), stop).await.context("serving ended")
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(listen).await {
        Ok(listener) => Ok(listener),
        Err(cause) if cause.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "port {} is in use: another program listens on {listen}. Stop it, or choose another \
             with --listen",
            listen.port()
        ),
        Err(cause) => Err(cause).with_context(|| format!("cannot listen on {listen}")),
    }
}
