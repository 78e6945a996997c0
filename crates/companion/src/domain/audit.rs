//! Audit events: what each is called, what it is worth when the table is full, and whose
//! repetitions are folded into one row. The table itself is in [`crate::storage`].

use super::{CancelledBy, EndedBecause, GrantId, ProblemCode, SessionId, Thumbprint, UserId};

/// Something that is written to the audit table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditEvent<'a> {
    /// A user was created by a first sign-in.
    UserProvisioned,
    /// The provider has said who signed in.
    GrantFulfilled,
    /// The person pressed *Continue*.
    GrantConfirmed,
    /// The exchange failed, or admission refused.
    GrantFailed(&'a ProblemCode),
    /// A grant was cancelled. `signed_in`: after the provider had said who it was.
    GrantCancelled {
        /// By whom.
        by: CancelledBy,
        /// Whether a person had signed in.
        signed_in: bool,
    },
    /// The client cancelled its attempt.
    AttemptCancelled,
    /// A session began.
    SessionBegun,
    /// A session was ended before its time.
    SessionEnded(EndedBecause),
    /// A device key is not trusted for its user any more.
    DeviceKeyForgotten,
    /// A code came with another client or device key than it was minted for.
    CodeByForeignKey,
    /// A refresh token came with another device key.
    RefreshByForeignKey,
    /// A session was to be revoked by its id, with the proof of another device key.
    RevocationByForeignKey,
    /// Exchanges were in flight when the service stopped.
    ExchangesInterrupted,
}

/// What an event is worth when the table is full: the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AuditClass {
    /// An unauthenticated caller can cause it.
    Unauthenticated,
    /// It belongs to an ordinary sign-in or sign-out.
    Ordinary,
    /// It tells of a theft, a refusal or a person's objection.
    Security,
}

impl AuditClass {
    /// All classes, the least first.
    pub const ALL: [Self; 3] = [Self::Unauthenticated, Self::Ordinary, Self::Security];

    /// The number in the database: 0, 1 or 2.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

impl AuditEvent<'_> {
    /// The word in the audit table.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::UserProvisioned => "user_provisioned",
            Self::GrantFulfilled => "grant_fulfilled",
            Self::GrantConfirmed => "grant_confirmed",
            Self::GrantFailed(_) => "grant_failed",
            Self::GrantCancelled { .. } => "grant_cancelled",
            Self::AttemptCancelled => "attempt_cancelled",
            Self::SessionBegun => "session_begun",
            Self::SessionEnded(_) => "session_ended",
            Self::DeviceKeyForgotten => "device_key_forgotten",
            Self::CodeByForeignKey => "code_by_foreign_key",
            Self::RefreshByForeignKey => "refresh_by_foreign_key",
            Self::RevocationByForeignKey => "revocation_by_foreign_key",
            Self::ExchangesInterrupted => "exchanges_interrupted",
        }
    }

    /// The reason beside the word, where there is one.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::GrantFailed(problem) => Some(problem.as_str()),
            Self::GrantCancelled { by, .. } => Some(by.as_str()),
            Self::SessionEnded(because) => Some(because.as_str()),
            _ => None,
        }
    }

    /// What the event is worth when the table is full.
    pub fn class(&self) -> AuditClass {
        match self {
            Self::GrantFailed(problem) if is_admission(problem) => AuditClass::Security,
            Self::GrantFailed(_)
            | Self::AttemptCancelled
            | Self::GrantCancelled { signed_in: false, .. } => AuditClass::Unauthenticated,
            Self::GrantCancelled {
                by: CancelledBy::Person | CancelledBy::WrongVerifier | CancelledBy::EndedAccess,
                ..
            } => AuditClass::Security,
            Self::SessionEnded(because) => match because {
                EndedBecause::SignedInAgain | EndedBecause::AttemptCancelled => {
                    AuditClass::Ordinary
                }
                EndedBecause::Revoked
                | EndedBecause::RevokedByOperator
                | EndedBecause::TokenReplayed
                | EndedBecause::CodeReplayed
                | EndedBecause::SignedOutElsewhere
                | EndedBecause::NotAdmitted
                | EndedBecause::AccessWithdrawn => AuditClass::Security,
            },
            Self::DeviceKeyForgotten
            | Self::CodeByForeignKey
            | Self::RefreshByForeignKey
            | Self::RevocationByForeignKey => AuditClass::Security,
            Self::UserProvisioned
            | Self::GrantFulfilled
            | Self::GrantConfirmed
            | Self::GrantCancelled { by: CancelledBy::Client, .. }
            | Self::SessionBegun
            | Self::ExchangesInterrupted => AuditClass::Ordinary,
        }
    }
}

/// A person whom the provider knows was refused here. The other problems can be made up: by an
/// error in the address of a callback, or by a code that the provider does not know.
fn is_admission(problem: &ProblemCode) -> bool {
    matches!(
        problem.as_str(),
        "organization_not_allowed"
            | "connection_not_allowed"
            | "provider_not_allowed"
            | "wrong_organization"
            | "access_ended"
    )
}

/// Whom and what an event is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditSubject<'a> {
    /// The person.
    pub user: Option<UserId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The grant.
    pub grant: Option<GrantId>,
    /// The client.
    pub client_id: Option<&'a str>,
    /// The device key.
    pub jkt: Option<Thumbprint>,
}

impl AuditSubject<'_> {
    /// Whose repetitions of `event` are folded: nothing that the one who repeats it can choose
    /// anew. A foreign device key is drawn at will, so the session or grant that it was tried on
    /// counts.
    pub fn source(&self, event: &AuditEvent<'_>) -> Vec<u8> {
        let grant = match event {
            AuditEvent::CodeByForeignKey => self.grant,
            _ => None,
        };
        let (session, user) = (self.session, self.user);
        session
            .map(|id| id.as_bytes().to_vec())
            .or(grant.map(|id| id.as_bytes().to_vec()))
            .or(self.jkt.map(|jkt| jkt.as_bytes().to_vec()))
            .or(user.map(|id| id.as_bytes().to_vec()))
            .unwrap_or_default()
    }
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditLimits {
    /// Rows of the table: 1,000,000.
    pub total: usize,
    /// Rows of [`AuditClass::Unauthenticated`]: 50,000.
    pub unauthenticated: usize,
    /// Rows of the same event, detail and source in one hour: 8. The rest is counted in the newest.
    pub per_hour: usize,
}

impl Default for AuditLimits {
    fn default() -> Self {
        Self { total: 1_000_000, unauthenticated: 50_000, per_hour: 8 }
    }
}

impl AuditLimits {
    /// How many rows of each class of [`AuditClass::ALL`] are too many, given how many there are.
    pub fn surplus(&self, rows: [usize; 3]) -> [usize; 3] {
        let mut surplus = [rows[0].saturating_sub(self.unauthenticated), 0, 0];
        let kept: usize = rows.iter().sum::<usize>() - surplus[0];
        let mut over = kept.saturating_sub(self.total);
        for (surplus, rows) in surplus.iter_mut().zip(rows) {
            let more = over.min(rows - *surplus);
            *surplus += more;
            over -= more;
        }
        surplus
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_unauthenticated_caller_can_cause_goes_first_and_security_events_last() {
        let limits = AuditLimits { total: 100, unauthenticated: 40, per_hour: 8 };
        for (rows, surplus) in [
            ([0, 0, 0], [0, 0, 0]),
            ([40, 60, 0], [0, 0, 0]),
            ([41, 10, 10], [1, 0, 0]),
            ([50, 60, 10], [20, 0, 0]),
            ([40, 90, 10], [40, 0, 0]),
            ([40, 120, 10], [40, 30, 0]),
            ([5, 5, 130], [5, 5, 30]),
        ] {
            assert_eq!(limits.surplus(rows), surplus, "{rows:?}");
        }
    }

    #[test]
    fn what_an_unauthenticated_caller_can_cause_is_no_security_event() {
        let failed = |code: &str| {
            let problem = ProblemCode::new(code).unwrap();
            AuditEvent::GrantFailed(&problem).class()
        };
        for made_up in ["access_denied", "link_expired", "setup_wrong", "interrupted"] {
            assert_eq!(failed(made_up), AuditClass::Unauthenticated, "{made_up}");
        }
        assert_eq!(failed("organization_not_allowed"), AuditClass::Security);
        assert_eq!(failed("access_ended"), AuditClass::Security);
        let cancelled = |by, signed_in| AuditEvent::GrantCancelled { by, signed_in }.class();
        assert_eq!(cancelled(CancelledBy::Person, false), AuditClass::Unauthenticated);
        assert_eq!(cancelled(CancelledBy::Person, true), AuditClass::Security);
        assert_eq!(cancelled(CancelledBy::Client, true), AuditClass::Ordinary);
    }
}
