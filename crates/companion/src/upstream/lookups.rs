//! What is looked up at the provider beside the exchange: the connections of an email domain, one
//! connection, the name of an organization. A pushed request comes from an unauthenticated caller,
//! so each kind has memory and budget of its own (`cache`); what a remembered answer lets through
//! is judged again on the profile.

use std::time::Duration;

use workos::Client;
use workos::resources::sso::ListConnectionsParams;

use super::cache::{Cache, LookupCaller};
use super::{Upstream, UpstreamError, within};
use crate::admission::ListedConnection;
use crate::domain::UpstreamIdentity;

/// Longest that a person waits for the name of an organization.
const NAME_TIMEOUT: Duration = Duration::from_secs(1);

/// The memory of each kind of look-up.
pub(super) struct Lookups {
    domains: Cache<Vec<ListedConnection>>,
    connections: Cache<ListedConnection>,
    organization_names: Cache<String>,
}

impl Default for Lookups {
    fn default() -> Self {
        Self {
            domains: Cache::new("connections of a domain"),
            connections: Cache::new("a connection"),
            organization_names: Cache::new("the name of an organization"),
        }
    }
}

impl Upstream {
    /// Says what the organization of this identity is called. A name that is not there in time is
    /// left out: it costs nobody a sign-in, and the next one finds it in memory.
    pub async fn name_organization(&self, identity: &mut UpstreamIdentity, asker: LookupCaller) {
        let Some(id) = identity.organization().map(|organization| organization.id.clone()) else {
            return;
        };
        let (client, asked) = (self.client.clone(), id.clone());
        let name = self.lookups.organization_names.find(&id, asker, || organization(client, asked));
        match tokio::time::timeout(NAME_TIMEOUT, name).await {
            Ok(Ok(Some(name))) => identity.name_organization(&name),
            Ok(Ok(None)) => tracing::warn!(organization = %id, "the provider does not know it"),
            Ok(Err(error)) => {
                tracing::warn!(organization = %id, %error, "the organization has no name");
            }
            Err(_) => tracing::warn!(organization = %id, "the organization's name is late"),
        }
    }

    /// The connections that serve an email domain.
    ///
    /// # Errors
    /// The provider did not answer as it should, or may not be asked just now.
    pub async fn connections_of_domain(
        &self,
        domain: &str,
        asker: LookupCaller,
    ) -> Result<Vec<ListedConnection>, UpstreamError> {
        let (client, asked) = (self.client.clone(), domain.to_owned());
        let found = self.lookups.domains.find(domain, asker, || connections(client, asked)).await?;
        let listed = found.unwrap_or_default();
        for connection in &listed {
            self.lookups.connections.keep(&connection.id, connection.clone(), asker.now());
        }
        Ok(listed)
    }

    /// One connection, if there is one.
    ///
    /// # Errors
    /// The provider did not answer as it should, or may not be asked just now.
    pub async fn connection(
        &self,
        id: &str,
        asker: LookupCaller,
    ) -> Result<Option<ListedConnection>, UpstreamError> {
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Ok(None);
        }
        let (client, asked) = (self.client.clone(), id.to_owned());
        self.lookups.connections.find(id, asker, || connection(client, asked)).await
    }
}

async fn organization(client: Client, id: String) -> Result<Option<String>, UpstreamError> {
    let organizations = client.organizations();
    found(look_up(|| organizations.get_organization(&id)).await.map(|found| found.name))
}

async fn connection(client: Client, id: String) -> Result<Option<ListedConnection>, UpstreamError> {
    let sso = client.sso();
    found(look_up(|| sso.get_connection(&id)).await.map(listed))
}

async fn connections(
    client: Client,
    domain: String,
) -> Result<Option<Vec<ListedConnection>>, UpstreamError> {
    let sso = client.sso();
    let list = look_up(|| {
        sso.list_connections(ListConnectionsParams {
            domain: Some(domain.clone()),
            limit: Some(100),
            ..Default::default()
        })
    })
    .await?;
    let serves = |connection: &workos::models::Connection| {
        connection.domains.iter().any(|served| served.domain.eq_ignore_ascii_case(&domain))
    };
    let listed: Vec<ListedConnection> = list.data.into_iter().filter(serves).map(listed).collect();
    Ok((!listed.is_empty()).then_some(listed))
}

fn found<T>(answer: Result<T, UpstreamError>) -> Result<Option<T>, UpstreamError> {
    match answer {
        Err(UpstreamError::NotFound) => Ok(None),
        answer => answer.map(Some),
    }
}

/// A question that may be asked again if the provider stumbled. Not after a 429, as the crate
/// would: what it asks us to wait for may be longer than a person waits.
async fn look_up<T, A>(ask: impl Fn() -> A) -> Result<T, UpstreamError>
where
    A: Future<Output = Result<T, workos::Error>>,
{
    within(async {
        match ask().await {
            Err(error) if error.is_server_error() || matches!(error, workos::Error::Network(_)) => {
                ask().await
            }
            answer => answer,
        }
    })
    .await
}

fn listed(connection: workos::models::Connection) -> ListedConnection {
    ListedConnection {
        active: connection.state.as_str() == "active",
        id: connection.id,
        organization: connection.organization_id,
    }
}
