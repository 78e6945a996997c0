//! Takes dead rows away inside the commits that happen anyway: a few per table and commit, so that
//! no commit waits for a great clean-up. Nothing asks whether a row was swept: what has expired is
//! refused by its deadline, swept or not. What unauthenticated callers can make us write is capped
//! too, so that a flood costs no disk. While the clock is in doubt, nothing is deleted for its age;
//! the caps hold.

use std::time::Duration;

use rusqlite::{Connection, ToSql};

use super::worker::{Chore, Done};
use super::{SqliteSettings, audit};
use crate::domain::{ClockPlausibility, Timestamp};

const INTERVAL: Duration = Duration::from_secs(10);
/// Rows of one table a quiet commit may sweep; a busy one sweeps twice what it may have written.
const ROWS: usize = 64;

/// What is over. `?1` now, `?2` how many rows, `?3` the last sight of a device key that is too old.
const OVER: [&str; 4] = [
    "DELETE FROM grants WHERE rowid IN
         (SELECT rowid FROM grants WHERE sweep_at <= ?1 LIMIT ?2)",
    "DELETE FROM attempts WHERE rowid IN
         (SELECT rowid FROM attempts WHERE sweep_at <= ?1 LIMIT ?2)",
    "DELETE FROM sessions WHERE rowid IN
         (SELECT rowid FROM sessions WHERE deadline <= ?1 LIMIT ?2)",
    "DELETE FROM device_keys WHERE rowid IN
         (SELECT rowid FROM device_keys WHERE last_seen <= ?3 LIMIT ?2)",
];

/// What is too much. `?1` how many rows, `?2` the cap for unauthenticated callers.
const TOO_MANY: [&str; 2] = [
    "DELETE FROM grants WHERE rowid IN
         (SELECT rowid FROM grants WHERE fulfilled_at IS NULL AND stage <> 'pending'
          ORDER BY sweep_at DESC LIMIT ?1 OFFSET ?2)",
    "DELETE FROM attempts WHERE rowid IN
         (SELECT rowid FROM attempts WHERE outcome IS NULL
          ORDER BY sweep_at DESC LIMIT ?1 OFFSET ?2)",
];

/// A chore that sweeps every ten seconds, and with every commit while there is more to sweep. It
/// keeps the latest time seen as well, from which the next start judges its clock.
pub(super) fn chore(settings: SqliteSettings, clock: ClockPlausibility) -> Chore {
    let mut next = Timestamp::from_seconds(i64::MIN);
    Box::new(move |db, now, operations| {
        // The clock may have gone back.
        if now.has_reached(next) || !now.plus(INTERVAL).has_reached(next) {
            let rows = ROWS.max(2 * operations);
            let plausible = clock.is_plausible(now);
            let mut full = false;
            if plausible {
                full |= delete_over(db, &settings, now, rows)?;
                remember_time(db, now)?;
            }
            full |= delete_too_many(db, rows, settings.strangers)?;
            let audit_before = plausible.then(|| now.minus(settings.audit_retention));
            full |= audit::sweep(db, &settings.audit, audit_before, rows)?;
            next = if full { now } else { now.plus(INTERVAL) };
        }
        Ok(())
    })
}

/// Keeps the latest time that was plausible.
pub(super) fn remember_time(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE binding SET latest_seen = ?1")?.execute([now]).map(drop)
}

/// True if there may be more.
fn delete_over(
    db: &Connection,
    settings: &SqliteSettings,
    now: Timestamp,
    rows: usize,
) -> rusqlite::Result<bool> {
    let oldest_key = now.minus(settings.family.absolute);
    let values: [&dyn ToSql; 3] = [&now, &rows, &oldest_key];
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

/// True if there may be more.
fn delete_too_many(db: &Connection, rows: usize, cap: usize) -> Done<bool> {
    let mut full = false;
    for delete in TOO_MANY {
        full |= db.prepare_cached(delete)?.execute([rows, cap])? == rows;
    }
    Ok(full)
}
