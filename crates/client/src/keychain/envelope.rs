//! How an item looks in the keychain: a version, a checksum over name and content, the content.
//! Tells what we wrote from what was damaged, cut, swapped or written by others. Not encryption and
//! not a signature: who can write the keychain can also write a whole envelope.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{KeychainError, LARGEST, SecretBytes};

const MAGIC: &[u8] = b"keyport";
/// Counted up with every change of the form.
const VERSION: u32 = 1;
const PREFIX: &[u8] = b"keyport1:";
const CHECKSUM: usize = 8;

pub(super) fn seal(name: &str, secret: &SecretBytes) -> Result<SecretBytes, KeychainError> {
    let content = secret.expose();
    if content.len() > LARGEST {
        return Err(KeychainError::TooLarge);
    }
    let mut sealed = Vec::with_capacity(PREFIX.len() + 2 * CHECKSUM + 1 + content.len());
    sealed.extend_from_slice(PREFIX);
    sealed.extend_from_slice(checksum(name, content).as_bytes());
    sealed.push(b':');
    sealed.extend_from_slice(content);
    Ok(SecretBytes::new(sealed))
}

pub(super) fn open(name: &str, sealed: &SecretBytes) -> Result<SecretBytes, KeychainError> {
    let read = || {
        let (sum, rest) = sealed.expose().strip_prefix(PREFIX)?.split_at_checked(2 * CHECKSUM)?;
        let content = rest.strip_prefix(b":")?;
        (content.len() <= LARGEST && checksum(name, content).as_bytes() == sum)
            .then(|| SecretBytes::new(content))
    };
    read().ok_or(if is_newer(sealed) { KeychainError::Newer } else { KeychainError::Corrupt })
}

/// Whether a newer version has written this. Only the version in front can be read.
pub(super) fn is_newer(sealed: &SecretBytes) -> bool {
    version(sealed.expose()).is_some_and(|version| version > VERSION)
}

/// A decimal number without sign and leading zero, between the name of the form and a colon.
fn version(sealed: &[u8]) -> Option<u32> {
    let rest = sealed.strip_prefix(MAGIC)?;
    let (digits, _) = rest.split_at(rest.iter().position(|byte| *byte == b':')?);
    let is_number = digits.iter().all(u8::is_ascii_digit) && !digits.starts_with(b"0");
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// In hex, so that tools which show an item as text show all of it.
fn checksum(name: &str, content: &[u8]) -> Zeroizing<String> {
    let mut hasher = Sha256::new();
    hasher.update(name);
    hasher.update([0]);
    hasher.update(content);
    let digest = hasher.finalize();
    Zeroizing::new(base16ct::lower::encode_string(&digest[..CHECKSUM]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(content: &[u8]) -> SecretBytes {
        seal("device", &SecretBytes::new(content)).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_unchanged() {
        for content in [&b""[..], b"x", &[0, 255, b':', b'\n'], &[7; LARGEST]] {
            let opened = open("device", &sealed(content)).unwrap();
            assert_eq!(opened.expose(), content);
        }
    }

    #[test]
    fn every_single_damaged_byte_and_every_cut_is_noticed() {
        let whole = sealed(b"{\"key\":\"value\"}").expose().to_vec();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            let corrupt = Err(KeychainError::Corrupt);
            assert_eq!(open("device", &SecretBytes::new(damaged)), corrupt, "byte {at}");
            assert_eq!(open("device", &SecretBytes::new(&whole[..at])), corrupt, "cut at {at}");
        }
    }

    #[test]
    fn tells_items_of_a_newer_version_from_corrupt_ones() {
        for newer in ["keyport2:", "keyport2:0011:{}", "keyport10:x", "keyport4294967295:"] {
            let item = SecretBytes::new(newer.as_bytes());
            assert_eq!(open("device", &item), Err(KeychainError::Newer), "{newer}");
        }
        for corrupt in [
            "keyport1:x",
            "keyport0:x",
            "keyport02:x",
            "keyport+2:x",
            "keyport:x",
            "keyport2",
            "keyport2;x",
            "xkeyport2:x",
            "Keyport2:x",
            "keyport4294967296:x",
        ] {
            let item = SecretBytes::new(corrupt.as_bytes());
            assert_eq!(open("device", &item), Err(KeychainError::Corrupt), "{corrupt}");
        }
    }

    #[test]
    fn an_item_under_the_name_of_another_is_corrupt() {
        assert_eq!(open("index", &sealed(b"x")), Err(KeychainError::Corrupt));
    }

    #[test]
    fn one_byte_too_many_is_refused_before_anything_is_written() {
        let large = SecretBytes::new(vec![7; LARGEST + 1]);
        assert_eq!(seal("device", &large), Err(KeychainError::TooLarge));
    }
}
