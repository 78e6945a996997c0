//! `keyport-emulator serve`: the command line around the library. The first line on standard output is the ready event;
//! logs go to standard error.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use keyport_emulator::{Emulator, Seed, serve};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

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
        /// A JSON file that replaces the built-in organizations, connections, people, client and redirect URIs.
        #[arg(long, value_name = "FILE")]
        seed: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_env("RUST_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let Command::Serve { listen, seed } = Arguments::parse().command;
    let seed = match seed {
        Some(path) => Seed::read(&path)?,
        None => Seed::built_in()?,
    };
    let listener = bind(listen).await?;
    let address = listener.local_addr().context("the listening address is not known")?;
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "others on the network can reach this emulator, and its keys are public");
    }
    let stop = stop_signal()?;
    println!("{}", serde_json::json!({ "event": "ready", "url": format!("http://{address}") }));
    serve(listener, Emulator::new(seed), stop).await.context("serving ended")
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(listen).await {
        Ok(listener) => Ok(listener),
        Err(cause) if cause.kind() == std::io::ErrorKind::AddrInUse => bail!(
            "port {} is in use: another program listens on {listen}. Stop it, or choose another with --listen",
            listen.port()
        ),
        Err(cause) => Err(cause).with_context(|| format!("cannot listen on {listen}")),
    }
}

/// Registered before the ready line, so that a stop right after it is graceful.
#[cfg(unix)]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be watched")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be watched")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
