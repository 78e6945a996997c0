//! Where the client keeps what must outlive the process: the keychain of the operating system, or
//! memory; never a file.
//!
//! Locked, absent, refused, empty, corrupt, written by a newer version and slow are different
//! answers. It knows nothing of what the items hold. It has the lock that its processes share
//! ([`crate::locks`]) and never takes it by itself.

#[cfg(target_os = "linux")]
mod changes;
mod envelope;
mod item;
mod memory;
mod store;
mod system;
mod worker;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(any(target_os = "macos", windows), path = "native.rs")]
mod platform;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use keyport_core::Problem;
use thiserror::Error;
use tokio::sync::watch;

use crate::locks::Locking;

pub use item::{Item, SecretBytes};
pub use memory::MemoryKeychain;
pub use system::SystemKeychain;

/// The most that one item may hold, in bytes: Windows takes 2,560 bytes of UTF-16.
pub const LARGEST: usize = 1024;

/// What a keychain gives back: a result within its deadline.
pub type Answered<'a, T> = Pin<Box<dyn Future<Output = Result<T, KeychainError>> + Send + 'a>>;

/// Why the keychain did not do what was asked. An absent item is not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeychainError {
    /// It is there and locked. Only [`Keychain::unlock`] asks the person to open it.
    #[error("the keychain is locked")]
    Locked,
    /// There is none: no service, no session bus, no collection to keep things in.
    #[error("there is no keychain")]
    Absent,
    /// The person dismissed the question, or the system does not let this program in.
    #[error("the keychain refused")]
    Refused,
    /// Something is stored under this name that this client did not write so. Nothing was changed;
    /// [`Keychain::set_aside`] moves it out of the way.
    #[error("the keychain item cannot be read")]
    Corrupt,
    /// A newer version of Keyport has written the item. It is left as it is: it can be neither
    /// overwritten nor deleted nor set aside from here.
    #[error("the keychain item is of a newer version")]
    Newer,
    /// It did not answer within the deadline. What was asked may still happen later.
    #[error("the keychain did not answer in time")]
    Slow,
    /// More than [`LARGEST`] bytes. Nothing was written.
    #[error("too large for a keychain item")]
    TooLarge,
}

impl From<KeychainError> for Problem {
    fn from(error: KeychainError) -> Self {
        match error {
            KeychainError::Locked => Self::KeychainLocked,
            KeychainError::Absent => Self::KeychainAbsent,
            KeychainError::Refused => Self::KeychainRefused,
            KeychainError::Corrupt => Self::KeychainCorrupt,
            KeychainError::Newer => Self::KeychainNewer,
            KeychainError::Slow => Self::KeychainSlow,
            // Our own items are far smaller: only a defect can lead here.
            KeychainError::TooLarge => Self::Internal,
        }
    }
}

/// Keeps small secrets by name.
///
/// No method but [`unlock`](Self::unlock) asks the person anything where the platform lets us tell
/// beforehand (Linux does). A dialog that appears because a program was started is one that people
/// learn to type their password into; one that follows a click on "Unlock" says what it is for. It
/// also keeps every other call within its deadline, since a prompt takes as long as the person
/// does.
pub trait Keychain: Send + Sync {
    /// Whether items can be written and read back now. To be asked before a browser opens.
    fn probe(&self) -> Answered<'_, ()>;

    /// What the item holds; `None` if it is not there.
    fn read<'a>(&'a self, item: &'a Item) -> Answered<'a, Option<SecretBytes>>;

    /// Puts `secret` in the place of whatever the item held.
    fn write<'a>(&'a self, item: &'a Item, secret: &'a SecretBytes) -> Answered<'a, ()>;

    /// Takes the item out. One that is not there is as good as deleted.
    fn delete<'a>(&'a self, item: &'a Item) -> Answered<'a, ()>;

    /// Moves what cannot be read to `ITEM.corrupt` (or `ITEM.corrupt-2` and so on), so that the
    /// item can be written anew and nothing is lost.
    fn set_aside<'a>(&'a self, item: &'a Item) -> Answered<'a, ()>;

    /// Lets the system ask the person to unlock the keychain, and waits for the answer.
    fn unlock(&self) -> Answered<'_, ()>;

    /// Takes the lock that every process with this keychain shares, waiting for `wait` at most.
    fn lock(&self, wait: Duration) -> Locking<'_>;

    /// Whether [`lock`](Self::lock) could succeed, now or later. Does not wait for another holder.
    fn check_lock(&self) -> Locking<'_, ()>;

    /// The names of all items of this service, sorted, those that were set aside included; `None`
    /// where the platform cannot list them.
    fn list(&self) -> Answered<'_, Option<Vec<String>>>;

    /// Changes whenever the keychain says that something has changed, whoever changed it: an item
    /// came or went, or the keychain was locked or unlocked. Several changes may be one, the
    /// content of an item may change unheard, and items of other programs are heard too.
    /// Listening reads no item and never asks the person. `None` where the platform gives no
    /// signal. Ends only with the receiver.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    fn changes(&self) -> Option<watch::Receiver<()>> {
        None
    }
}
