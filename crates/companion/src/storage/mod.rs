//! What the companion remembers: one asynchronous call per transition, time passed in, answered
//! only after the commit.
//!
//! The rules are those of [`crate::domain`]; an engine keeps them under crashes and concurrency,
//! and every engine passes the suite in `tests/storage`. Codes and tokens are stored as hashes
//! only; a child of a refresh token is sealed under its parent. An engine that fails answers
//! [`StorageError`], which is a 503 and never an `invalid_grant`.

mod open;
mod postgres;
mod select;
mod sqlite;
mod transitions;

use futures_util::future::BoxFuture;

use crate::domain::{
    AttemptId, AttemptKey, AttemptState, BrowserHash, CancelledBy, ClockDoubt, Grant, GrantId,
    IssuedSession, Outcome, ProblemCode, RefreshRefusal, RequestId, Scope, SecretText, Session,
    SessionId, Thumbprint, Timestamp, UpstreamAuthorizationId, UpstreamIdentity, User,
};
use crate::keys::AuthorizationCode;

pub use open::{GiveParts, OpenError, check_place, open};
pub use postgres::{PostgresSettings, PostgresStorage};
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

/// An opened upstream authorization whose callback has come back with matching state and cookie.
#[derive(Debug)]
pub struct ReturnedAuthorization {
    /// Drawn at authorize; one upstream exchange per upstream authorization.
    pub id: UpstreamAuthorizationId,
    /// Drawn at PAR; one fulfilled upstream authorization per request.
    pub request: RequestId,
    /// The client's attempt, if it pushed one.
    pub attempt: Option<AttemptId>,
    /// The device key proved at PAR.
    pub jkt: Thumbprint,
    /// The hash of the browser's cookie.
    pub browser: BrowserHash,
    /// The client.
    pub client_id: String,
    /// As pushed.
    pub redirect_uri: String,
    /// The client's own `state`, stored sealed until the code is minted.
    pub state: SecretText,
    /// As pushed, S256.
    pub code_challenge: String,
    /// The granted scope.
    pub scope: Scope,
    /// What the device says of itself.
    pub device_name: Option<String>,
}

/// May the upstream exchange be sent?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExchangeStart {
    /// Yes, once, by this caller: it is journalled and committed.
    Started(GrantId),
    /// No: this upstream authorization was used, or another upstream authorization of the request
    /// was fulfilled. Show that grant.
    AlreadyStarted(GrantId),
    /// No: the client has cancelled the attempt.
    Cancelled,
    /// No: the request or the attempt has as many grants as it may have
    /// ([`Limits`](crate::domain::Limits)).
    TooMany,
}

/// What came of an exchange that the provider has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fulfilment {
    /// The grant is fulfilled.
    Fulfilled {
        /// True if this device key has signed this user in before.
        device_known: bool,
    },
    /// Another upstream authorization of the same request was faster; show that grant.
    Superseded(GrantId),
    /// The grant was cancelled or failed meanwhile, or it is not known (any more).
    Ended,
}

/// A grant as the hand-off page needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantView {
    /// The grant.
    pub grant: Grant,
    /// Who signed in, once that is known.
    pub user: Option<User>,
    /// What the device said became of it, where the client has pushed an attempt.
    pub outcome: Option<Outcome>,
}

/// What the redirect back to the app is made of.
#[derive(Debug)]
pub enum Minting {
    /// The code, this once.
    Minted {
        /// The code.
        code: AuthorizationCode,
        /// Where it goes.
        redirect_uri: String,
        /// The client's own `state`.
        state: SecretText,
    },
    /// The person has not pressed *Continue* on a device that is new to this user.
    NotConfirmed,
    /// It was minted before: show status only.
    AlreadyMinted,
    /// Not fulfilled, too late, failed or cancelled.
    Ended,
}

/// A code presented at the token endpoint, beside a valid proof.
#[derive(Debug)]
pub struct RedeemCode {
    /// The code as received.
    pub code: AuthorizationCode,
    /// The client that says it owns it.
    pub client_id: String,
    /// The key of the proof.
    pub jkt: Thumbprint,
    /// `code_verifier` as received.
    pub verifier: SecretText,
    /// `redirect_uri`, if it was sent.
    pub redirect_uri: Option<String>,
}

/// What became of a code.
#[derive(Debug)]
pub enum Redemption {
    /// A session.
    Redeemed(Box<IssuedSession>),
    /// `invalid_grant`; the reason is for the log.
    Refused(CodeRefusal),
}

/// Why a code is refused. Each is `invalid_grant` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefusal {
    /// No such code (any more). Nothing changed.
    Unknown,
    /// Another client or device key than the code was minted for. Nothing changed.
    WrongDeviceKey,
    /// The right key with a wrong code verifier or redirect URI. The code is burnt.
    WrongVerifier,
    /// The 60 seconds are over.
    Expired,
    /// The grant was cancelled or the code was burnt.
    Cancelled,
    /// The code was redeemed before; what it gave is revoked now.
    Replayed,
}

/// A refresh token presented at the token endpoint, beside a valid proof.
#[derive(Debug)]
pub struct RotateRefresh {
    /// The token as received.
    pub token: SecretText,
    /// The client that says it owns it.
    pub client_id: String,
    /// The key of the proof.
    pub jkt: Thumbprint,
}

/// What became of a refresh.
#[derive(Debug)]
pub enum Rotation {
    /// The session, and the one child of the presented token.
    Rotated(Box<IssuedSession>),
    /// `invalid_grant`; the reason is for the log.
    Refused(RefreshRefusal),
}

/// What the client wants revoked (RFC 7009).
#[derive(Debug)]
pub enum Revoke {
    /// A refresh token of any generation, as received.
    RefreshToken(SecretText),
    /// The session of an access token that has been verified.
    Session(SessionId),
}

/// What a revocation did; the wire answer is 200 in both cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The session was alive and is over.
    Revoked(SessionId),
    /// There was nothing alive of this client to revoke.
    NothingToRevoke,
}

/// What the companion remembers. One call per transition; each call is answered after its commit.
pub trait Storage: Send + Sync {
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
