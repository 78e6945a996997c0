//! Takes dead rows away inside the commits that happen anyway: a few per table and commit, so that no commit waits for
//! a great clean-up. Nothing asks whether a row was swept: what has expired is refused by its deadline, swept or not.
//! What people who never signed in can make us write is capped too, so that a flood costs no disk.

use std::time::Duration;

use rusqlite::{Connection, ToSql};

use super::worker::{Chore, Done};
use crate::domain::Timestamp;

const INTERVAL: Duration = Duration::from_secs(10);
/// Rows of one table a quiet commit may sweep; a busy one sweeps twice what it may have written.
const ROWS: usize = 64;

/// `?1` now, `?2` how many, `?3` the oldest instant the audit table goes back to, `?4` the cap for strangers.
const TABLES: [&str; 7] = [
    "DELETE FROM grants WHERE rowid IN
         (SELECT rowid FROM grants WHERE sweep_at <= ?1 LIMIT ?2)",
    "DELETE FROM attempts WHERE rowid IN
         (SELECT rowid FROM attempts WHERE sweep_at <= ?1 LIMIT ?2)",
    "DELETE FROM sessions WHERE rowid IN
         (SELECT rowid FROM sessions WHERE deadline <= ?1 LIMIT ?2)",
    "DELETE FROM audit WHERE id IN
         (SELECT id FROM audit WHERE at <= ?3 ORDER BY at LIMIT ?2)",
    "DELETE FROM grants WHERE rowid IN
         (SELECT rowid FROM grants WHERE fulfilled_at IS NULL AND stage <> 'pending'
          ORDER BY sweep_at DESC LIMIT ?2 OFFSET ?4)",
    "DELETE FROM attempts WHERE rowid IN
         (SELECT rowid FROM attempts WHERE outcome IS NULL
          ORDER BY sweep_at DESC LIMIT ?2 OFFSET ?4)",
    "DELETE FROM audit WHERE id IN
         (SELECT id FROM audit WHERE user_id IS NULL AND session_id IS NULL
          ORDER BY at DESC LIMIT ?2 OFFSET ?4)",
];

/// A chore that sweeps every ten seconds, and with every commit while there is more to sweep.
pub(super) fn chore(audit_retention: Duration, strangers: usize) -> Chore {
    let mut next = Timestamp::from_seconds(i64::MIN);
    Box::new(move |db, now, operations| {
        // The clock may have gone back.
        if now.has_reached(next) || !now.plus(INTERVAL).has_reached(next) {
            let rows = ROWS.max(2 * operations);
            let full = sweep(db, now, rows, now.minus(audit_retention), strangers)?;
            next = if full { now } else { now.plus(INTERVAL) };
        }
        Ok(())
    })
}

/// True if there may be more.
fn sweep(
    db: &Connection,
    now: Timestamp,
    rows: usize,
    audit_before: Timestamp,
    strangers: usize,
) -> Done<bool> {
    let values: [&dyn ToSql; 4] = [&now, &rows, &audit_before, &strangers];
    let mut full = false;
    for delete in TABLES {
        let mut statement = db.prepare_cached(delete)?;
        for (number, value) in (1..).zip(values).take(statement.parameter_count()) {
            statement.raw_bind_parameter(number, value)?;
        }
        full |= statement.raw_execute()? == rows;
    }
    Ok(full)
}
