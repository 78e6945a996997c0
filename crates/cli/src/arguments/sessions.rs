//! The lines about sessions that are there already: ending them here, and seeing and ending them
//! elsewhere.

use clap::{Args, Subcommand};

use super::SessionArguments;

/// `keyport sign-out`.
#[derive(Debug, Args)]
pub struct SignOut {
    /// Whose.
    #[command(flatten)]
    pub session: SessionArguments,
    /// The account to sign out, by its id or its email
    #[arg(long, value_name = "ID-or-EMAIL", conflicts_with = "all")]
    pub account: Option<String>,
    /// Every account that is signed in at this service
    #[arg(long)]
    pub all: bool,
    /// On all your devices, not only on this one
    #[arg(long)]
    pub everywhere: bool,
}

/// `keyport sessions`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DeviceSessions {
    /// What to do instead of listing them.
    #[command(subcommand)]
    pub what: Option<DeviceSessionsCommand>,
    /// Whose are listed.
    #[command(flatten)]
    pub of: OfAccount,
}

/// `keyport sessions …`.
#[derive(Debug, Subcommand)]
pub enum DeviceSessionsCommand {
    /// End the session with this id: its device is signed out
    End(EndSession),
}

/// `keyport sessions end`.
#[derive(Debug, Args)]
pub struct EndSession {
    /// The id, as `keyport sessions` shows it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Whose.
    #[command(flatten)]
    pub of: OfAccount,
}

/// The account whose sessions are meant.
#[derive(Debug, Args)]
pub struct OfAccount {
    /// At which service.
    #[command(flatten)]
    pub session: SessionArguments,
    /// The account, by its id or its email, instead of the current one
    #[arg(long, value_name = "ID-or-EMAIL")]
    pub account: Option<String>,
}

impl DeviceSessions {
    /// The account that is meant, whatever is to be done.
    pub fn account(&self) -> &OfAccount {
        match &self.what {
            Some(DeviceSessionsCommand::End(end)) => &end.of,
            None => &self.of,
        }
    }
}
