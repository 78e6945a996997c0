//! The upstreams of this service, each with the memory of its answers.

use std::sync::Arc;
use std::time::Duration;

use super::cache::LookupCaller;
use super::lookups::Lookups;
use super::{Rate, TransientIds, Upstream, UpstreamError};
use crate::admission::{ListedConnection, UpstreamSelector};
use crate::domain::{SecretText, UpstreamIdentity};

/// Longest that a person waits for the name of an organization.
const NAME_TIMEOUT: Duration = Duration::from_secs(1);

/// One upstream and what is remembered of its answers.
pub struct UpstreamEntry {
    upstream: Arc<dyn Upstream>,
    lookups: Lookups,
    transient: TransientIds,
}

/// All upstreams: new sign-ins begin at the first one, and callbacks go to the one that began them.
pub struct Upstreams {
    current: UpstreamEntry,
    others: Vec<UpstreamEntry>,
}

impl Upstreams {
    /// New sign-ins begin at `current`.
    pub fn new(current: Arc<dyn Upstream>) -> Self {
        Self { current: UpstreamEntry::new(current), others: Vec::new() }
    }

    /// Callbacks of sign-ins that began at `other` are answered too.
    #[must_use]
    pub fn and(mut self, other: Arc<dyn Upstream>) -> Self {
        self.others.push(UpstreamEntry::new(other));
        self
    }

    /// Where new sign-ins begin.
    pub const fn current(&self) -> &UpstreamEntry {
        &self.current
    }

    /// Where a sign-in of this selector begins; `None` if it asks for a page of the upstream's own
    /// and there is none (any more).
    pub fn for_selector(&self, selector: &UpstreamSelector) -> Option<&UpstreamEntry> {
        let mut all = std::iter::once(&self.current).chain(&self.others);
        match selector {
            UpstreamSelector::Hosted => all.find(|known| known.upstream.has_hosted_page()),
            _ => Some(&self.current),
        }
    }

    /// The upstream of this name.
    pub fn named(&self, name: &str) -> Option<&UpstreamEntry> {
        std::iter::once(&self.current).chain(&self.others).find(|known| known.name() == name)
    }

    /// Those that have sessions of their own.
    pub fn with_sessions(&self) -> impl Iterator<Item = &UpstreamEntry> {
        let all = std::iter::once(&self.current).chain(&self.others);
        all.filter(|known| known.upstream.has_sessions())
    }

    /// Whether this way to sign in is a social provider's.
    pub fn is_social(&self, method: &str) -> bool {
        let mut all = std::iter::once(&self.current).chain(&self.others);
        all.any(|known| known.upstream.is_social(method))
    }

    /// A rate of code exchanges that none of them is above.
    pub fn exchange_rate(&self) -> Rate {
        let all = std::iter::once(&self.current).chain(&self.others);
        let rates = all.map(|known| known.upstream.exchange_rate());
        rates.fold(Rate { per_second: f64::MAX, burst: f64::MAX }, Rate::slower)
    }
}

impl UpstreamEntry {
    fn new(upstream: Arc<dyn Upstream>) -> Self {
        Self { upstream, lookups: Lookups::default(), transient: TransientIds::default() }
    }

    /// The implementation.
    pub const fn upstream(&self) -> &Arc<dyn Upstream> {
        &self.upstream
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.upstream.name()
    }

    /// Exchanges a code, once, and warns when the connection gives one person changing ids.
    ///
    /// # Errors
    /// As [`Upstream::exchange_code`].
    pub async fn exchange_code(
        &self,
        code: &SecretText,
        code_verifier: &SecretText,
    ) -> Result<UpstreamIdentity, UpstreamError> {
        let identity = self.upstream.exchange_code(code, code_verifier).await?;
        if let Some(connection) = identity.connection() {
            self.transient.observe(&connection.id, identity.email(), identity.idp_id());
        }
        Ok(identity)
    }

    /// The connections that serve an email domain.
    ///
    /// # Errors
    /// The provider did not answer as it should, or may not be asked just now.
    pub async fn connections_of_domain(
        &self,
        domain: &str,
        caller: LookupCaller,
    ) -> Result<Vec<ListedConnection>, UpstreamError> {
        self.lookups.connections_of_domain(&self.upstream, domain, caller).await
    }

    /// One connection, if there is one.
    ///
    /// # Errors
    /// The provider did not answer as it should, or may not be asked just now.
    pub async fn connection(
        &self,
        id: &str,
        caller: LookupCaller,
    ) -> Result<Option<ListedConnection>, UpstreamError> {
        self.lookups.connection(&self.upstream, id, caller).await
    }

    /// Says what the organization of this identity is called. A name that is not there in time is
    /// left out: no sign-in fails for it, and the next one finds it in memory.
    pub async fn name_organization(&self, identity: &mut UpstreamIdentity, caller: LookupCaller) {
        let Some(id) = identity.organization().map(|organization| organization.id.clone()) else {
            return;
        };
        let name = self.lookups.organization_name(&self.upstream, &id, caller);
        match tokio::time::timeout(NAME_TIMEOUT, name).await {
            Ok(Ok(Some(name))) => identity.name_organization(&name),
            Ok(Ok(None)) => tracing::warn!(organization = %id, "the provider does not know it"),
            Ok(Err(error)) => {
                tracing::warn!(organization = %id, %error, "the organization has no name");
            }
            Err(_) => tracing::warn!(organization = %id, "the organization's name is late"),
        }
    }
}
