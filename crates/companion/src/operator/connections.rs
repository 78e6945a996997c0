//! `connections …`: those of the account at the provider.

use std::path::PathBuf;

use serde::Serialize;

use super::confirm::{confirm, say};
use super::output::{CommandOutput, moment};
use super::sessions::Concerned;
use super::{AdminAccess, provider_id};
use crate::admin::{
    AdminError, ConnectionTarget, DeleteConnection, ListCertificates, ListConnections,
    ShowConnection, WriteConnection,
};
use crate::config::read_settings_file;
use crate::domain::SessionSelector;
use crate::upstream::{AccountConnection, ConnectionSettings, SigningCertificate};

/// `connections …`
#[derive(Debug, clap::Subcommand)]
pub enum ConnectionsCommand {
    /// The connections of the account.
    List {
        /// Of one organization (`org_…`).
        #[arg(long, value_name = "ORG", value_parser = provider_id)]
        organization: Option<String>,
    },
    /// One connection.
    Show {
        /// `conn_…`
        #[arg(value_parser = provider_id)]
        connection: String,
    },
    /// Make a connection of an organization, by SAML metadata or OIDC discovery.
    Create {
        /// Whose it is (`org_…`).
        #[arg(long, value_name = "ORG", value_parser = provider_id)]
        organization: String,
        /// The provider's connection type, such as `OktaSAML`.
        #[arg(long = "type", value_name = "TYPE", value_parser = provider_id)]
        kind: Option<String>,
        #[command(flatten)]
        settings: Options,
    },
    /// Change a connection; what is not given stays.
    Update {
        /// `conn_…`
        #[arg(value_parser = provider_id)]
        connection: String,
        #[command(flatten)]
        settings: Options,
    },
    /// Delete a connection for good: its people cannot sign in by it any more.
    Delete {
        /// `conn_…`
        #[arg(value_parser = provider_id)]
        connection: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// The certificates by which its identity provider signs.
    Certificates {
        /// `conn_…`
        #[arg(value_parser = provider_id)]
        connection: String,
    },
}

/// What a connection is to be.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What it is called.
    #[arg(long)]
    name: Option<String>,
    /// SAML: where the identity provider's metadata is.
    #[arg(long, value_name = "URL", conflicts_with_all = ["discovery_endpoint", "client_id"])]
    metadata_url: Option<String>,
    /// OIDC: where its discovery document is.
    #[arg(long, value_name = "URL")]
    discovery_endpoint: Option<String>,
    /// OIDC: our client id there.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// OIDC: a file with our secret there.
    #[arg(long, value_name = "FILE", conflicts_with = "metadata_url")]
    client_secret_file: Option<PathBuf>,
}

impl Options {
    fn is_empty(&self) -> bool {
        self.settings() == ConnectionSettings::default() && self.client_secret_file.is_none()
    }

    fn settings(&self) -> ConnectionSettings {
        ConnectionSettings {
            name: self.name.clone(),
            metadata_url: self.metadata_url.clone(),
            discovery_endpoint: self.discovery_endpoint.clone(),
            client_id: self.client_id.clone(),
        }
    }

    fn request(&self, target: ConnectionTarget) -> Result<WriteConnection, AdminError> {
        let client_secret = match &self.client_secret_file {
            None => None,
            Some(path) => {
                let text = read_settings_file(&path.to_string_lossy()).map_err(|error| {
                    AdminError::usage(format!("{} cannot be read: {error}", path.display()))
                })?;
                Some(text.trim().to_owned())
            }
        };
        Ok(WriteConnection { target, settings: self.settings(), client_secret })
    }
}

/// Carries the command out.
pub async fn run(
    command: &ConnectionsCommand,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    match command {
        ConnectionsCommand::List { organization } => list(organization, access, output).await,
        ConnectionsCommand::Show { connection } => {
            print(output, &access.ask(ShowConnection { id: connection.clone() }).await?)
        }
        ConnectionsCommand::Create { organization, kind, settings } => {
            if settings.metadata_url.is_none() && settings.discovery_endpoint.is_none() {
                return Err(AdminError::usage(
                    "give --metadata-url (SAML), or --discovery-endpoint and --client-id (OIDC)",
                ));
            }
            let (organization, kind) = (organization.clone(), kind.clone());
            let target = ConnectionTarget::New { organization, kind };
            print(output, &access.ask(settings.request(target)?).await?)
        }
        ConnectionsCommand::Update { connection, settings } => {
            if settings.is_empty() {
                return Err(AdminError::usage("say what to change: see --help"));
            }
            let target = ConnectionTarget::Existing(connection.clone());
            print(output, &access.ask(settings.request(target)?).await?)
        }
        ConnectionsCommand::Delete { connection, yes } => {
            delete(connection, *yes, access, output).await
        }
        ConnectionsCommand::Certificates { connection } => {
            certificates(connection, access, output).await
        }
    }
}

async fn list(
    organization: &Option<String>,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    let (mut after, mut is_empty) = (None, true);
    loop {
        let organization = organization.clone();
        let page = access.ask(ListConnections { organization, after }).await?;
        is_empty &= page.items.is_empty();
        let header = ["CONNECTION", "NAME", "TYPE", "STATE", "ORGANIZATION", "DOMAINS"];
        output.rows(header, &page.items, |found| {
            [
                found.id.clone(),
                found.name.clone(),
                found.kind.clone(),
                found.state.clone(),
                found.organization.clone().unwrap_or_default(),
                found.domains.join(" "),
            ]
        })?;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    if is_empty && !output.json {
        output.line("There is no connection.")?;
    }
    Ok(())
}

fn print(output: &mut CommandOutput, found: &AccountConnection) -> Result<(), AdminError> {
    if output.json {
        return output.object(found);
    }
    output.facts(&[
        ("Connection", found.id.clone()),
        ("Name", found.name.clone()),
        ("Type", found.kind.clone()),
        ("State", found.state.clone()),
        ("Organization", found.organization.clone().unwrap_or_default()),
        ("Domains", found.domains.join(" ")),
        ("Made", moment(&found.created_at)),
        ("Changed", moment(&found.updated_at)),
    ])
}

async fn certificates(
    connection: &str,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    let found = access.ask(ListCertificates { connection: connection.to_owned() }).await?;
    if found.is_empty() && !output.json {
        output.line("It has no certificate.")?;
    }
    let date = |end: &Option<String>| end.as_deref().map(moment).unwrap_or_default();
    output.rows(["CERTIFICATE", "FROM", "UNTIL"], &found, |one: &SigningCertificate| {
        [one.id.clone(), date(&one.not_before), date(&one.not_after)]
    })
}

#[derive(Serialize)]
struct Deleted<'a> {
    deleted: &'a str,
    locked_out: Vec<&'a str>,
}

/// Whoever is signed in through it has no other way that is known here.
async fn delete(
    connection: &str,
    yes: bool,
    access: &AdminAccess,
    output: &mut CommandOutput,
) -> Result<(), AdminError> {
    let found = access.ask(ShowConnection { id: connection.to_owned() }).await?;
    let of = [SessionSelector::Connection(connection.to_owned())];
    let concerned = Concerned::of(access, &of).await?;
    if !output.json {
        let whose = found.organization.as_deref().unwrap_or("no organization");
        say(&format!("{} ({}), of {whose}\n", super::output::shown(&found.name), found.kind));
        if concerned.people.is_empty() {
            say("No person is signed in through it.\n");
        } else {
            say(&format!("Signed in through it, and locked out:\n{}", concerned.names()));
        }
    }
    confirm(&format!("Delete {connection} for good?"), yes).await?;
    access.ask(DeleteConnection { id: connection.to_owned() }).await?;
    if output.json {
        let locked_out = concerned.emails();
        return output.object(&Deleted { deleted: connection, locked_out });
    }
    output.line(&format!("{connection} deleted."))?;
    if !concerned.people.is_empty() {
        output.line(&format!(
            "Their sessions go on until the provider's event arrives; to end them now: \
             keyport-companion sessions revoke --connection {connection}"
        ))?;
    }
    Ok(())
}
