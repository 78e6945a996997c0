//! What is looked up at a provider beside the exchange: the connections of an email domain, one
//! connection, the name of an organization. A pushed request comes from an unauthenticated caller,
//! so each kind has memory and budget of its own (`cache`); what a remembered answer lets through
//! is judged again on the profile.

use std::sync::Arc;

use super::cache::{LookupCache, LookupCaller};
use super::{Upstream, UpstreamError};
use crate::admission::ListedConnection;

/// The memory of each kind of look-up.
pub(super) struct Lookups {
    domains: LookupCache<Vec<ListedConnection>>,
    connections: LookupCache<ListedConnection>,
    organization_names: LookupCache<String>,
}

impl Default for Lookups {
    fn default() -> Self {
        Self {
            domains: LookupCache::new("connections of a domain"),
            connections: LookupCache::new("a connection"),
            organization_names: LookupCache::new("the name of an organization"),
        }
    }
}

impl Lookups {
    pub(super) async fn connections_of_domain(
        &self,
        upstream: &Arc<dyn Upstream>,
        domain: &str,
        caller: LookupCaller,
    ) -> Result<Vec<ListedConnection>, UpstreamError> {
        let (upstream, asked) = (Arc::clone(upstream), domain.to_owned());
        let ask = || async move { upstream.connections_of_domain(&asked).await };
        let listed = self.domains.find(domain, caller, ask).await?.unwrap_or_default();
        for connection in &listed {
            self.connections.keep(&connection.id, connection.clone(), caller.now());
        }
        Ok(listed)
    }

    pub(super) async fn connection(
        &self,
        upstream: &Arc<dyn Upstream>,
        id: &str,
        caller: LookupCaller,
    ) -> Result<Option<ListedConnection>, UpstreamError> {
        let (upstream, asked) = (Arc::clone(upstream), id.to_owned());
        let ask = || async move { upstream.connection(&asked).await };
        self.connections.find(id, caller, ask).await
    }

    pub(super) async fn organization_name(
        &self,
        upstream: &Arc<dyn Upstream>,
        id: &str,
        caller: LookupCaller,
    ) -> Result<Option<String>, UpstreamError> {
        let (upstream, asked) = (Arc::clone(upstream), id.to_owned());
        let ask = || async move { upstream.organization_name(&asked).await };
        self.organization_names.find(id, caller, ask).await
    }
}
