//! The commands of the operator beside `serve`: what each is called, asks and prints. Exit codes: 0
//! done, 1 failed, 2 usage, 3 refused, 4 not found, 5 unreachable.

mod access;
mod audit;
mod confirm;
mod output;
mod people;
mod sessions;
mod users;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use keyport_shutdown::Shutdown;

use crate::admin::AdminError;
use crate::config::{Settings, read_settings_file};
use crate::upstream::workos_sso;
use access::Access;
use output::Output;

/// What an operator can do. Settings come from the same environment as those of `serve`.
#[derive(Debug, clap::Subcommand)]
pub enum OperatorCommand {
    /// Who is signed in where, and ending it.
    #[command(subcommand)]
    Sessions(sessions::SessionsCommand),
    /// Who has signed in here.
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// What has happened.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
}

/// Carries a command out, until it is done or the process is told to end.
pub async fn run(command: &OperatorCommand, json: bool, shutdown: &Shutdown) -> ExitCode {
    let mut output = Output::new(json);
    let done = tokio::select! {
        done = carry_out(command, &mut output) => done,
        _ = shutdown.requested() => Err(AdminError::failed("interrupted")),
    };
    match done.and_then(|()| output.finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // What was printed before it belongs to it.
            drop(output.finish());
            confirm::say(&format!("keyport-companion: {error}\n"));
            ExitCode::from(error.exit_code())
        }
    }
}

async fn carry_out(command: &OperatorCommand, output: &mut Output) -> Result<(), AdminError> {
    let access = Access::find(settings()?).await?;
    match command {
        OperatorCommand::Sessions(command) => sessions::run(command, &access, output).await,
        OperatorCommand::Users(command) => users::run(command, &access, output).await,
        OperatorCommand::Audit(command) => audit::run(command, &access, output).await,
    }
}

/// Those of `serve`, as if it listened where it does unless told otherwise.
fn settings() -> Result<Settings, AdminError> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 8788));
    Settings::judge(std::env::vars_os(), listen, read_settings_file, &workos_sso::IDS)
        .map_err(|faults| AdminError::usage(faults.to_string()))
}
