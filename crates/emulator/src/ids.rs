//! WorkOS-looking identifiers: a prefix and 26 characters of Crockford's base 32 (the alphabet of
//! ULIDs). Derived ones are a function of what they name, so that a person keeps theirs over
//! restarts; drawn ones take their random bytes as an argument.

use sha2::{Digest, Sha256};

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;

/// Random bytes for one identifier; the shell draws them.
pub type Entropy = [u8; LENGTH];

/// 26 characters, five bits from each byte: 130 bits when the bytes are random.
#[must_use]
pub fn drawn(entropy: &Entropy) -> String {
    entropy.iter().map(|byte| char::from(CROCKFORD[usize::from(byte & 31)])).collect()
}

/// The same parts give the same identifier, always.
#[must_use]
pub fn derived(prefix: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    let tail = digest.iter().take(LENGTH).map(|byte| char::from(CROCKFORD[usize::from(byte & 31)]));
    prefix.chars().chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::derived;

    #[test]
    fn the_border_between_parts_counts() {
        assert_ne!(derived("prof_", &["ab", "c"]), derived("prof_", &["a", "bc"]));
        assert_eq!(derived("prof_", &["ab", "c"]), derived("prof_", &["ab", "c"]));
        assert_eq!(derived("prof_", &["ab"]).len(), "prof_".len() + 26);
    }
}
