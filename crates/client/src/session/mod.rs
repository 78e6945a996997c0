//! Sessions and the device key: kept in the keychain or in memory, one owner per device at a time.
//! For the driver, and directly for a command line that only wants a token. Starts no sign-in.

mod access;
mod accounts;
mod device;
mod elsewhere;
mod index;
mod item_store;
mod items;
mod left;
mod load;
mod lock;
mod memory;
mod refresh;
mod rotation;
mod sign_in;
mod sign_out;
mod unfinished;

use std::sync::Arc;

use keyport_core::secret::RefreshToken;
use keyport_core::{AccountId, AttemptId, KeptAttempt, Problem};

use crate::config::Config;
use crate::http::{CompanionClient, Proof};
use crate::platform::{Clock, Platform};
use device::Devices;
use item_store::ItemStore;
use lock::SessionLocks;
use memory::Memory;
use unfinished::Unfinished;

pub use accounts::{AccountEntry, AccountSignedOut, Accounts};
pub use keyport_core::rotation::Access;
pub use sign_in::{SaveLock, WithoutLock};
pub use sign_out::SignedOut;

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
    unfinished: Unfinished,
    clock: Arc<dyn Clock>,
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
                unfinished: Unfinished::default(),
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
        self.take_out(&lock, account).await
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

    /// Keeps a deep-link attempt until its deadline, in the place of an earlier one.
    ///
    /// # Errors
    /// When it is not there: a link that starts the app will then not complete it.
    pub async fn keep_attempt(&self, kept: &KeptAttempt) -> Result<(), Problem> {
        let lock = self.locks.take().await?;
        self.shared.items.put_attempt(&lock, kept).await?;
        self.shared.unfinished.left().attempts.clear();
        Ok(())
    }

    /// Forgets the kept attempt if it is this one.
    ///
    /// # Errors
    /// When it may still be there: then it is forgotten as soon as the keychain is read again, by
    /// [`load`](Self::load) or [`accounts`](Self::accounts), if this process lives until then.
    pub async fn forget_attempt(&self, attempt: &AttemptId) -> Result<(), Problem> {
        let forget = async {
            let lock = self.locks.take().await?;
            Ok(self.shared.items.forget_attempt(&lock, attempt).await?)
        };
        let forgotten = forget.await;
        if forgotten.is_err() {
            self.shared.unfinished.left().attempts.insert(attempt.clone());
        }
        forgotten
    }
}
