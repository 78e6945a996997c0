//! The proofs already seen, so that one is good once (RFC 9449 §11.1). In memory and bounded: the
//! oldest is forgotten first, and the nonce's short life covers what was forgotten. Not shared
//! between instances.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

type ProofHash = [u8; 16];

/// A bounded set of (device key, `jti`).
pub struct SeenProofs {
    capacity: usize,
    marks: Mutex<(HashSet<ProofHash>, VecDeque<ProofHash>)>,
}

impl SeenProofs {
    /// Remembers the last `capacity` proofs.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, marks: Mutex::default() }
    }

    /// True the first time this key shows this `jti`.
    pub fn first_sight(&self, thumbprint: &str, jti: &str) -> bool {
        let digest =
            Sha256::new().chain_update(thumbprint).chain_update([0]).chain_update(jti).finalize();
        let mut mark = ProofHash::default();
        mark.copy_from_slice(&digest[..16]);
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let (set, order) = &mut *marks;
        if !set.insert(mark) {
            return false;
        }
        order.push_back(mark);
        if order.len() > self.capacity
            && let Some(oldest) = order.pop_front()
        {
            set.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_good_once_per_key() {
        let seen = SeenProofs::new(10);
        assert!(seen.first_sight("key", "jti"));
        assert!(!seen.first_sight("key", "jti"));
        assert!(seen.first_sight("other key", "jti"));
    }

    #[test]
    fn a_flood_forgets_the_oldest_and_never_grows() {
        let seen = SeenProofs::new(10);
        for number in 0..1000 {
            assert!(seen.first_sight("key", &number.to_string()));
        }
        let marks = seen.marks.lock().unwrap();
        assert_eq!((marks.0.len(), marks.1.len()), (10, 10));
    }
}
