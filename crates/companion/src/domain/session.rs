//! A session: one user, one client, one device key, from a code redemption until it is ended or
//! runs out.

use std::net::IpAddr;

use keyport_problems::Problem;

use super::{SessionId, Thumbprint, Timestamp, User, UserId};
use crate::domain::SecretText;

/// The granted scope: words the companion knows, in the order given, each once. Unknown ones are
/// ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

impl Scope {
    /// The words that can be granted.
    pub const KNOWN: [&'static str; 4] = ["openid", "profile", "email", "offline_access"];

    /// Parses a space-separated scope (RFC 6749 §3.3).
    pub fn parse(text: &str) -> Self {
        let mut words: Vec<&str> = Vec::new();
        for word in text.split(' ') {
            if Self::KNOWN.contains(&word) && !words.contains(&word) {
                words.push(word);
            }
        }
        Self(words.join(" "))
    }

    /// True if the word was granted.
    pub fn has(&self, word: &str) -> bool {
        self.0.split_ascii_whitespace().any(|granted| granted == word)
    }

    /// Space-separated, as in the token answer.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBecause {
    /// RFC 7009 revocation by the client.
    Revoked,
    /// An operator has ended it.
    RevokedByOperator,
    /// A refresh token older than the parent was presented: there is a copy of it.
    TokenReplayed,
    /// The code that opened the session was presented again.
    CodeReplayed,
    /// The same person signed in again with the same device key.
    SignedInAgain,
    /// The client cancelled its attempt after the code had been redeemed.
    AttemptCancelled,
    /// The person has ended it from another session.
    SignedOutElsewhere,
    /// The operator's rules do not admit the person any more.
    NotAdmitted,
    /// The provider says that the person, the connection or the organization is no more.
    AccessWithdrawn,
}

impl EndedBecause {
    /// All reasons.
    pub const ALL: [Self; 9] = [
        Self::Revoked,
        Self::RevokedByOperator,
        Self::TokenReplayed,
        Self::CodeReplayed,
        Self::SignedInAgain,
        Self::AttemptCancelled,
        Self::SignedOutElsewhere,
        Self::NotAdmitted,
        Self::AccessWithdrawn,
    ];

    /// As stored; `None` for a word that is not one of ours.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|because| because.as_str() == word)
    }

    /// The word in the audit table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::RevokedByOperator => "revoked_by_operator",
            Self::TokenReplayed => "token_replayed",
            Self::CodeReplayed => "code_replayed",
            Self::SignedInAgain => "signed_in_again",
            Self::AttemptCancelled => "attempt_cancelled",
            Self::SignedOutElsewhere => "signed_out_elsewhere",
            Self::NotAdmitted => "not_admitted",
            Self::AccessWithdrawn => "access_withdrawn",
        }
    }

    /// What the device of the session tells the person when it finds the session ended; `None`
    /// where there is nothing to say beyond that.
    pub const fn problem(self) -> Option<Problem> {
        match self {
            Self::RevokedByOperator | Self::AccessWithdrawn | Self::NotAdmitted => {
                Some(Problem::AccessEnded)
            }
            Self::SignedOutElsewhere => Some(Problem::SignedOutElsewhere),
            Self::Revoked
            | Self::TokenReplayed
            | Self::CodeReplayed
            | Self::SignedInAgain
            | Self::AttemptCancelled => None,
        }
    }

    /// Returns whether the device key is trusted for this user no more, so that the next sign-in
    /// asks for *Continue*: a thief may hold it, or an operator says so.
    pub const fn forgets_device_key(self) -> bool {
        match self {
            Self::RevokedByOperator
            | Self::TokenReplayed
            | Self::CodeReplayed
            | Self::SignedOutElsewhere
            | Self::AccessWithdrawn => true,
            Self::Revoked | Self::SignedInAgain | Self::AttemptCancelled | Self::NotAdmitted => {
                false
            }
        }
    }
}

/// A session that is alive, with everything that an access token and userinfo say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// `sid`.
    pub id: SessionId,
    /// Who.
    pub user: User,
    /// `client_id`.
    pub client_id: String,
    /// `cnf.jkt`.
    pub jkt: Thumbprint,
    /// `scope`.
    pub scope: Scope,
    /// `auth_time`.
    pub auth_time: Timestamp,
    /// First instant at which it is over, if it is neither refreshed nor ended before.
    pub deadline: Timestamp,
}

/// Which sessions are meant.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionSelector {
    /// One session.
    Session(SessionId),
    /// All of one user.
    User(UserId),
    /// All of one user, who ends them from this one of them: it counts as signed out by itself.
    Everywhere {
        /// The user.
        user: UserId,
        /// The session that asks.
        from: SessionId,
    },
    /// All of one device key.
    DeviceKey(Thumbprint),
    /// All of the users whose latest organization this is; an upstream id.
    Organization(String),
    /// All of the users of this connection; an upstream id.
    Connection(String),
    /// Those that began with this session of the upstream; an upstream id.
    UpstreamSession(String),
    /// Every session there is.
    All,
}

/// A session as it is listed, for the person and the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    /// The session.
    pub session: Session,
    /// What the device says of itself.
    pub device_name: Option<String>,
    /// When the person signed in on the device.
    pub created_at: Timestamp,
    /// When a token was last issued for it.
    pub last_used: Timestamp,
    /// The network address that it was last used from.
    pub last_address: Option<IpAddr>,
}

/// What the token endpoint answers with.
#[derive(Debug)]
pub struct IssuedSession {
    /// The session.
    pub session: Session,
    /// First instant at which the access token is refused: never after the session.
    pub access_deadline: Timestamp,
    /// The refresh token, `kpr_…`; none without the scope `offline_access`.
    pub refresh_token: Option<SecretText>,
}
