//! One operation as one transaction, begun again where another one was faster; and sweeping beside
//! it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::{GenericClient, Pool};
use futures_util::future::try_join;

use super::failure::{Done, Failure};
use super::guard::Guard;
use super::operations::Operation;
use super::turns::Turns;
use super::{PostgresSettings, apply, sweep};
use crate::domain::Timestamp;
use crate::storage::StorageError;
use crate::storage::transitions::{Rules, SweepSchedule};

/// How often an operation begins again because another transaction was faster. Each conflict is one
/// other transaction's success.
const TRIES: usize = 32;

/// What the operations share.
pub(super) struct Engine {
    pub(super) pool: Pool,
    pub(super) rules: Rules,
    pub(super) settings: PostgresSettings,
    pub(super) schedule: Mutex<SweepSchedule>,
    pub(super) guard: Guard,
    pub(super) turns: Turns,
}

/// A conflict that was not resolved is a server that is unavailable.
pub(super) fn storage_error(failure: Failure) -> StorageError {
    match failure {
        Failure::Conflict(text) => StorageError::Unavailable(text),
        Failure::Final(error) => error,
    }
}

pub(super) async fn within<T>(limit: Duration, work: impl Future<Output = Done<T>>) -> Done<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(StorageError::Unavailable("the server did not answer in time".into()).into()),
    }
}

impl Engine {
    pub(super) async fn run<O: Operation>(
        self: &Arc<Self>,
        operation: &O,
        now: Timestamp,
    ) -> Result<O::Answer, StorageError> {
        let place = self.turns.place(operation.row());
        let work = async {
            let _turn = place.turn().await;
            let mut tries = 0;
            loop {
                match self.attempt(operation, now).await {
                    Err(Failure::Conflict(_)) if tries < TRIES => tries += 1,
                    done => return done,
                }
            }
        };
        let done = within(self.settings.operation_timeout, work).await.map_err(storage_error);
        if done.is_ok() {
            self.sweep_if_due(now);
        }
        done
    }

    /// Polled before the first question of its transaction, so that it is asked before that.
    pub(super) async fn check(&self, db: &impl GenericClient, now: Timestamp) -> Done<()> {
        self.guard.ask(db, &self.rules.parts, now).await
    }

    async fn attempt<O: Operation>(&self, operation: &O, now: Timestamp) -> Done<O::Answer> {
        let mut connection = self.pool.get().await?;
        let transaction = connection.transaction().await?;
        let decide = operation.decide(&transaction, &self.rules, now);
        let ((), decision) = try_join(self.check(&transaction, now), decide).await?;
        let answer = apply::apply(&transaction, &self.rules, decision).await?;
        transaction.commit().await?;
        Ok(answer)
    }

    /// Sweeps beside the operation that noticed it; whoever waits for that does not wait for this.
    fn sweep_if_due(self: &Arc<Self>, now: Timestamp) {
        let mut schedule = self.schedule.lock().unwrap_or_else(PoisonError::into_inner);
        if !schedule.is_due(now) {
            return;
        }
        *schedule = SweepSchedule::after(now, false);
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            let swept = within(engine.settings.operation_timeout, sweep::sweep(&engine, now));
            match swept.await {
                Ok(has_more) => {
                    let mut schedule =
                        engine.schedule.lock().unwrap_or_else(PoisonError::into_inner);
                    *schedule = SweepSchedule::after(now, has_more);
                }
                Err(failure) => {
                    let cause = storage_error(failure);
                    tracing::warn!(%cause, "rows that are over could not be deleted");
                }
            }
        });
    }
}
