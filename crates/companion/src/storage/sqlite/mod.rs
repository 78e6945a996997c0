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

mod apply;
mod audit;
mod columns;
mod events;
mod files;
mod listings;
mod lock;
mod open;
mod place;
mod rows;
mod schema;
mod selected;
mod settings;
mod statement;
mod subjects;
mod submit;
mod sweep;
mod users;
mod values;
mod worker;

use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt as _;

pub use place::check_place;
pub use settings::SqliteSettings;

use super::transitions::{self, Rules, StoredGrant};
use super::{
    EndedSessions, ExchangeStart, Fulfilment, GiveParts, GrantView, Minting, OpenError, RedeemCode,
    Redemption, Reply, ReturnedAuthorization, Revocation, Revoke, RotateRefresh, Rotation,
    SessionsPage, Storage, StorageError, UpstreamSessions,
};
use crate::domain::{
    AttemptKey, AttemptState, CancelledBy, ClockDoubt, EndedBecause, GrantId, ListedSession,
    Outcome, ProblemCode, RefreshRefusal, Session, SessionId, SessionSelector, Timestamp,
    UpstreamIdentity,
};
use apply::apply;
use files::DatabaseFiles;
use worker::{Abandoned, Worker};

/// The SQLite engine. Dropping it finishes what is queued and closes the file.
pub struct SqliteStorage {
    // Order matters: the threads stop before the lock is given up.
    readers: Worker,
    writer: Worker,
    rules: Arc<Rules>,
    files: Arc<DatabaseFiles>,
    _lock: lock::Lock,
}

impl SqliteStorage {
    /// Opens the database, or makes it if there is none. Blocks; call it at start.
    ///
    /// # Errors
    /// [`OpenError`]: nothing was changed and nothing is open.
    pub fn open(
        path: &Path,
        parts: GiveParts<'_>,
        settings: SqliteSettings,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        let (opened, lock) = open::open(path, parts, settings, now)?;
        let io = |cause: std::io::Error| OpenError::Io {
            database: path.display().to_string(),
            cause: cause.to_string(),
        };
        let rules = Arc::new(opened.rules);
        let (queue, group) = (settings.queue, settings.group);
        let maintenance = Some(sweep::maintenance(Arc::clone(&rules)));
        let files = Arc::new(opened.files);
        let in_place = Arc::clone(&files);
        let guard = Some(Box::new(move || in_place.check()) as worker::Guard);
        Ok(Self {
            readers: Worker::readers(opened.readers, queue).map_err(io)?,
            writer: Worker::writer(opened.writer, queue, group, maintenance, guard).map_err(io)?,
            rules,
            files,
            _lock: lock,
        })
    }
}

impl Storage for SqliteStorage {
    fn begin_exchange(
        &self,
        authorization: ReturnedAuthorization,
        now: Timestamp,
    ) -> Reply<'_, ExchangeStart> {
        self.write(now, move |db, rules| {
            let rows = rows::for_begin(db, rules.limits(), &authorization)?;
            apply(db, rules, rules.begin_exchange(&rows, &authorization, now))
        })
    }

    fn fulfil_grant(
        &self,
        grant: GrantId,
        identity: UpstreamIdentity,
        now: Timestamp,
    ) -> Reply<'_, Fulfilment> {
        self.write_anyway(now, move |db, rules| {
            let rows = rows::for_fulfil(db, grant, &identity)?;
            apply(db, rules, rules.fulfil(rows, &identity, now)?)
        })
    }

    fn fail_grant(&self, grant: GrantId, problem: ProblemCode, now: Timestamp) -> Reply<'_, ()> {
        self.write_anyway(now, move |db, rules| {
            apply(db, rules, transitions::fail(rows::find(db, grant)?, &problem, now))
        })
    }

    fn read_grant(&self, grant: GrantId, now: Timestamp) -> Reply<'_, Option<GrantView>> {
        self.read(move |db, rules| {
            let Some(StoredGrant { grant, .. }) = rows::grant(db, grant)? else { return Ok(None) };
            let user = grant.stage.user().map_or(Ok(None), |user| rows::user(db, user))?;
            let attempt = match grant.attempt {
                Some(attempt) => rows::attempt(db, AttemptKey { attempt, jkt: grant.jkt })?,
                None => Default::default(),
            };
            Ok(Some(rules.view(grant, user, attempt, now)))
        })
    }

    fn confirm_grant(&self, grant: GrantId, now: Timestamp) -> Reply<'_, bool> {
        self.write(now, move |db, rules| {
            apply(db, rules, rules.confirm(rows::find(db, grant)?, now))
        })
    }

    fn mint_code(&self, grant: GrantId, now: Timestamp) -> Reply<'_, Minting> {
        self.write(now, move |db, rules| {
            apply(db, rules, rules.mint(rows::grant(db, grant)?, now)?)
        })
    }

    fn cancel_grant(&self, grant: GrantId, by: CancelledBy, now: Timestamp) -> Reply<'_, bool> {
        self.write_anyway(now, move |db, rules| {
            apply(db, rules, transitions::cancel_one(rows::find(db, grant)?, by, now))
        })
    }

    fn redeem_code(&self, redemption: RedeemCode, now: Timestamp) -> Reply<'_, Redemption> {
        self.write(now, move |db, rules| {
            let rows = rows::for_redemption(db, &redemption)?;
            apply(db, rules, rules.redeem(rows, &redemption, now)?)
        })
    }

    fn rotate_refresh(&self, presented: RotateRefresh, now: Timestamp) -> Reply<'_, Rotation> {
        let Some(token) = self.rules.read_token(&presented.token) else {
            let forged = Rotation::Refused(RefreshRefusal::Forged);
            return std::future::ready(Ok(forged)).boxed();
        };
        self.write(now, move |db, rules| {
            let rows = rows::for_rotation(db, token.family)?;
            apply(db, rules, rules.rotate(rows, &token, &presented, now)?)
        })
    }

    fn revoke(&self, revoke: Revoke, client_id: String, now: Timestamp) -> Reply<'_, Revocation> {
        let token = match &revoke {
            Revoke::RefreshToken(text) => match self.rules.read_token(text) {
                None => return std::future::ready(Ok(Revocation::NothingToRevoke)).boxed(),
                token => token,
            },
            Revoke::Session(_) | Revoke::SessionOfKey { .. } => None,
        };
        self.write_anyway(now, move |db, rules| {
            let row = match (token, revoke.session()) {
                (Some(token), _) => rows::session_of(db, token.family)?,
                (None, Some(session)) => rows::session(db, session)?,
                (None, None) => None,
            };
            apply(db, rules, transitions::revoke(row, &client_id, revoke.key(), now))
        })
    }

    fn end_some_sessions(
        &self,
        selector: SessionSelector,
        because: EndedBecause,
        now: Timestamp,
    ) -> Reply<'_, EndedSessions> {
        self.write_anyway(now, move |db, rules| {
            let rows = selected::for_end(db, &selector, Timestamp::MAX)?;
            apply(db, rules, transitions::end_all(rows, &selector, because, now))
        })
    }

    fn list_sessions(
        &self,
        selector: SessionSelector,
        page: SessionsPage,
        now: Timestamp,
    ) -> Reply<'_, Vec<ListedSession>> {
        self.read(move |db, _| selected::listed(db, &selector, page, now))
    }

    fn upstream_sessions(
        &self,
        upstream: &'static str,
        issuer: String,
        after: String,
        now: Timestamp,
    ) -> Reply<'_, Option<UpstreamSessions>> {
        self.read(move |db, _| selected::of_upstream(db, upstream, &issuer, &after, now))
    }

    fn read_session(&self, session: SessionId, now: Timestamp) -> Reply<'_, Option<Session>> {
        self.read(move |db, _| Ok(transitions::alive(rows::session(db, session)?, now)))
    }

    fn attempt_state(&self, attempt: AttemptKey, now: Timestamp) -> Reply<'_, AttemptState> {
        self.read(move |db, rules| {
            let grants = rows::grants_of(db, rules.limits(), attempt)?;
            Ok(rules.attempt_state(&rows::attempt(db, attempt)?, grants, now))
        })
    }

    fn attempt_outcome(
        &self,
        attempt: AttemptKey,
        outcome: Outcome,
        now: Timestamp,
    ) -> Reply<'_, ()> {
        self.write(now, move |db, rules| {
            let rows = rows::for_attempt(db, rules.limits(), attempt)?;
            apply(db, rules, rules.report(rows, attempt, &outcome, now))
        })
    }

    fn cancel_attempt(&self, attempt: AttemptKey, now: Timestamp) -> Reply<'_, ()> {
        self.write(now, move |db, rules| {
            let rows = rows::for_attempt(db, rules.limits(), attempt)?;
            apply(db, rules, rules.cancel_attempt(rows, attempt, now))
        })
    }

    fn ready(&self, _: Timestamp) -> Reply<'_, ()> {
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
        self.rules.clock.doubt(now)
    }
}

impl std::fmt::Debug for SqliteStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteStorage")
    }
}
