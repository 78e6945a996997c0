//! Everything the handlers share, put together once at start. No decision is taken here.

use std::sync::Arc;

use crate::admission::AdmissionPolicy;
use crate::ambient::Clock;
use crate::clients::{ClientRecord, ResourceServer};
use crate::config::Reloadable;
use crate::domain::{Random, SecretText, Timestamp};
use crate::dpop::SeenProofs;
use crate::issuer::Issuer;
use crate::keys::Keys;
use crate::setup::SetupStatus;
use crate::storage::Storage;
use crate::upstream::{Exchanges, Upstreams};
use keyport_messages::Messages;

/// Proofs remembered against replay; with a nonce that lives two minutes at most this allows for a
/// thousand a second.
const PROOFS: usize = 131_072;

/// What the service is made of.
pub struct Parts {
    /// Who we are.
    pub issuer: Issuer,
    /// The apps.
    pub clients: Vec<ClientRecord>,
    /// Who may sign in.
    pub policy: AdmissionPolicy,
    /// The providers.
    pub upstreams: Upstreams,
    /// What is remembered.
    pub storage: Arc<dyn Storage>,
    /// Seals, MACs and signatures.
    pub keys: Arc<Keys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// What people read.
    pub words: Messages,
}

/// The running service.
pub struct App {
    /// Who we are.
    pub issuer: Issuer,
    /// The apps.
    pub clients: Reloadable<Vec<Arc<ClientRecord>>>,
    /// The APIs that may introspect.
    pub resource_servers: Reloadable<Vec<ResourceServer>>,
    /// The secrets with which the provider signs webhooks.
    pub webhook_secrets: Reloadable<Vec<SecretText>>,
    /// Who may sign in.
    pub policy: Reloadable<AdmissionPolicy>,
    /// The providers.
    pub upstreams: Upstreams,
    /// What is remembered.
    pub storage: Arc<dyn Storage>,
    /// Seals, MACs and signatures.
    pub keys: Arc<Keys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// What people read.
    pub words: Messages,
    /// DPoP proofs already seen.
    pub seen: SeenProofs,
    /// Exchanges with the providers.
    pub exchanges: Exchanges,
    /// Whether our account at the provider is set up.
    pub setup: Arc<SetupStatus>,
}

impl App {
    /// A service of these parts.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { issuer, clients, policy, upstreams, storage, keys, clock, random, words } =
            parts;
        let exchanges = Exchanges::new(upstreams.exchange_rate());
        Arc::new(Self {
            issuer,
            clients: Reloadable::new(clients.into_iter().map(Arc::new).collect()),
            resource_servers: Reloadable::new(Vec::new()),
            webhook_secrets: Reloadable::new(Vec::new()),
            policy: Reloadable::new(policy),
            upstreams,
            storage,
            keys,
            clock,
            random,
            words,
            seen: SeenProofs::new(PROOFS),
            exchanges,
            setup: Arc::default(),
        })
    }

    /// The instant of this request.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The app with this `client_id`.
    pub fn client(&self, id: &str) -> Option<Arc<ClientRecord>> {
        self.clients.now().iter().find(|client| client.id == id).cloned()
    }

    /// The app, where there is only one.
    pub fn only_client(&self) -> Option<Arc<ClientRecord>> {
        match self.clients.now().as_slice() {
            [only] => Some(Arc::clone(only)),
            _ => None,
        }
    }

    /// Takes over what may change while the service runs: who may sign in, and with which apps.
    pub fn reload(&self, policy: AdmissionPolicy, clients: Vec<ClientRecord>) {
        self.policy.replace(policy);
        self.clients.replace(clients.into_iter().map(Arc::new).collect());
    }
}
