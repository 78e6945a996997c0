//! Takes dead rows away inside the commits that happen anyway: a few per table and commit, so that no commit waits for
//! a great clean-up. Nothing asks whether a row was swept: what has expired is refused by its deadline, swept or not.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::worker::{Chore, Done};
use crate::domain::Timestamp;

const INTERVAL: Duration = Duration::from_secs(10);
const ROWS: usize = 64;

const TABLES: [&str; 4] = [
    "DELETE FROM grants WHERE rowid IN
         (SELECT rowid FROM grants WHERE sweep_at <= ?1 LIMIT ?2)",
    "DELETE FROM attempts WHERE rowid IN
         (SELECT rowid FROM attempts WHERE sweep_at <= ?1 LIMIT ?2)",
    "DELETE FROM sessions WHERE rowid IN
         (SELECT rowid FROM sessions WHERE deadline <= ?1 LIMIT ?2)",
    "DELETE FROM audit WHERE id IN
         (SELECT id FROM audit WHERE at <= ?3 ORDER BY at LIMIT ?2)",
];

/// A chore that sweeps every ten seconds, and with every commit while there is more to sweep.
pub(super) fn chore(audit_retention: Duration) -> Chore {
    let mut next = Timestamp::from_seconds(i64::MIN);
    Box::new(move |db, now| {
        if now.has_reached(next) {
            let full = sweep(db, now, now.minus(audit_retention))?;
            next = if full { now } else { now.plus(INTERVAL) };
        }
        Ok(())
    })
}

/// True if there may be more.
fn sweep(db: &Connection, now: Timestamp, audit_before: Timestamp) -> Done<bool> {
    let mut full = false;
    for delete in TABLES {
        let mut statement = db.prepare_cached(delete)?;
        let rows = if delete.contains("?3") {
            statement.execute(params![now, ROWS, audit_before])?
        } else {
            statement.execute(params![now, ROWS])?
        };
        full |= rows == ROWS;
    }
    Ok(full)
}
