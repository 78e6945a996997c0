//! The command line of the companion. Settings come from the environment; see `--help`.

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use keyport_companion::config::{Settings, VARIABLES, Variable};
use keyport_companion::{logging, serve};

#[derive(Parser)]
#[command(name = "keyport-companion", version, about, after_help = variables(), arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
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
    let Command::Serve { listen } = Arguments::parse().command;
    logging::start();
    // A variable that is not Unicode is none of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let served = Settings::judge(variables, listen, |path| std::fs::read_to_string(path))
        .map_err(anyhow::Error::from)
        .and_then(|settings| {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(serve(settings, listen))
        });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("keyport-companion: {error:#}");
            ExitCode::FAILURE
        }
    }
}
