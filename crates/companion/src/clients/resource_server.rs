//! The APIs that ask whether an access token is still good (RFC 7662), as data: an id, an audience
//! and the hash of a credential. The credential itself is drawn by the operator and kept by the API
//! alone; it is random, so a plain hash of it is enough.

use subtle::ConstantTimeEq as _;

/// One API that may introspect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceServer {
    /// Its name at the introspection endpoint.
    pub id: String,
    /// The audience of the tokens that it is told about.
    pub audience: String,
    /// SHA-256 of its credential.
    pub secret_hash: [u8; 32],
}

impl ResourceServer {
    /// The record with this id and credential hash. Every record is looked at, each in constant
    /// time, so that an answer's time tells neither an id nor a part of a hash.
    pub fn proved<'a>(all: &'a [Self], id: &str, secret_hash: &[u8; 32]) -> Option<&'a Self> {
        all.iter().fold(None, |found, record| {
            let same_secret = record.secret_hash.ct_eq(secret_hash);
            let same_id = record.id.as_bytes().ct_eq(id.as_bytes());
            if bool::from(same_secret & same_id) { Some(record) } else { found }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_proved_by_its_own_credential_alone() {
        let record = |id: &str, byte| ResourceServer {
            id: id.into(),
            audience: "https://a.test".into(),
            secret_hash: [byte; 32],
        };
        let all = [record("one", 1), record("two", 2)];
        let proved = |id, byte| ResourceServer::proved(&all, id, &[byte; 32]).map(|it| &*it.id);
        assert_eq!((proved("one", 1), proved("two", 2)), (Some("one"), Some("two")));
        for (id, byte) in [("one", 2), ("two", 1), ("One", 1), ("", 1), ("three", 1)] {
            assert_eq!(proved(id, byte), None, "{id} {byte}");
        }
    }
}
