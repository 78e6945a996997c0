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
    /// Sessions that were signed out here and that the companion was not told of.
    LeftSessions,
    /// The session of one account.
    Account(AccountId),
    /// The access token of one account, until it is due.
    Access(AccountId),
}

const ACCOUNT: &str = "account:";
const ACCESS: &str = "access:";

impl Item {
    /// The name in the keychain.
    pub fn name(&self) -> String {
        match self {
            Self::Device => "device".to_owned(),
            Self::Index => "index".to_owned(),
            Self::Attempt => "attempt".to_owned(),
            Self::LeftSessions => "left-sessions".to_owned(),
            Self::Account(AccountId(id)) => format!("{ACCOUNT}{id}"),
            Self::Access(AccountId(id)) => format!("{ACCESS}{id}"),
        }
    }

    /// The account whose session the item of that name is; `None` for every other item, those that
    /// were set aside included: an account id has no dot.
    pub fn account_of(name: &str) -> Option<AccountId> {
        id_after(ACCOUNT, name)
    }

    /// The account whose access token the item of that name is.
    pub fn access_of(name: &str) -> Option<AccountId> {
        id_after(ACCESS, name)
    }
}

fn id_after(prefix: &str, name: &str) -> Option<AccountId> {
    let id = name.strip_prefix(prefix)?;
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_id.then(|| AccountId(id.to_owned()))
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

    /// The bytes, for the keychain and for their owner.
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
        let access = Item::Access(AccountId("a1".into()));
        let left = Item::LeftSessions;
        let items = [Item::Device, Item::Index, Item::Attempt, left, account, access];
        let names = items.map(|item| item.name());
        let wanted = ["device", "index", "attempt", "left-sessions", "account:a1", "access:a1"];
        assert_eq!(names, wanted);
    }

    #[test]
    fn only_the_item_of_a_session_names_an_account() {
        let id = AccountId("a1".into());
        assert_eq!(Item::account_of(&Item::Account(id.clone()).name()), Some(id));
        for name in ["account:", "account:a1.corrupt", "account:a1.corrupt-2", "access:a1", "a1"] {
            assert_eq!(Item::account_of(name), None, "{name}");
        }
        let id = AccountId("a1".into());
        assert_eq!(Item::access_of(&Item::Access(id.clone()).name()), Some(id));
        for name in ["access:", "access:a1.corrupt", "account:a1", "a1"] {
            assert_eq!(Item::access_of(name), None, "{name}");
        }
    }

    #[test]
    fn secret_bytes_print_nothing_of_themselves() {
        let secret = SecretBytes::new(*b"canary");
        assert_eq!(format!("{secret:?}"), "SecretBytes[redacted]");
        assert_eq!(secret, SecretBytes::new(*b"canary"));
        assert_ne!(secret, SecretBytes::new(*b"canarz"));
    }
}
