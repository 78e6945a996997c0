//! The proofs already seen, so that one is good once (RFC 9449 §11.1). In memory and bounded: the
//! oldest is forgotten first, and the nonce's short life covers what was forgotten. Not shared
//! between instances.

use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use sha2::{Digest, Sha256};

use crate::domain::Thumbprint;

type ProofHash = [u8; 16];

/// A bounded set of (device key, `jti`).
pub struct SeenProofs {
    capacity: usize,
    proofs: Mutex<LruCache<ProofHash, ()>>,
}

impl SeenProofs {
    /// Remembers the last `capacity` proofs.
    pub fn new(capacity: usize) -> Self {
        // Unbounded, so that the room is not taken before it is needed.
        Self { capacity, proofs: Mutex::new(LruCache::unbounded()) }
    }

    /// True the first time this key shows this `jti`.
    pub fn first_sight(&self, key: Thumbprint, jti: &str) -> bool {
        let digest = Sha256::new().chain_update(key.as_bytes()).chain_update(jti).finalize();
        let mut proof = ProofHash::default();
        proof.copy_from_slice(&digest[..16]);
        let mut proofs = self.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        // A repetition does not make a proof newer.
        if proofs.contains(&proof) {
            return false;
        }
        proofs.put(proof, ());
        if proofs.len() > self.capacity {
            proofs.pop_lru();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Thumbprint = Thumbprint::from_bytes([1; 32]);
    const OTHER_KEY: Thumbprint = Thumbprint::from_bytes([2; 32]);

    #[test]
    fn a_proof_is_good_once_per_key() {
        let seen = SeenProofs::new(10);
        assert!(seen.first_sight(KEY, "jti"));
        assert!(!seen.first_sight(KEY, "jti"));
        assert!(seen.first_sight(OTHER_KEY, "jti"));
    }

    #[test]
    fn a_flood_forgets_the_oldest_and_never_grows() {
        let seen = SeenProofs::new(10);
        for number in 0..1000 {
            assert!(seen.first_sight(KEY, &number.to_string()));
        }
        assert!(!seen.first_sight(KEY, "999") && seen.first_sight(KEY, "0"));
        assert_eq!(seen.proofs.lock().unwrap().len(), 10);
    }
}
