//! The commands of the operator beside `serve`: what each is called, asks and prints. Exit codes: 0
//! done, 1 failed, 2 usage, 3 refused, 4 not found, 5 unreachable.

mod access;
mod audit;
mod check;
mod confirm;
mod connections;
mod organizations;
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
use access::AdminAccess;
use output::CommandOutput;

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
    /// The connections of the account at the provider.
    #[command(subcommand)]
    Connections(connections::ConnectionsCommand),
    /// The organizations of the account at the provider.
    #[command(subcommand)]
    Organizations(organizations::OrganizationsCommand),
    /// Print a link to the provider's pages for the administrator of an organization. Whoever has
    /// it acts for the organization for some minutes.
    PortalLink(organizations::PortalLinkArguments),
    /// Go through the list before people sign in: settings, account, machine. Exit code 1 if a
    /// line is wrong.
    Check,
}

/// Carries a command out, until it is done or the process is told to end.
pub async fn run(command: &OperatorCommand, json: bool, shutdown: &Shutdown) -> ExitCode {
    let mut output = CommandOutput::new(json);
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

async fn carry_out(
    command: &OperatorCommand,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    let found = AdminAccess::find(settings()?).await;
    if let (OperatorCommand::Check, Err(error)) = (command, &found) {
        return check::without_database(&settings()?, error, output).await;
    }
    let access = found?;
    match command {
        OperatorCommand::Sessions(command) => sessions::run(command, &access, output).await,
        OperatorCommand::Users(command) => users::run(command, &access, output).await,
        OperatorCommand::Audit(command) => audit::run(command, &access, output).await,
        OperatorCommand::Connections(command) => connections::run(command, &access, output).await,
        OperatorCommand::Organizations(command) => {
            organizations::run(command, &access, output).await
        }
        OperatorCommand::PortalLink(arguments) => {
            organizations::portal_link(arguments, &access, output).await
        }
        OperatorCommand::Check => check::run(&access, output).await,
    }
}

/// The form of the provider's ids and type names: what is no path and no query.
fn provider_id(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let is_id = !text.is_empty() && text.len() <= 128 && text.bytes().all(is_plain);
    if is_id { Ok(text.to_owned()) } else { Err("letters, digits and _ only") }
}

/// Those of `serve`, as if it listened where it does unless told otherwise.
fn settings() -> Result<Settings, AdminError> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 8788));
    Settings::judge(std::env::vars_os(), listen, read_settings_file, &workos_sso::IDS)
        .map_err(|faults| AdminError::usage(faults.to_string()))
}
