//! The SQLite engine: one file, one writer thread that commits in groups (WAL, `synchronous=FULL`:
//! an answer means that the disk has it), a few reader threads. Not for several companions at once:
//! a second engine on one file is refused.
//!
//! An operation whose caller has gone before it began is dropped, see `worker`. That costs nothing
//! where the caller can ask again: a code that was not redeemed, minted or confirmed is still
//! there, a refresh token that was not rotated still rotates, and a cancellation or report of a
//! device that was not heard leaves the attempt to its deadline. What runs in any case is marked
//! so: what a person or a token holder wants ended (revocation, *This was not me*), and what came
//! of an exchange that was sent. The callback begins an exchange in a task of its own, so that
//! caller does not go.

mod attempts;
mod audit;
mod codes;
mod files;
mod grant_row;
mod grants;
mod lock;
mod open;
mod place;
mod rotation;
mod schema;
mod sessions;
mod sweep;
mod users;
mod values;
mod worker;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

pub use open::OpenError;
pub use place::check_place;

use super::{
    ExchangeStart, Fulfilment, GrantView, Minting, RedeemCode, Redemption, Reply,
    ReturnedAuthorization, Revocation, Revoke, RotateRefresh, Rotation, Storage, StorageError,
};
use crate::domain::{
    AttemptKey, AttemptState, AuditLimits, CancelledBy, ClockDoubt, ClockPlausibility,
    FamilyLimits, GrantId, Outcome, ProblemCode, Random, RefreshRefusal, Session, SessionId,
    Timestamp, UpstreamIdentity,
};
use crate::keys::Keys;
use files::DatabaseFiles;
use worker::{Abandoned, Done, Worker};

/// What may be set. The defaults are those of the design.
#[derive(Clone, Copy, Debug)]
pub struct SqliteSettings {
    /// Idle and absolute lifetime of a family.
    pub family: FamilyLimits,
    /// Lifetime of an authorization code: 60 s.
    pub code_lifetime: Duration,
    /// A session without refresh token lives as long as its access token: 300 s.
    pub access_lifetime: Duration,
    /// From the provider's answer to *Continue*: 10 minutes.
    pub hand_off_lifetime: Duration,
    /// After this long an exchange without result counts as interrupted: 2 minutes.
    pub exchange_deadline: Duration,
    /// How long a grant and an attempt are remembered. Longer than a sealed upstream authorization
    /// lives, or a upstream authorization could be used twice: 1 hour.
    pub grant_retention: Duration,
    /// How long the audit table is kept: 400 days.
    pub audit_retention: Duration,
    /// How many audit rows are kept.
    pub audit: AuditLimits,
    /// How many grants, and how many attempts, unauthenticated callers may fill; beyond it the
    /// oldest go early: 50,000.
    pub strangers: usize,
    /// The longest wait for another program's lock on the file: 2 s.
    pub busy_timeout: Duration,
    /// How many calls may queue for the writer, and as many for the readers; one more is answered
    /// [`StorageError::Unavailable`](super::StorageError::Unavailable) at once: 4,096.
    pub queue: usize,
    /// How many threads read: 4.
    pub readers: usize,
    /// How many calls share one commit at most.
    pub group: usize,
}

impl Default for SqliteSettings {
    fn default() -> Self {
        Self {
            family: FamilyLimits::default(),
            code_lifetime: Duration::from_secs(60),
            access_lifetime: Duration::from_secs(300),
            hand_off_lifetime: Duration::from_secs(600),
            exchange_deadline: Duration::from_secs(120),
            grant_retention: Duration::from_secs(3600),
            audit_retention: Duration::from_secs(400 * 24 * 3600),
            audit: AuditLimits::default(),
            strangers: 50_000,
            busy_timeout: open::BUSY_TIMEOUT,
            queue: 4096,
            readers: 4,
            group: 256,
        }
    }
}

/// What every operation needs beside the connection.
struct Context {
    keys: Arc<Keys>,
    random: Arc<dyn Random>,
    settings: SqliteSettings,
    clock: ClockPlausibility,
}

/// The SQLite engine. Dropping it finishes what is queued and closes the file.
pub struct SqliteStorage {
    // Order matters: the threads stop before the lock is given up.
    readers: Worker,
    writer: Worker,
    context: Arc<Context>,
    files: Arc<DatabaseFiles>,
    _lock: lock::Lock,
}

impl SqliteStorage {
    /// Opens the database, or makes it if there is none. Blocks; call it at start.
    pub fn open(
        path: &Path,
        keys: Arc<Keys>,
        random: Arc<dyn Random>,
        settings: SqliteSettings,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        let clock = ClockPlausibility::at_open(None, now);
        let context = Context { keys, random, settings, clock };
        let opened = open::open(path, &context, now)?;
        let clock = opened.clock;
        let context = Arc::new(Context { clock, ..context });
        let io = |cause: std::io::Error| OpenError::Io {
            path: path.to_owned(),
            cause: cause.to_string(),
        };
        let (queue, group) = (settings.queue, settings.group);
        let chore = Some(sweep::chore(settings, clock));
        let files = Arc::new(opened.files);
        let in_place = Arc::clone(&files);
        let guard = Some(Box::new(move || in_place.check()) as worker::Guard);
        Ok(Self {
            readers: Worker::readers(opened.readers, queue).map_err(io)?,
            writer: Worker::writer(opened.writer, queue, group, chore, guard).map_err(io)?,
            context,
            files,
            _lock: opened.lock,
        })
    }

    fn write<T: Send + 'static>(
        &self,
        now: Timestamp,
        body: impl FnOnce(&rusqlite::Connection, &Context) -> Done<T> + Send + 'static,
    ) -> Reply<'_, T> {
        let context = Arc::clone(&self.context);
        self.writer.submit(Some(now), Abandoned::Drop, move |db| body(db, &context))
    }

    /// Runs even if its caller goes.
    fn write_anyway<T: Send + 'static>(
        &self,
        now: Timestamp,
        body: impl FnOnce(&rusqlite::Connection, &Context) -> Done<T> + Send + 'static,
    ) -> Reply<'_, T> {
        let context = Arc::clone(&self.context);
        self.writer.submit(Some(now), Abandoned::Run, move |db| body(db, &context))
    }

    fn read<T: Send + 'static>(
        &self,
        body: impl FnOnce(&rusqlite::Connection, &Context) -> Done<T> + Send + 'static,
    ) -> Reply<'_, T> {
        let context = Arc::clone(&self.context);
        self.readers.submit(None, Abandoned::Drop, move |db| body(db, &context))
    }
}

impl Storage for SqliteStorage {
    fn begin_exchange(
        &self,
        authorization: ReturnedAuthorization,
        now: Timestamp,
    ) -> Reply<'_, ExchangeStart> {
        self.write(now, move |db, context| grants::begin_exchange(db, context, authorization, now))
    }

    fn fulfil_grant(
        &self,
        grant: GrantId,
        identity: UpstreamIdentity,
        now: Timestamp,
    ) -> Reply<'_, Fulfilment> {
        self.write_anyway(now, move |db, context| {
            grants::fulfil(db, context, grant, &identity, now)
        })
    }

    fn fail_grant(&self, grant: GrantId, problem: ProblemCode, now: Timestamp) -> Reply<'_, ()> {
        self.write_anyway(now, move |db, context| grants::fail(db, context, grant, &problem, now))
    }

    fn read_grant(&self, grant: GrantId, now: Timestamp) -> Reply<'_, Option<GrantView>> {
        self.read(move |db, context| grants::read(db, context, grant, now))
    }

    fn confirm_grant(&self, grant: GrantId, now: Timestamp) -> Reply<'_, bool> {
        self.write(now, move |db, context| grants::confirm(db, context, grant, now))
    }

    fn mint_code(&self, grant: GrantId, now: Timestamp) -> Reply<'_, Minting> {
        self.write(now, move |db, context| grants::mint_code(db, context, grant, now))
    }

    fn cancel_grant(&self, grant: GrantId, by: CancelledBy, now: Timestamp) -> Reply<'_, bool> {
        self.write_anyway(now, move |db, context| match grant_row::find(db, grant)? {
            Some(grant) => Ok(grants::cancel(db, context, grant, by, now)?),
            None => Ok(false),
        })
    }

    fn redeem_code(&self, redemption: RedeemCode, now: Timestamp) -> Reply<'_, Redemption> {
        self.write(now, move |db, context| codes::redeem(db, context, &redemption, now))
    }

    fn rotate_refresh(&self, presented: RotateRefresh, now: Timestamp) -> Reply<'_, Rotation> {
        let Ok(token) = self.context.keys.read_refresh_token(&presented.token) else {
            let forged = Rotation::Refused(RefreshRefusal::Forged);
            return std::future::ready(Ok(forged)).boxed();
        };
        self.write(now, move |db, context| {
            rotation::present(db, context, &token, &presented.client_id, presented.jkt, now)
        })
    }

    fn revoke(&self, revoke: Revoke, client_id: String, now: Timestamp) -> Reply<'_, Revocation> {
        let family = match &revoke {
            Revoke::Session(_) => None,
            Revoke::RefreshToken(text) => match self.context.keys.read_refresh_token(text) {
                Ok(token) => Some(token.family),
                Err(_) => return std::future::ready(Ok(Revocation::NothingToRevoke)).boxed(),
            },
        };
        self.write_anyway(now, move |db, context| {
            let session = match (family, revoke) {
                (Some(family), _) => rotation::session_of(db, family)?,
                (None, Revoke::Session(session)) => Some(session),
                (None, Revoke::RefreshToken(_)) => None,
            };
            sessions::revoke(db, context, session, &client_id, now)
        })
    }

    fn read_session(&self, session: SessionId, now: Timestamp) -> Reply<'_, Option<Session>> {
        self.read(move |db, _| Ok(sessions::find_alive(db, session, now)?))
    }

    fn attempt_state(&self, attempt: AttemptKey, now: Timestamp) -> Reply<'_, AttemptState> {
        self.read(move |db, context| attempts::state(db, context, attempt, now))
    }

    fn attempt_outcome(
        &self,
        attempt: AttemptKey,
        outcome: Outcome,
        now: Timestamp,
    ) -> Reply<'_, ()> {
        self.write(now, move |db, context| attempts::report(db, context, attempt, &outcome, now))
    }

    fn cancel_attempt(&self, attempt: AttemptKey, now: Timestamp) -> Reply<'_, ()> {
        self.write(now, move |db, context| attempts::cancel(db, context, attempt, now))
    }

    fn ready(&self) -> Reply<'_, ()> {
        // A real write: a full disk reads well.
        self.writer.submit(None, Abandoned::Drop, |db| {
            db.prepare_cached("UPDATE binding SET probes = probes + 1")?.execute([])?;
            Ok(())
        })
    }

    fn check_files(&self) -> Result<(), StorageError> {
        self.files.check()
    }

    fn clock_doubt(&self, now: Timestamp) -> Option<ClockDoubt> {
        self.context.clock.doubt(now)
    }
}

impl std::fmt::Debug for SqliteStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteStorage")
    }
}
