//! A grant: the server's record of one sign-in, `Pending > Fulfilled > Minted > Exchanged`, or
//! failed or cancelled. Each transition consumes the grant, so that a step cannot be taken twice
//! from one copy. A pending grant is also the journal of the upstream exchange: whoever finds one
//! after a restart knows that an exchange was in flight.

use std::fmt;

use super::{
    AttemptId, BrowserHash, GrantId, Lifetimes, RequestId, Scope, SessionId, Thumbprint, Timestamp,
    UpstreamAuthorizationId, UserId,
};
use crate::domain::Random;

/// A stable problem code, e.g. `access_denied`. Data here, a sentence only in `words`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProblemCode(String);

impl ProblemCode {
    /// The companion stopped between the upstream exchange and its own commit: "please sign in
    /// again".
    pub const INTERRUPTED: &'static str = "interrupted";

    /// Wraps a code: 1 to 64 lower-case ASCII letters, digits and `_`; else `None`.
    pub fn new(code: impl Into<String>) -> Option<Self> {
        let code = code.into();
        let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_');
        (!code.is_empty() && code.len() <= 64 && code.bytes().all(plain)).then_some(Self(code))
    }

    /// The code of an exchange that a stop of the companion interrupted.
    pub fn interrupted() -> Self {
        Self(Self::INTERRUPTED.to_owned())
    }

    /// The code of a sign-in whose person or app took too long.
    pub fn expired() -> Self {
        Self("link_expired".to_owned())
    }

    /// The code of an authorization that another one of the same request has overtaken.
    pub fn superseded() -> Self {
        Self("already_used".to_owned())
    }

    /// The code of a sign-in whose person has no access any more.
    pub fn access_ended() -> Self {
        Self("access_ended".to_owned())
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The two-digit number that page and app show for comparison: 10 to 99.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfirmationNumber(u8);

impl ConfirmationNumber {
    /// Draws one, every number equally likely.
    pub fn draw(random: &dyn Random) -> Self {
        loop {
            let mut byte = [0];
            random.fill(&mut byte);
            // 180 is the largest multiple of 90 in a byte: the rest would make small numbers
            // likelier.
            if byte[0] < 180 {
                return Self(10 + byte[0] % 90);
            }
        }
    }

    /// As stored; `None` outside 10 to 99.
    pub fn from_stored(number: u8) -> Option<Self> {
        (10..=99).contains(&number).then_some(Self(number))
    }

    /// 10 to 99.
    pub const fn value(self) -> u8 {
        self.0
    }
}

impl fmt::Display for ConfirmationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who cancelled a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelledBy {
    /// The person, with *This was not me*.
    Person,
    /// The client, with `DELETE` at the attempt endpoint.
    Client,
    /// The right device key came with a wrong code verifier: the code is burnt.
    WrongVerifier,
    /// The person's access was ended, by the operator, the provider or from another session.
    EndedAccess,
}

impl CancelledBy {
    /// As stored; `None` for a word that is not one of ours.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Person, Self::Client, Self::WrongVerifier, Self::EndedAccess]
            .into_iter()
            .find(|by| by.as_str() == word)
    }

    /// The word in the database and in the audit table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Client => "client",
            Self::WrongVerifier => "wrong_verifier",
            Self::EndedAccess => "ended_access",
        }
    }
}

/// How far a grant has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantStage {
    /// The upstream exchange was started; its result is not known yet.
    Pending,
    /// The provider has answered and admission has let the person in.
    Fulfilled {
        /// Who it is.
        user: UserId,
        /// True if this device key has signed this user in before: no confirmation is asked.
        device_known: bool,
        /// The number to compare.
        number: ConfirmationNumber,
        /// True once the person has pressed *Continue*.
        confirmed: bool,
    },
    /// The code is out; it lives until `deadline`.
    Minted {
        /// Who it is.
        user: UserId,
        /// First instant at which the code is refused.
        deadline: Timestamp,
    },
    /// The code was redeemed.
    Exchanged {
        /// Who it is.
        user: UserId,
        /// The session that it gave.
        session: SessionId,
    },
    /// The exchange failed or admission refused.
    Failed {
        /// Why.
        problem: ProblemCode,
    },
    /// Cancelled.
    Cancelled {
        /// By whom.
        by: CancelledBy,
    },
}

impl GrantStage {
    /// Who signed in, from the provider's answer to the session.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Fulfilled { user, .. }
            | Self::Minted { user, .. }
            | Self::Exchanged { user, .. } => Some(*user),
            _ => None,
        }
    }
}

/// The grant is not at the stage that the transition starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the grant is not at the stage that this step starts from")]
pub struct WrongStage;

/// A grant without its secrets (the client's state stays sealed in storage until the code is
/// minted).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id, the opaque part of the hand-off page's path.
    pub id: GrantId,
    /// The upstream authorization that it came from.
    pub upstream_authorization: UpstreamAuthorizationId,
    /// The pushed request that the upstream authorization belongs to.
    pub request: RequestId,
    /// The attempt, if the client pushed one.
    pub attempt: Option<AttemptId>,
    /// The device key proved at PAR.
    pub jkt: Thumbprint,
    /// The browser that it stays in.
    pub browser: BrowserHash,
    /// The client.
    pub client_id: String,
    /// Where the code goes, exactly as pushed.
    pub redirect_uri: String,
    /// S256 code challenge as pushed (base64url, RFC 7636).
    pub code_challenge: String,
    /// Granted scope.
    pub scope: Scope,
    /// What the device says of itself.
    pub device_name: Option<String>,
    /// When the upstream exchange was started.
    pub started_at: Timestamp,
    /// When the person signed in, `auth_time`; none before it is fulfilled.
    pub fulfilled_at: Option<Timestamp>,
    /// The session that the upstream has begun with the sign-in, where it has sessions.
    pub upstream_session: Option<String>,
    /// How far it is.
    pub stage: GrantStage,
}

impl Grant {
    /// The grant as it reads at `now`: one that waited beyond its deadline reads as failed.
    #[must_use]
    pub fn as_of(self, lifetimes: &Lifetimes, now: Timestamp) -> Self {
        let problem = match &self.stage {
            // The caller of that exchange is gone, or it would have been told by now.
            GrantStage::Pending if now.has_reached(self.started_at.plus(lifetimes.exchange)) => {
                ProblemCode::interrupted()
            }
            GrantStage::Fulfilled { .. } if self.hand_off_is_over(lifetimes, now) => {
                ProblemCode::expired()
            }
            GrantStage::Minted { deadline, .. } if now.has_reached(*deadline) => {
                ProblemCode::expired()
            }
            _ => return self,
        };
        Self { stage: GrantStage::Failed { problem }, ..self }
    }

    /// Whether the person has waited too long with *Continue*.
    #[must_use]
    pub fn hand_off_is_over(&self, lifetimes: &Lifetimes, now: Timestamp) -> bool {
        self.fulfilled_at.is_some_and(|at| now.has_reached(at.plus(lifetimes.hand_off)))
    }

    /// Pending → Fulfilled.
    pub fn fulfil(
        self,
        user: UserId,
        device_known: bool,
        number: ConfirmationNumber,
        now: Timestamp,
    ) -> Result<Self, WrongStage> {
        let GrantStage::Pending = self.stage else { return Err(WrongStage) };
        let stage = GrantStage::Fulfilled { user, device_known, number, confirmed: false };
        Ok(Self { stage, fulfilled_at: Some(now), ..self })
    }

    /// Fulfilled → Fulfilled and confirmed by the person; a second press changes nothing.
    pub fn confirm(self) -> Result<Self, WrongStage> {
        let GrantStage::Fulfilled { user, device_known, number, .. } = self.stage else {
            return Err(WrongStage);
        };
        let stage = GrantStage::Fulfilled { user, device_known, number, confirmed: true };
        Ok(Self { stage, ..self })
    }

    /// Fulfilled, and confirmed or on a known device → Minted.
    pub fn mint(self, deadline: Timestamp) -> Result<Self, WrongStage> {
        match self.stage {
            GrantStage::Fulfilled { user, device_known, confirmed, .. }
                if device_known || confirmed =>
            {
                Ok(Self { stage: GrantStage::Minted { user, deadline }, ..self })
            }
            _ => Err(WrongStage),
        }
    }

    /// Minted → Exchanged.
    pub fn exchange(self, session: SessionId) -> Result<Self, WrongStage> {
        let GrantStage::Minted { user, .. } = self.stage else { return Err(WrongStage) };
        Ok(Self { stage: GrantStage::Exchanged { user, session }, ..self })
    }

    /// Pending → Failed.
    pub fn fail(self, problem: ProblemCode) -> Result<Self, WrongStage> {
        let GrantStage::Pending = self.stage else { return Err(WrongStage) };
        Ok(Self { stage: GrantStage::Failed { problem }, ..self })
    }

    /// Pending, Fulfilled or Minted → Cancelled.
    pub fn cancel(self, by: CancelledBy) -> Result<Self, WrongStage> {
        match self.stage {
            GrantStage::Pending | GrantStage::Fulfilled { .. } | GrantStage::Minted { .. } => {
                Ok(Self { stage: GrantStage::Cancelled { by }, ..self })
            }
            _ => Err(WrongStage),
        }
    }
}
