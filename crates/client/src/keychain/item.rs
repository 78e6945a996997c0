//! The names and contents of keychain items.

use std::fmt;

use keyport_core::AccountId;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Every item this client keeps. The names are stable: another version must find them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// The device key.
    Device,
    /// Which accounts there are.
    Index,
    /// The deep-link attempt that waits for its link.
    Attempt,
    /// The session of one account.
    Account(AccountId),
}

impl Item {
    /// The name in the keychain.
    pub fn name(&self) -> String {
        match self {
            Self::Device => "device".to_owned(),
            Self::Index => "index".to_owned(),
            Self::Attempt => "attempt".to_owned(),
            Self::Account(AccountId(id)) => format!("account:{id}"),
        }
    }
}

/// Bytes that only the keychain and their owner may see: no `Display`, `Debug` without content,
/// equality in constant time, wiped on drop.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over; the caller keeps no copy.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes[redacted]")
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_what_other_versions_look_for() {
        let account = Item::Account(AccountId("a1".into()));
        let names = [Item::Device, Item::Index, Item::Attempt, account].map(|item| item.name());
        assert_eq!(names, ["device", "index", "attempt", "account:a1"]);
    }

    #[test]
    fn secret_bytes_print_nothing_of_themselves() {
        let secret = SecretBytes::new(*b"canary");
        assert_eq!(format!("{secret:?}"), "SecretBytes[redacted]");
        assert_eq!(secret, SecretBytes::new(*b"canary"));
        assert_ne!(secret, SecretBytes::new(*b"canarz"));
    }
}
