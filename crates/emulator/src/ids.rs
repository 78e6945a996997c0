//! WorkOS-looking identifiers: a prefix and 26 characters of Crockford's base 32 (the alphabet of
//! ULIDs). Derived ones are a function of what they name, so that a person keeps theirs over
//! restarts; drawn ones take their random bytes as an argument.

use sha2::{Digest, Sha256};

use crate::secret::Secret;

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;

/// Random bytes for one identifier; the shell draws them.
pub type Entropy = [u8; LENGTH];

/// Random values for one transition, drawn from one random secret: each is the SHA-256 of it and of
/// its number.
#[derive(Debug)]
pub struct Random {
    bytes: Secret,
    drawn: u64,
}

impl Random {
    #[must_use]
    pub fn new(bytes: Secret) -> Self {
        Self { bytes, drawn: 0 }
    }

    /// A WorkOS-looking identifier: `prefix` and 26 characters.
    pub fn id(&mut self, prefix: &str) -> String {
        derived(prefix, &[&self.number(), "id"])
    }

    /// A token of 130 random bits.
    pub fn secret(&mut self) -> Secret {
        Secret::from(derived("", &[&self.number(), "secret"]))
    }

    /// A one-time code of six digits.
    pub fn six_digits(&mut self) -> String {
        let digest = Sha256::digest(self.number());
        let number = digest.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        format!("{:06}", number % 1_000_000)
    }

    /// 20 random bytes, as a TOTP secret needs.
    pub fn bytes(&mut self) -> [u8; 20] {
        let digest = Sha256::digest(self.number());
        std::array::from_fn(|index| digest[index])
    }

    fn number(&mut self) -> String {
        self.drawn += 1;
        derived("", &[self.bytes.expose(), &self.drawn.to_string()])
    }
}

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
