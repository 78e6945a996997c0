//! Connections of the account at the provider.

use serde::{Deserialize, Serialize};

use super::provider::explain;
use super::{AdminError, Administration, Request};
use crate::domain::SecretText;
use crate::upstream::{AccountConnection, AccountPage, ConnectionSettings, SigningCertificate};

fn connection(id: &str) -> String {
    format!("connection {id}")
}

/// The connections, of one organization or all, a page of them.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListConnections {
    /// Whose.
    pub organization: Option<String>,
    /// Where the page begins.
    pub after: Option<String>,
}

impl Request for ListConnections {
    const PATH: &'static str = "/connections/list";
    type Answer = AccountPage<AccountConnection>;

    async fn carry_out(self, administration: &Administration) -> Result<Self::Answer, AdminError> {
        let account = administration.account()?;
        let listed = account.connections(self.organization, self.after).await;
        listed.map_err(|error| explain(&error, "such organization"))
    }
}

/// One connection.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShowConnection {
    /// `conn_…`
    pub id: String,
}

impl Request for ShowConnection {
    const PATH: &'static str = "/connections/show";
    type Answer = AccountConnection;

    async fn carry_out(self, administration: &Administration) -> Result<Self::Answer, AdminError> {
        let found = administration.account()?.show_connection(&self.id).await;
        found.map_err(|error| explain(&error, &connection(&self.id)))
    }
}

/// The certificates by which a connection's identity provider signs.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListCertificates {
    /// `conn_…`
    pub connection: String,
}

impl Request for ListCertificates {
    const PATH: &'static str = "/connections/certificates";
    type Answer = Vec<SigningCertificate>;

    async fn carry_out(self, administration: &Administration) -> Result<Self::Answer, AdminError> {
        let found = administration.account()?.certificates(&self.connection).await;
        found.map_err(|error| {
            explain(&error, &format!("certificates of {}", connection(&self.connection)))
        })
    }
}

/// Deletes a connection for good.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeleteConnection {
    /// `conn_…`
    pub id: String,
}

impl Request for DeleteConnection {
    const PATH: &'static str = "/connections/delete";
    type Answer = ();

    async fn carry_out(self, administration: &Administration) -> Result<(), AdminError> {
        let deleted = administration.account()?.delete_connection(&self.id).await;
        deleted.map_err(|error| explain(&error, &connection(&self.id)))?;
        tracing::info!(connection = self.id, "the operator has deleted a connection");
        Ok(())
    }
}

/// Makes a connection, or changes one.
#[derive(Serialize, Deserialize)]
pub struct WriteConnection {
    /// The connection to change, or the organization to make one for.
    pub target: ConnectionTarget,
    /// What it is to be.
    pub settings: ConnectionSettings,
    /// OIDC: our secret at the identity provider. The socket is the operator's own.
    pub client_secret: Option<String>,
}

/// Which connection is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionTarget {
    /// This one.
    Existing(String),
    /// A new one.
    New {
        /// `org_…`
        organization: String,
        /// The provider's connection type; unset, it follows from the rest.
        kind: Option<String>,
    },
}

impl Request for WriteConnection {
    const PATH: &'static str = "/connections/write";
    type Answer = AccountConnection;

    async fn carry_out(self, administration: &Administration) -> Result<Self::Answer, AdminError> {
        let Self { target, settings, client_secret } = self;
        let account = administration.account()?;
        let secret = client_secret.map(SecretText::new);
        let written = match &target {
            ConnectionTarget::Existing(id) => {
                let changed = account.update_connection(id, settings, secret).await;
                changed.map_err(|error| explain(&error, &connection(id)))?
            }
            ConnectionTarget::New { organization, kind } => {
                let (to, kind) = (organization.clone(), kind.clone());
                let made = account.create_connection(to, kind, settings, secret).await;
                made.map_err(|error| explain(&error, &format!("organization {organization}")))?
            }
        };
        tracing::info!(connection = written.id, "the operator has written a connection");
        Ok(written)
    }
}
