//! An attempt: the client's record of one sign-in, and its receivers, the ways by which the browser
//! can hand back.

use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::secret::{AuthorizationUrl, CodeVerifier, State};

/// 128 random bits as 32 lower-case hex digits. Not a secret: it runs through app, companion log
/// and audit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(pub String);

impl AttemptId {
    /// The first four digits in upper case: what a person reads to IT.
    #[must_use]
    pub fn short(&self) -> String {
        self.0.chars().take(4).collect::<String>().to_uppercase()
    }
}

/// A way for the browser to hand back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackReceiver {
    /// `http://127.0.0.1:PORT/callback`, RFC 8252 §7.3.
    Loopback,
    /// The private-use scheme, RFC 8252 §7.1.
    Link,
}

impl CallbackReceiver {
    /// Each of them, in the order in which they are tried.
    pub const ALL: [Self; 2] = [Self::Link, Self::Loopback];

    /// The name in settings and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Link => "link",
        }
    }

    /// The receiver of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|receiver| receiver.name() == name)
    }

    /// Whether a callback can arrive after the process that opened the receiver has ended: such an
    /// attempt is kept.
    #[must_use]
    pub const fn survives_restart(self) -> bool {
        matches!(self, Self::Link)
    }
}

/// The random values of one receiver, drawn by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverSecrets {
    /// Which way.
    pub receiver: CallbackReceiver,
    /// At least 128 bits.
    pub state: State,
    /// RFC 7636 §4.1.
    pub verifier: CodeVerifier,
}

/// Where a new session shall be kept. Where one is kept says [`Stored`](crate::Stored).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionStore {
    /// The keychain, checked before the browser opens.
    #[default]
    Keychain,
    /// Memory, by the person's own choice.
    Memory,
}

/// What the person or a policy said about how to sign in. At most one of organization, connection
/// and provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// Chooses the connection by its domain and fills the provider's form.
    pub email: Option<String>,
    /// `org_…`
    pub organization: Option<String>,
    /// `conn_…`
    pub connection: Option<String>,
    /// `GoogleOAuth` …
    pub provider: Option<String>,
}

/// What an attempt is made of: the request, with the random values of its receivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptSeed {
    /// New for each intent.
    pub id: AttemptId,
    /// The first one is the one the browser is sent through.
    pub receivers: Vec<ReceiverSecrets>,
    /// Who wants in.
    pub hints: Hints,
    /// Where to keep the session.
    pub store: SessionStore,
}

/// The companion has taken the pushed requests (RFC 9126 §2.2), one for each receiver in the seed's
/// order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Byte-equal to the metadata; compared with `iss` (RFC 9207).
    pub issuer: String,
    /// One authorization URL a receiver.
    pub urls: Vec<AuthorizationUrl>,
    /// When the pushed requests stop working.
    pub deadline: Moment,
}

/// An attempt as it is kept in the keychain until its deadline, so that a callback that *starts*
/// the app completes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAttempt {
    /// The attempt it was.
    pub id: AttemptId,
    /// Its receiver that survives a restart.
    pub receiver: ReceiverSecrets,
    /// Byte-equal to the metadata.
    pub issuer: String,
    /// Its deadline; past it the record counts for nothing.
    pub deadline: Moment,
    /// Where the session shall be kept.
    pub store: SessionStore,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_digits_in_upper_case_are_read_to_it() {
        assert_eq!(AttemptId("0af3c4d5".repeat(4)).short(), "0AF3");
    }
}
