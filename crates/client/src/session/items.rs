//! What the keychain items hold, as JSON, and back. The one place where a session's secrets become
//! bytes; nothing is read from or written to a keychain here. An item that does not parse is
//! corrupt, whatever its checksum says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
pub(super) use keyport_core::rotation::KeptSession;
use keyport_core::secret::{CodeVerifier, RefreshToken, State};
use keyport_core::{
    Account, AccountId, AttemptId, CallbackReceiver, KeptAttempt, Moment, ReceiverSecrets,
    SessionStore,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::http::DeviceKey;
use crate::keychain::{KeychainError, LARGEST, SecretBytes};

/// Names and addresses that are only for showing are cut to this many characters, the first that
/// fits.
const SHOWN: [usize; 4] = [256, 64, 24, 0];

/// Which accounts there are. The keychain itself cannot be listed on every platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    pub accounts: Vec<AccountId>,
    pub current: Option<AccountId>,
}

#[derive(Serialize, Deserialize)]
struct SessionRecord<'a> {
    account: Account,
    #[serde(borrow)]
    refresh_token: Borrowed<'a>,
    fresh_until: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct AttemptRecord<'a> {
    attempt: AttemptId,
    receiver: CallbackReceiver,
    #[serde(borrow)]
    state: Borrowed<'a>,
    #[serde(borrow)]
    verifier: Borrowed<'a>,
    issuer: String,
    deadline: Moment,
    store: SessionStore,
}

/// A secret that stays where it is until it has its type. Ours never need an escape in JSON; one
/// that does is not ours.
pub(super) type Borrowed<'a> = &'a str;

/// What has a form in the keychain.
pub(super) trait Kept: Sized {
    fn to_bytes(&self) -> Result<SecretBytes, KeychainError>;
    fn of_bytes(bytes: &SecretBytes) -> Result<Self, KeychainError>;
}

impl Kept for KeptSession {
    fn to_bytes(&self) -> Result<SecretBytes, KeychainError> {
        SHOWN
            .iter()
            .map(|&longest| {
                json(&SessionRecord {
                    account: shortened(&self.account, longest),
                    refresh_token: self.refresh.expose(),
                    fresh_until: self.fresh_until,
                    key: self.key.clone(),
                    session: self.session.clone(),
                })
            })
            .find(Result::is_ok)
            .unwrap_or(Err(KeychainError::TooLarge))
    }

    fn of_bytes(bytes: &SecretBytes) -> Result<Self, KeychainError> {
        let record: SessionRecord<'_> = read(bytes)?;
        Ok(Self {
            account: record.account,
            refresh: RefreshToken::new(record.refresh_token),
            fresh_until: record.fresh_until,
            key: record.key,
            session: record.session,
        })
    }
}

impl Kept for KeptAttempt {
    fn to_bytes(&self) -> Result<SecretBytes, KeychainError> {
        json(&AttemptRecord {
            attempt: self.id.clone(),
            receiver: self.receiver.receiver,
            state: self.receiver.state.expose(),
            verifier: self.receiver.verifier.expose(),
            issuer: self.issuer.clone(),
            deadline: self.deadline,
            store: self.store,
        })
    }

    fn of_bytes(bytes: &SecretBytes) -> Result<Self, KeychainError> {
        let record: AttemptRecord<'_> = read(bytes)?;
        Ok(Self {
            id: record.attempt,
            receiver: ReceiverSecrets {
                receiver: record.receiver,
                state: State::new(record.state),
                verifier: CodeVerifier::new(record.verifier),
            },
            issuer: record.issuer,
            deadline: record.deadline,
            store: record.store,
        })
    }
}

impl Kept for Index {
    fn to_bytes(&self) -> Result<SecretBytes, KeychainError> {
        json(self)
    }

    fn of_bytes(bytes: &SecretBytes) -> Result<Self, KeychainError> {
        read(bytes)
    }
}

impl Kept for DeviceKey {
    fn to_bytes(&self) -> Result<SecretBytes, KeychainError> {
        Ok(SecretBytes::new(STANDARD_NO_PAD.encode(self.pkcs8())))
    }

    fn of_bytes(bytes: &SecretBytes) -> Result<Self, KeychainError> {
        let decoded = STANDARD_NO_PAD.decode(bytes.expose()).map(Zeroizing::new);
        let pkcs8 = decoded.map_err(|_| KeychainError::Corrupt)?;
        Self::of_pkcs8(&pkcs8).map_err(|_| KeychainError::Corrupt)
    }
}

/// Written into memory that is large enough from the start, so that growing leaves no copy behind.
pub(super) fn json(record: &impl Serialize) -> Result<SecretBytes, KeychainError> {
    let mut bytes = Vec::with_capacity(4 * LARGEST);
    serde_json::to_writer(&mut bytes, record).map_err(|_| KeychainError::TooLarge)?;
    let bytes = SecretBytes::new(bytes);
    if bytes.expose().len() > LARGEST { Err(KeychainError::TooLarge) } else { Ok(bytes) }
}

pub(super) fn read<'a, T: Deserialize<'a>>(bytes: &'a SecretBytes) -> Result<T, KeychainError> {
    serde_json::from_slice(bytes.expose()).map_err(|_| KeychainError::Corrupt)
}

fn shortened(account: &Account, longest: usize) -> Account {
    let cut = |text: &str| text.chars().take(longest).collect::<String>();
    let mut account = account.clone();
    account.name = account.name.as_deref().map(cut);
    account.email = account.email.as_deref().map(cut);
    if let Some(organization) = &mut account.organization {
        organization.name = organization.name.as_deref().map(cut);
    }
    account
}

#[cfg(test)]
pub(super) mod tests {
    use keyport_core::{Connection, Organization};

    use super::*;

    pub(in super::super) fn session() -> KeptSession {
        KeptSession {
            account: Account {
                id: AccountId("ada".into()),
                issuer: "https://sign-in.example".into(),
                subject: "subject-ada".into(),
                email: Some("ada@acme.test".into()),
                name: Some("Ada Lovelace".into()),
                organization: Some(Organization { id: "org_1".into(), name: Some("Acme".into()) }),
                connection: Some(Connection { id: "conn_1".into(), kind: "OktaSAML".into() }),
                signed_in_at: Moment(0),
            },
            refresh: RefreshToken::new("kpr_secret"),
            fresh_until: Moment(7),
            key: Some("thumbprint".to_owned()),
            session: Some("session_1".to_owned()),
        }
    }

    fn attempt() -> KeptAttempt {
        KeptAttempt {
            id: AttemptId("ab".repeat(16)),
            receiver: ReceiverSecrets {
                receiver: CallbackReceiver::Link,
                state: State::new("s"),
                verifier: CodeVerifier::new("v"),
            },
            issuer: "https://a.test".into(),
            deadline: Moment(9),
            store: SessionStore::Keychain,
        }
    }

    #[test]
    fn what_is_kept_comes_back_as_it_was() {
        let kept = session();
        assert_eq!(KeptSession::of_bytes(&kept.to_bytes().unwrap()), Ok(kept));
        let kept = attempt();
        assert_eq!(KeptAttempt::of_bytes(&kept.to_bytes().unwrap()), Ok(kept));
        let key = DeviceKey::draw().unwrap();
        let again = DeviceKey::of_bytes(&key.to_bytes().unwrap()).unwrap();
        assert_eq!(again.pkcs8(), key.pkcs8());
    }

    #[test]
    fn the_longest_names_still_fit_and_only_what_is_shown_is_cut() {
        let mut long = session();
        long.account.name = Some("\u{1F511}".repeat(500));
        long.account.email = Some(format!("{}@acme.test", "a".repeat(240)));
        long.account.organization =
            Some(Organization { id: "org_1".into(), name: Some("\u{0}".repeat(500)) });
        let bytes = long.to_bytes().unwrap();
        assert!(bytes.expose().len() <= LARGEST);
        let back = KeptSession::of_bytes(&bytes).unwrap();
        assert_eq!((&back.refresh, &back.account.subject), (&long.refresh, &long.account.subject));
        assert_eq!(back.account.organization.unwrap().id, "org_1");
    }

    #[test]
    fn what_does_not_parse_is_corrupt() {
        for bytes in
            ["", "{}", "null", "[1]", r#"{"account":{},"refresh_token":"r","fresh_until":1}"#]
        {
            let bytes = SecretBytes::new(bytes.as_bytes());
            assert_eq!(KeptSession::of_bytes(&bytes), Err(KeychainError::Corrupt));
            assert_eq!(KeptAttempt::of_bytes(&bytes), Err(KeychainError::Corrupt));
            assert!(DeviceKey::of_bytes(&bytes).is_err());
        }
    }
}
