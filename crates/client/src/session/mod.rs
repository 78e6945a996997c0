//! Sessions and the device key: kept in the keychain or in memory, one owner per device at a time.
//! For the driver, and directly for a command line that only wants a token. Starts no sign-in.

mod access;
mod accounts;
mod device;
mod index;
mod item_store;
mod items;
mod load;
mod lock;
mod memory;
mod refresh;
mod rotation;
mod sign_in;

use std::sync::Arc;

use keyport_core::secret::RefreshToken;
use keyport_core::{AccountId, KeptAttempt, Problem};

use crate::config::Config;
use crate::http::{CompanionClient, Proof, REVOKE};
use crate::platform::{Clock, Platform};
use device::Devices;
use item_store::ItemStore;
use lock::SessionLocks;
use memory::Memory;

pub use accounts::{AccountEntry, AccountSignedOut, Accounts};
pub use keyport_core::rotation::Access;
pub use sign_in::{SaveLock, WithoutLock};

/// The sessions of this device with one companion. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct Sessions {
    locks: SessionLocks,
    shared: Arc<Shared>,
}

/// Everything but the locks: what runs under a lock cannot take it again.
struct Shared {
    companion: CompanionClient,
    items: ItemStore,
    memory: Memory,
    devices: Devices,
    clock: Arc<dyn Clock>,
}

/// How far a sign-out reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedOut {
    /// Nothing is left of the session.
    Everywhere,
    /// Nothing is left here. The companion was not told, and is not told later.
    HereOnly,
}

/// An access token with a proof for one request, RFC 9449 §7.1.
#[derive(Clone, Debug)]
pub struct Proven {
    /// For `Authorization: DPoP …`.
    pub access: Access,
    /// For `DPoP: …`; good for this one request.
    pub proof: Proof,
}

impl Sessions {
    /// Touches neither keychain nor network yet.
    #[must_use]
    pub fn open(config: &Config, platform: &Platform) -> Self {
        let (clock, random) = (platform.clock.clone(), platform.random.clone());
        let companion =
            CompanionClient::at(&config.companion, &config.client_id, clock.clone(), random);
        let memory = Memory::of(companion.issuer().as_str().to_owned(), clock.clone());
        Self {
            locks: SessionLocks::of(platform.keychain.clone()),
            shared: Arc::new(Shared {
                companion,
                items: ItemStore::of(platform.keychain.clone()),
                memory,
                devices: Devices::default(),
                clock,
            }),
        }
    }

    /// The companion they are with.
    #[must_use]
    pub fn companion(&self) -> &CompanionClient {
        &self.shared.companion
    }

    /// Whether a session could be kept now.
    ///
    /// # Errors
    /// Why not.
    pub async fn probe_keychain(&self) -> Result<(), Problem> {
        self.locks.check().await?;
        self.shared.items.probe().await
    }

    /// Takes an account out of the keychain, where something stands that is not the truth. Memory
    /// keeps what it has.
    ///
    /// # Errors
    /// When it may still be there.
    pub async fn erase(&self, account: &AccountId) -> Result<(), Problem> {
        let lock = self.locks.take().await?;
        self.shared.items.remove(&lock, account).await?;
        self.shared.memory.settle_item(account);
        Ok(())
    }

    /// Ends the session here, then at the companion. Offline, it is still over here: revoking is
    /// one try of at most 3 seconds, and what it does not reach ends with its idle lifetime.
    ///
    /// # Errors
    /// When the keychain may still hold it.
    pub async fn sign_out(&self, account: &AccountId) -> Result<SignedOut, Problem> {
        let held = self.shared.memory.forget(account);
        let (kept, erased) = match self.locks.take().await {
            Ok(lock) => {
                let kept = self.shared.items.session(account).await.ok().flatten();
                (kept, self.shared.items.remove(&lock, account).await.map_err(Problem::from))
            }
            Err(problem) => (None, Err(problem)),
        };
        // Once more: a refresh that was under way has left its access token meanwhile.
        self.shared.memory.forget(account);
        let was_held = !held.is_empty();
        let mut signed_out = SignedOut::Everywhere;
        for session in held.into_iter().chain(kept) {
            let revoking = self.revoke(&session.refresh);
            match tokio::time::timeout(REVOKE, revoking).await {
                Ok(Ok(())) => tracing::info!("session revoked"),
                Ok(Err(_)) | Err(_) => {
                    tracing::info!("signed out here; not revoked at the companion");
                    signed_out = SignedOut::HereOnly;
                }
            }
        }
        match erased {
            // It was never meant for the keychain, or never got there.
            Err(problem) if was_held && !self.shared.memory.may_be_kept_too(account) => {
                tracing::debug!(problem = problem.code(), "the keychain was not asked");
                Ok(signed_out)
            }
            erased => erased.map(|()| signed_out),
        }
    }

    /// Ends a session that is kept nowhere.
    ///
    /// # Errors
    /// When the companion did not say so.
    pub async fn revoke(&self, token: &RefreshToken) -> Result<(), Problem> {
        let revoked = self.shared.companion.revoke(token).await;
        revoked.map_err(|error| error.as_problem(Problem::UnexpectedAnswer))
    }

    /// Makes `account` the one to use when none is named, if the keychain lists it.
    ///
    /// # Errors
    /// When the keychain does not take it: the former one stays.
    pub async fn make_current(&self, account: &AccountId) -> Result<(), Problem> {
        let lock = self.locks.take().await?;
        Ok(self.shared.items.make_current(&lock, account).await?)
    }

    /// Keeps a deep-link attempt until its deadline.
    ///
    /// # Errors
    /// When it is not there: a link that starts the app will then not complete it.
    pub async fn keep_attempt(&self, kept: &KeptAttempt) -> Result<(), Problem> {
        let lock = self.locks.take().await?;
        Ok(self.shared.items.put_attempt(&lock, kept).await?)
    }

    /// Forgets the kept attempt if it is this one.
    ///
    /// # Errors
    /// When it may still be there.
    pub async fn forget_attempt(&self, attempt: &keyport_core::AttemptId) -> Result<(), Problem> {
        let lock = self.locks.take().await?;
        Ok(self.shared.items.forget_attempt(&lock, attempt).await?)
    }
}
