//! The PostgreSQL engine: for several companions at once. Each operation is one transaction at READ
//! COMMITTED; the rows that decide are locked first (`rows`), and an answer comes after the commit.
//!
//! Each transaction also asks whether tables and clock fit (`guard`). One row holds one connection
//! of an instance at most (`turns`).
//!
//! A server that restarts, is full or does not answer is [`StorageError::Unavailable`] and never a
//! refusal. Where a connection is lost during a commit, whether it happened is not known: the
//! caller asks again, and the rules answer the same ("the same child again", "already minted").

mod advisory;
mod apply;
mod audit;
mod columns;
mod connect;
mod engine;
mod events;
mod failure;
mod guard;
mod listings;
mod open;
mod operations;
mod rows;
mod schema;
mod selected;
mod settings;
mod statement;
mod subjects;
mod sweep;
mod tls;
mod turns;
mod users;
mod values;

use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use futures_util::future::{try_join, try_join3};

use super::transitions::{self, StoredGrant, SweepSchedule};
use super::{
    EndedSessions, ExchangeStart, Fulfilment, GiveParts, GrantView, Minting, OpenError, RedeemCode,
    Redemption, Reply, ReturnedAuthorization, Revocation, Revoke, RotateRefresh, Rotation,
    SessionsPage, Storage, StorageError, UpstreamSessions,
};
use crate::config::PostgresAddress;
use crate::domain::{
    Attempt, AttemptKey, AttemptState, CancelledBy, ClockDoubt, EndedBecause, GrantId,
    ListedSession, Outcome, ProblemCode, RefreshRefusal, Session, SessionId, SessionSelector,
    Timestamp, UpstreamIdentity,
};
use crate::keys::Keys;
use engine::{Engine, storage_error, within};
use failure::Done;
use operations::{
    BeginExchange, Cancel, CancelAttempt, Confirm, Fail, Fulfil, Mint, Operation, Report,
    RevokeSession, Revoked, Rotate,
};
use selected::EndSessions;
pub use settings::PostgresSettings;
use turns::Turns;

/// `/ready` says soon that a table cannot be used.
const READY_LOCKS: &str = "SET LOCAL lock_timeout = 1000";
/// A real write: a full disk and a standby read well. A row that another session holds is left to
/// it, since no refresh waits for that one.
const READY_WRITE: &str = "UPDATE binding SET probes = probes + 1
     WHERE singleton IN (SELECT singleton FROM binding FOR UPDATE SKIP LOCKED)";

/// The PostgreSQL engine. Dropping it closes its connections.
pub struct PostgresStorage(Arc<Engine>);

impl PostgresStorage {
    /// Connects, and brings the schema up to date under a lock that all companions share.
    ///
    /// # Errors
    /// [`OpenError`]: nothing was changed.
    pub async fn open(
        address: &PostgresAddress,
        parts: GiveParts<'_>,
        settings: PostgresSettings,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        let open::Opened { pool, rules, guard } = open::open(address, parts, settings, now).await?;
        let (schedule, turns) = (Mutex::new(SweepSchedule::default()), Turns::default());
        Ok(Self(Arc::new(Engine { pool, rules, settings, schedule, guard, turns })))
    }

    /// The keys that were given to it.
    pub(super) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.rules.parts.keys)
    }

    /// Runs an operation for as long as its caller waits.
    fn write<O: Operation>(&self, operation: O, now: Timestamp) -> Reply<'_, O::Answer> {
        let engine = Arc::clone(&self.0);
        async move { engine.run(&operation, now).await }.boxed()
    }

    /// Runs an operation even if its caller goes.
    fn write_anyway<O: Operation>(&self, operation: O, now: Timestamp) -> Reply<'_, O::Answer> {
        let engine = Arc::clone(&self.0);
        let running = tokio::spawn(async move { engine.run(&operation, now).await });
        async move {
            running.await.unwrap_or_else(|_| {
                Err(StorageError::Unavailable("the operation was stopped".into()))
            })
        }
        .boxed()
    }

    fn read<T: Send>(
        &self,
        reading: impl Future<Output = Done<T>> + Send + 'static,
    ) -> Reply<'_, T> {
        let limit = self.0.settings.operation_timeout;
        async move { within(limit, reading).await.map_err(storage_error) }.boxed()
    }
}

impl Storage for PostgresStorage {
    fn begin_exchange(
        &self,
        authorization: ReturnedAuthorization,
        now: Timestamp,
    ) -> Reply<'_, ExchangeStart> {
        self.write(BeginExchange(authorization), now)
    }

    fn fulfil_grant(
        &self,
        grant: GrantId,
        identity: UpstreamIdentity,
        now: Timestamp,
    ) -> Reply<'_, Fulfilment> {
        self.write_anyway(Fulfil { grant, identity }, now)
    }

    fn fail_grant(&self, grant: GrantId, problem: ProblemCode, now: Timestamp) -> Reply<'_, ()> {
        self.write_anyway(Fail { grant, problem }, now)
    }

    fn read_grant(&self, grant: GrantId, now: Timestamp) -> Reply<'_, Option<GrantView>> {
        let engine = Arc::clone(&self.0);
        self.read(async move {
            let db = engine.pool.get().await?;
            let read = try_join(engine.check(&db, now), rows::grant(&db, grant)).await?;
            let ((), Some(StoredGrant { grant, .. })) = read else { return Ok(None) };
            let user = match grant.stage.user() {
                Some(user) => rows::user(&db, user).await?,
                None => None,
            };
            let attempt = match grant.attempt {
                Some(attempt) => rows::attempt(&db, AttemptKey { attempt, jkt: grant.jkt }).await?,
                None => Attempt::default(),
            };
            Ok(Some(engine.rules.view(grant, user, attempt, now)))
        })
    }

    fn confirm_grant(&self, grant: GrantId, now: Timestamp) -> Reply<'_, bool> {
        self.write(Confirm(grant), now)
    }

    fn mint_code(&self, grant: GrantId, now: Timestamp) -> Reply<'_, Minting> {
        self.write(Mint(grant), now)
    }

    fn cancel_grant(&self, grant: GrantId, by: CancelledBy, now: Timestamp) -> Reply<'_, bool> {
        self.write_anyway(Cancel { grant, by }, now)
    }

    fn redeem_code(&self, redemption: RedeemCode, now: Timestamp) -> Reply<'_, Redemption> {
        self.write(redemption, now)
    }

    fn rotate_refresh(&self, request: RotateRefresh, now: Timestamp) -> Reply<'_, Rotation> {
        match self.0.rules.read_token(&request.token) {
            Some(token) => self.write(Rotate { token, request }, now),
            None => {
                let forged = Rotation::Refused(RefreshRefusal::Forged);
                std::future::ready(Ok(forged)).boxed()
            }
        }
    }

    fn revoke(&self, revoke: Revoke, client_id: String, now: Timestamp) -> Reply<'_, Revocation> {
        let of = match &revoke {
            Revoke::RefreshToken(text) => self.0.rules.read_token(text).map(Revoked::Family),
            named => named.session().map(|session| Revoked::Session(session, named.key())),
        };
        match of {
            Some(of) => self.write_anyway(RevokeSession { of, client_id }, now),
            None => std::future::ready(Ok(Revocation::NothingToRevoke)).boxed(),
        }
    }

    fn end_some_sessions(
        &self,
        selector: SessionSelector,
        because: EndedBecause,
        now: Timestamp,
    ) -> Reply<'_, EndedSessions> {
        self.write_anyway(EndSessions { selector, because }, now)
    }

    fn list_sessions(
        &self,
        selector: SessionSelector,
        page: SessionsPage,
        now: Timestamp,
    ) -> Reply<'_, Vec<ListedSession>> {
        let engine = Arc::clone(&self.0);
        self.read(async move {
            let db = engine.pool.get().await?;
            let listed = selected::listed(&db, &selector, page, now);
            let ((), listed) = try_join(engine.check(&db, now), listed).await?;
            Ok(listed)
        })
    }

    fn upstream_sessions(
        &self,
        upstream: &'static str,
        issuer: String,
        after: String,
        now: Timestamp,
    ) -> Reply<'_, Option<UpstreamSessions>> {
        let engine = Arc::clone(&self.0);
        self.read(async move {
            let db = engine.pool.get().await?;
            let found = selected::of_upstream(&db, upstream, &issuer, &after, now);
            Ok(try_join(engine.check(&db, now), found).await?.1)
        })
    }

    fn read_session(&self, session: SessionId, now: Timestamp) -> Reply<'_, Option<Session>> {
        let engine = Arc::clone(&self.0);
        self.read(async move {
            let db = engine.pool.get().await?;
            let ((), row) = try_join(engine.check(&db, now), rows::session(&db, session)).await?;
            Ok(transitions::alive(row, now))
        })
    }

    fn attempt_state(&self, key: AttemptKey, now: Timestamp) -> Reply<'_, AttemptState> {
        let engine = Arc::clone(&self.0);
        self.read(async move {
            let db = engine.pool.get().await?;
            let ((), attempt, grants) = try_join3(
                engine.check(&db, now),
                rows::attempt(&db, key),
                rows::grants_of(&db, engine.rules.limits(), key),
            )
            .await?;
            Ok(engine.rules.attempt_state(&attempt, grants, now))
        })
    }

    fn attempt_outcome(&self, key: AttemptKey, outcome: Outcome, now: Timestamp) -> Reply<'_, ()> {
        self.write(Report { key, outcome }, now)
    }

    fn cancel_attempt(&self, attempt: AttemptKey, now: Timestamp) -> Reply<'_, ()> {
        self.write(CancelAttempt(attempt), now)
    }

    fn ready(&self, now: Timestamp) -> Reply<'_, ()> {
        let engine = Arc::clone(&self.0);
        self.read(async move {
            let mut connection = engine.pool.get().await?;
            let db = connection.transaction().await?;
            db.batch_execute(READY_LOCKS).await?;
            engine.check(&db, now).await?;
            db.batch_execute(&schema::probe()).await?;
            statement::execute(&db, READY_WRITE, &[]).await?;
            Ok(db.commit().await?)
        })
    }

    fn check_files(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn clock_doubt(&self, now: Timestamp) -> Option<ClockDoubt> {
        self.0.rules.clock.doubt(now)
    }
}

impl std::fmt::Debug for PostgresStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostgresStorage")
    }
}
