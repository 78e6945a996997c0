//! The look-ups of WorkOS: connections of an email domain, one connection, the name of an
//! organization. What is asked often is remembered elsewhere.

use workos::Client;
use workos::resources::sso::ListConnectionsParams;

use super::{UpstreamError, within};
use crate::admission::ListedConnection;

pub(super) async fn organization_name(
    client: &Client,
    id: &str,
) -> Result<Option<String>, UpstreamError> {
    let organizations = client.organizations();
    found(look_up(|| organizations.get_organization(id)).await.map(|found| found.name))
}

/// An id with other characters would be another path; no connection has one.
pub(super) async fn connection(
    client: &Client,
    id: &str,
) -> Result<Option<ListedConnection>, UpstreamError> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(None);
    }
    let sso = client.sso();
    found(look_up(|| sso.get_connection(id)).await.map(listed))
}

pub(super) async fn connections(
    client: &Client,
    domain: &str,
) -> Result<Option<Vec<ListedConnection>>, UpstreamError> {
    let sso = client.sso();
    let list = look_up(|| {
        sso.list_connections(ListConnectionsParams {
            domain: Some(domain.to_owned()),
            limit: Some(100),
            ..Default::default()
        })
    })
    .await?;
    let serves = |connection: &workos::models::Connection| {
        connection.domains.iter().any(|served| served.domain.eq_ignore_ascii_case(domain))
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
