//! How operations reach the threads of the engine.

use std::sync::Arc;

use rusqlite::Connection;

use super::SqliteStorage;
use super::worker::{Abandoned, Done};
use crate::domain::Timestamp;
use crate::keys::Keys;
use crate::storage::Reply;
use crate::storage::transitions::Rules;

impl SqliteStorage {
    /// The keys that were given to it.
    pub(in crate::storage) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.rules.parts.keys)
    }

    pub(super) fn write<T: Send + 'static>(
        &self,
        now: Timestamp,
        body: impl FnOnce(&Connection, &Rules) -> Done<T> + Send + 'static,
    ) -> Reply<'_, T> {
        let rules = Arc::clone(&self.rules);
        self.writer.submit(Some(now), Abandoned::Drop, move |db| body(db, &rules))
    }

    /// Runs even if its caller goes.
    pub(super) fn write_anyway<T: Send + 'static>(
        &self,
        now: Timestamp,
        body: impl FnOnce(&Connection, &Rules) -> Done<T> + Send + 'static,
    ) -> Reply<'_, T> {
        let rules = Arc::clone(&self.rules);
        self.writer.submit(Some(now), Abandoned::Run, move |db| body(db, &rules))
    }

    pub(super) fn read<T: Send + 'static>(
        &self,
        body: impl FnOnce(&Connection, &Rules) -> Done<T> + Send + 'static,
    ) -> Reply<'_, T> {
        let rules = Arc::clone(&self.rules);
        self.readers.submit(None, Abandoned::Drop, move |db| body(db, &rules))
    }
}
