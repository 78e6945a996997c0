//! What the companion remembers: one asynchronous call per transition, time passed in, answered
//! only after the commit.
//!
//! The rules are those of [`crate::domain`]; an engine keeps them under crashes and concurrency,
//! and every engine passes the suite in `tests/storage`. Codes and tokens are stored as hashes
//! only; a child of a refresh token is sealed under its parent. An engine that fails answers
//! [`StorageError`], which is a 503 and never an `invalid_grant`.

mod events;
mod listings;
mod open;
mod postgres;
mod requests;
mod select;
mod sqlite;
mod transitions;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::domain::{
    AttemptKey, AttemptState, CancelledBy, ClockDoubt, EndedBecause, GrantId, ListedSession,
    Outcome, ProblemCode, Session, SessionId, SessionSelector, Timestamp, UpstreamIdentity,
};

pub use events::{EventTaken, FeedPosition, UpstreamEvents};
pub use listings::{AuditPage, AuditRecord, ListedUser, Listings, UserSelector, UsersPage};
pub use open::{GiveParts, OpenError, check_place, open};
pub use postgres::{PostgresSettings, PostgresStorage};
pub use requests::{
    CodeRefusal, EndedSessions, ExchangeStart, Fulfilment, GrantView, Minting, RedeemCode,
    Redemption, ReturnedAuthorization, Revocation, Revoke, RotateRefresh, Rotation, SessionsPage,
    UpstreamSessions,
};
pub use sqlite::{SqliteSettings, SqliteStorage};
pub use transitions::StorageParts;

/// An answer that comes after the commit.
pub type Reply<'a, T> = BoxFuture<'a, Result<T, StorageError>>;

/// The database could not do its work. The caller answers 503 with `Retry-After`; nothing was
/// decided about the grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// Busy, full, stopped or out of reach; the same call may succeed later.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Tables or clock do not fit this instance, which changes nothing until they do; what says
    /// which.
    #[error("{0}")]
    Unfit(&'static str),
    /// A file of the database was removed or replaced while it is open; what says which.
    #[error("{0}")]
    FileReplaced(&'static str),
    /// What was read makes no sense: the file is damaged or another program wrote to it.
    #[error("the database is damaged: {0}")]
    Damaged(String),
}

/// What the companion remembers. One call per transition; each call is answered after its commit.
pub trait Storage: Listings + UpstreamEvents {
    /// Journals the start of the upstream exchange of an upstream authorization. Only
    /// [`ExchangeStart::Started`] may send it.
    fn begin_exchange(
        &self,
        authorization: ReturnedAuthorization,
        now: Timestamp,
    ) -> Reply<'_, ExchangeStart>;

    /// Pending → Fulfilled; provisions the user just in time, or updates email, name and
    /// organization.
    fn fulfil_grant(
        &self,
        grant: GrantId,
        identity: UpstreamIdentity,
        now: Timestamp,
    ) -> Reply<'_, Fulfilment>;

    /// Pending → Failed. On any other stage it changes nothing.
    fn fail_grant(&self, grant: GrantId, problem: ProblemCode, now: Timestamp) -> Reply<'_, ()>;

    /// The grant for the hand-off page. A pending one whose exchange took longer than the engine's
    /// deadline reads as failed with [`ProblemCode::INTERRUPTED`], one that waited too long for
    /// person or app as expired.
    fn read_grant(&self, grant: GrantId, now: Timestamp) -> Reply<'_, Option<GrantView>>;

    /// The person pressed *Continue*. False if the grant is not fulfilled (any more).
    fn confirm_grant(&self, grant: GrantId, now: Timestamp) -> Reply<'_, bool>;

    /// Fulfilled, and confirmed or on a known device → Minted. The code is answered once and lives
    /// 60 seconds.
    fn mint_code(&self, grant: GrantId, now: Timestamp) -> Reply<'_, Minting>;

    /// Pending, Fulfilled or Minted → Cancelled. False if it was at another stage.
    fn cancel_grant(&self, grant: GrantId, by: CancelledBy, now: Timestamp) -> Reply<'_, bool>;

    /// Minted → Exchanged, in the order of refusals of [`CodeRefusal`]. Ends the older sessions of
    /// the same user, client and device key.
    fn redeem_code(&self, redemption: RedeemCode, now: Timestamp) -> Reply<'_, Redemption>;

    /// Rotates a refresh token by the rule of [`crate::domain::Family::judge`]. One that reads as
    /// expired while the clock is in doubt is [`StorageError::Unavailable`], which is not terminal.
    fn rotate_refresh(&self, presented: RotateRefresh, now: Timestamp) -> Reply<'_, Rotation>;

    /// Ends a session of this client.
    fn revoke(&self, revoke: Revoke, client_id: String, now: Timestamp) -> Reply<'_, Revocation>;

    /// Ends some of these sessions before their time, and cancels grants of the same users or
    /// device key that could still become sessions. Where a refresh and this come together, one of
    /// them is first: no token is issued after this is answered.
    fn end_some_sessions(
        &self,
        selector: SessionSelector,
        because: EndedBecause,
        now: Timestamp,
    ) -> Reply<'_, EndedSessions>;

    /// Ends all of these sessions; answers how many.
    fn end_sessions(
        &self,
        selector: SessionSelector,
        because: EndedBecause,
        now: Timestamp,
    ) -> Reply<'_, usize> {
        async move {
            let mut ended = 0;
            loop {
                let some = self.end_some_sessions(selector.clone(), because, now).await?;
                ended += some.ended;
                if !some.may_be_more {
                    return Ok(ended);
                }
            }
        }
        .boxed()
    }

    /// The sessions of a selector that are alive, a page of them.
    fn list_sessions(
        &self,
        selector: SessionSelector,
        page: SessionsPage,
        now: Timestamp,
    ) -> Reply<'_, Vec<ListedSession>>;

    /// The next user of this upstream and issuer, in the order of their ids there, who has sessions
    /// that began with one of the upstream's and are alive; none of the last minute.
    fn upstream_sessions(
        &self,
        upstream: &'static str,
        issuer: String,
        after: String,
        now: Timestamp,
    ) -> Reply<'_, Option<UpstreamSessions>>;

    /// The session, if it is alive.
    fn read_session(&self, session: SessionId, now: Timestamp) -> Reply<'_, Option<Session>>;

    /// How far the attempt is, by the same deadlines; [`AttemptState::Waiting`] for one that this
    /// key has not touched.
    fn attempt_state(&self, attempt: AttemptKey, now: Timestamp) -> Reply<'_, AttemptState>;

    /// The device says how it ended. For an attempt that this key has not touched it changes
    /// nothing.
    fn attempt_outcome(
        &self,
        attempt: AttemptKey,
        outcome: Outcome,
        now: Timestamp,
    ) -> Reply<'_, ()>;

    /// The client cancels: its grants are cancelled, an upstream authorization that comes back
    /// later is refused, and a session that was redeemed but not reported as kept is ended.
    fn cancel_attempt(&self, attempt: AttemptKey, now: Timestamp) -> Reply<'_, ()>;

    /// Able to do what a refresh needs?
    fn ready(&self, now: Timestamp) -> Reply<'_, ()>;

    /// Whether the files that were opened are still those of their names; nothing is written once
    /// they are not. Cheap, and asks no thread.
    ///
    /// # Errors
    /// [`StorageError::FileReplaced`].
    fn check_files(&self) -> Result<(), StorageError>;

    /// How `now` disagrees with the latest time that the database has seen; `None` if it is
    /// plausible.
    fn clock_doubt(&self, now: Timestamp) -> Option<ClockDoubt>;
}
