//! Deletes what [`Retention`] names inside the commits that happen anyway: a few rows for each
//! table and commit, so that no commit waits for a great clean-up.

use std::sync::Arc;

use rusqlite::{Connection, ToSql};

use super::audit;
use super::worker::{Done, Maintenance};
use crate::domain::Timestamp;
use crate::storage::transitions::{Over, Retention, Rules, SweepSchedule};

/// Rows of one table a quiet commit may sweep; a busy one sweeps twice what it may have written.
const ROWS: usize = 64;

/// What is over. `?1` now, `?2` how many rows, `?3` the last sight of a device key that is too old,
/// `?4` the same of a subject, `?5` of an event that was taken.
const OVER: [&str; 6] = [
    "DELETE FROM grants WHERE rowid IN
         (SELECT rowid FROM grants WHERE sweep_at <= ?1 LIMIT ?2)",
    "DELETE FROM attempts WHERE rowid IN
         (SELECT rowid FROM attempts WHERE sweep_at <= ?1 LIMIT ?2)",
    "DELETE FROM sessions WHERE rowid IN
         (SELECT rowid FROM sessions WHERE deadline <= ?1 LIMIT ?2)",
    "DELETE FROM device_keys WHERE rowid IN
         (SELECT rowid FROM device_keys WHERE last_seen <= ?3 LIMIT ?2)",
    "DELETE FROM upstream_subjects WHERE rowid IN
         (SELECT rowid FROM upstream_subjects WHERE seen_at <= ?4 LIMIT ?2)",
    "DELETE FROM upstream_events WHERE rowid IN
         (SELECT rowid FROM upstream_events WHERE taken_at <= ?5 LIMIT ?2)",
];

/// What is too much. `?1` how many rows, `?2` how many stay.
const TOO_MANY: [&str; 2] = [
    "DELETE FROM grants WHERE rowid IN
         (SELECT rowid FROM grants WHERE fulfilled_at IS NULL AND stage <> 'pending'
          ORDER BY sweep_at DESC LIMIT ?1 OFFSET ?2)",
    "DELETE FROM attempts WHERE rowid IN
         (SELECT rowid FROM attempts WHERE outcome IS NULL
          ORDER BY sweep_at DESC LIMIT ?1 OFFSET ?2)",
];

/// Sweeps when the schedule says so, and with every commit while there is more to delete. It keeps
/// the latest plausible time as well, from which the next start judges its clock.
pub(super) fn maintenance(rules: Arc<Rules>) -> Maintenance {
    let mut schedule = SweepSchedule::default();
    Box::new(move |db, now, operations| {
        if schedule.is_due(now) {
            let rows = ROWS.max(2 * operations);
            let has_more = sweep(db, &rules, rules.retention(now), rows)?;
            schedule = SweepSchedule::after(now, has_more);
        }
        Ok(())
    })
}

/// Deletes at most `rows` rows of each table for each reason. True if there may be more.
fn sweep(db: &Connection, rules: &Rules, retention: Retention, rows: usize) -> Done<bool> {
    let mut full = false;
    if let Some(over) = retention.over {
        full |= delete_over(db, over, rows)?;
        remember_time(db, over.now)?;
    }
    for delete in TOO_MANY {
        let values = [rows, retention.unauthenticated_rows];
        full |= db.prepare_cached(delete)?.execute(values)? == rows;
    }
    let audit_before = retention.over.map(|over| over.audit);
    full |= audit::sweep(db, &rules.limits().audit, audit_before, rows)?;
    Ok(full)
}

/// Keeps the latest time that was plausible.
pub(super) fn remember_time(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE binding SET latest_seen = ?1")?.execute([now]).map(drop)
}

/// True if there may be more.
fn delete_over(db: &Connection, over: Over, rows: usize) -> rusqlite::Result<bool> {
    let values: [&dyn ToSql; 5] = [&over.now, &rows, &over.device_keys, &over.audit, &over.events];
    let mut full = false;
    for delete in OVER {
        let mut statement = db.prepare_cached(delete)?;
        for (number, value) in (1..).zip(values).take(statement.parameter_count()) {
            statement.raw_bind_parameter(number, value)?;
        }
        full |= statement.raw_execute()? == rows;
    }
    Ok(full)
}
