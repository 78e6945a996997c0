//! What the companion knows, as data: users, grants, attempts, sessions, families and the rules
//! that move them.
//!
//! Nothing here reads a clock, draws randomness or touches a file: time comes in as [`Timestamp`],
//! randomness through [`crate::domain::Random`], and [`crate::storage`] keeps what these rules
//! decide.

mod attempt;
mod attributes;
mod audit;
mod clock;
mod family;
mod grant;
mod id;
mod identity;
mod lifetimes;
mod limits;
mod peer;
mod random;
mod secret;
mod session;
mod text;
mod time;
mod upstream_event;
mod upstream_subject;
mod user;

pub use attempt::{Attempt, AttemptKey, AttemptState, Outcome};
pub use attributes::{AttributeValue, ProfileAttributes, ProviderAttributes};
pub use audit::{AuditClass, AuditEvent, AuditLimits, AuditSubject};
pub use clock::{ClockDoubt, ClockPlausibility, ClockReading, LARGEST_STEP, SteadyClock};
pub use family::{Family, Presented, RefreshRefusal, Verdict};
pub use grant::{CancelledBy, ConfirmationNumber, Grant, GrantStage, ProblemCode, WrongStage};
pub use id::{
    AttemptId, BrowserHash, FamilyId, FeedHolder, GrantId, IdError, RequestId, SessionId,
    UpstreamAuthorizationId,
};
pub use id::{Thumbprint, UserId};
pub use identity::{
    IdentityError, IdentityFault, ProviderProfile, UpstreamIdentity, ValidatedIdentity,
};
pub use lifetimes::Lifetimes;
pub use limits::Limits;
pub use peer::{PeerAddress, site};
pub use random::{Random, SystemRandom};
pub use secret::{SecretArray, SecretText};
pub use session::{EndedBecause, IssuedSession, ListedSession, Scope, Session, SessionSelector};
pub use text::{cleaned, is_unsafe};
pub use time::Timestamp;
pub use upstream_event::{PersonFacts, SubjectReport, Told, UpstreamEvent};
pub use upstream_subject::{
    PersonKeys, ProviderMillis, SubjectKind, SubjectState, UpstreamAccess, UpstreamSubject,
};
pub use user::{Connection, Organization, User};

#[cfg(test)]
mod tests;
