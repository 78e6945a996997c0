//! Notices a connection that gives one person a new id at each sign-in (SAML transient NameIDs):
//! every sign-in would make a new user. Remembers hashes of recent sign-ins only; the log tells the
//! operator.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use sha2::{Digest, Sha256};

const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

type Hash = [u8; 32];

/// Recent (connection, email) pairs and the id each came with.
pub struct TransientIds(Mutex<LruCache<Hash, Hash>>);

impl Default for TransientIds {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl TransientIds {
    /// Takes a sign-in note; true (and a warning) if the id differs from the last one.
    pub fn observe(&self, connection: &str, email: &str, idp_id: &str) -> bool {
        let person: Hash = Sha256::new()
            .chain_update(connection)
            .chain_update([0])
            .chain_update(email.to_lowercase())
            .finalize()
            .into();
        let id: Hash = Sha256::digest(idp_id).into();
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = memory.put(person, id).is_some_and(|before| before != id);
        if changed {
            tracing::warn!(
                connection,
                "this connection gave one email two ids; if it sends transient ids, every sign-in \
                 makes a new user: set its NameID to a persistent one"
            );
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_email_with_two_ids_in_one_connection_is_noticed() {
        let ids = TransientIds::default();
        assert!(!ids.observe("conn_1", "ada@acme.test", "a"));
        assert!(!ids.observe("conn_1", "Ada@acme.test", "a"));
        assert!(!ids.observe("conn_2", "ada@acme.test", "b"));
        assert!(ids.observe("conn_1", "ada@acme.test", "b"));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let ids = TransientIds::default();
        for number in 0..REMEMBERED.get() + 10 {
            ids.observe("conn_1", &number.to_string(), "a");
        }
        assert_eq!(ids.0.lock().unwrap().len(), REMEMBERED.get());
    }
}
