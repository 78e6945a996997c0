//! Deletes what [`Retention`](crate::storage::transitions::Retention) names, a few hundred rows of
//! each table at a time, by one companion at a time.

use deadpool_postgres::Transaction;

use super::Engine;
use super::advisory::AdvisoryLock;
use super::failure::Done;
use super::statement::{Values, execute, one};
use crate::domain::{AuditClass, Timestamp};

/// Rows of one table that one sweep deletes at most.
const ROWS: i64 = 512;

/// What is over: the statement, and which instant it takes.
const OVER: [&str; 3] = [
    "DELETE FROM grants WHERE ctid IN
         (SELECT ctid FROM grants WHERE sweep_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM attempts WHERE ctid IN
         (SELECT ctid FROM attempts WHERE sweep_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM sessions WHERE ctid IN
         (SELECT ctid FROM sessions WHERE deadline <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
];
const OLD_KEYS: &str = "DELETE FROM device_keys WHERE ctid IN
     (SELECT ctid FROM device_keys WHERE last_seen <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
const OLD_SUBJECTS: &str = "DELETE FROM upstream_subjects WHERE ctid IN
     (SELECT ctid FROM upstream_subjects WHERE seen_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";
const OLD_EVENTS: &str = "DELETE FROM upstream_events WHERE ctid IN
     (SELECT ctid FROM upstream_events WHERE taken_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)";

/// What is too much. `$1` how many rows, `$2` how many stay.
const TOO_MANY: [&str; 2] = [
    "DELETE FROM grants WHERE id IN
         (SELECT id FROM grants WHERE fulfilled_at IS NULL AND stage <> 'pending'
          ORDER BY sweep_at DESC LIMIT $1 OFFSET $2)",
    "DELETE FROM attempts WHERE (attempt, jkt) IN
         (SELECT attempt, jkt FROM attempts WHERE outcome IS NULL
          ORDER BY sweep_at DESC LIMIT $1 OFFSET $2)",
];

const AUDIT: &str = "DELETE FROM audit WHERE id IN
     (SELECT id FROM audit WHERE class = $1 AND at <= $2 ORDER BY at LIMIT $3)";

/// One sweep. True if there may be more to delete.
pub(super) async fn sweep(engine: &Engine, now: Timestamp) -> Done<bool> {
    let mut connection = engine.pool.get().await?;
    let db = connection.transaction().await?;
    engine.check(&db, now).await?;
    if !AdvisoryLock::Sweep.try_hold(&db).await? {
        return Ok(false);
    }
    let retention = engine.rules.retention(now);
    let mut full = false;
    if let Some(over) = retention.over {
        for sql in OVER {
            full |= delete(&db, sql, &[&over.now, &ROWS]).await?;
        }
        full |= delete(&db, OLD_KEYS, &[&over.device_keys, &ROWS]).await?;
        full |= delete(&db, OLD_SUBJECTS, &[&over.audit, &ROWS]).await?;
        full |= delete(&db, OLD_EVENTS, &[&over.events, &ROWS]).await?;
        for class in AuditClass::ALL {
            full |= delete_audit(&db, class, over.audit, ROWS).await?;
        }
        let sql = "UPDATE binding SET latest_seen = greatest(latest_seen, $1)";
        execute(&db, sql, &[&over.now]).await?;
    }
    let stay = i64::try_from(retention.unauthenticated_rows).unwrap_or(i64::MAX);
    for sql in TOO_MANY {
        full |= delete(&db, sql, &[&ROWS, &stay]).await?;
    }
    full |= sweep_audit(engine, &db).await?;
    db.commit().await?;
    Ok(full)
}

/// Deletes audit rows that are too many.
async fn sweep_audit(engine: &Engine, db: &Transaction<'_>) -> Done<bool> {
    let mut counts = [0; 3];
    for (class, rows) in AuditClass::ALL.iter().zip(&mut counts) {
        let sql = "SELECT count(*) FROM audit WHERE class = $1";
        let counted = one(db, sql, &[&i16::from(class.number())]).await?;
        let counted: i64 = counted.map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        *rows = usize::try_from(counted).unwrap_or_default();
    }
    let mut full = false;
    let surplus = engine.rules.limits().audit.surplus(counts);
    for (class, surplus) in AuditClass::ALL.into_iter().zip(surplus) {
        let surplus = i64::try_from(surplus).unwrap_or(i64::MAX);
        if surplus > 0 {
            let any_age = Timestamp::from_seconds(i64::MAX);
            delete_audit(db, class, any_age, surplus.min(ROWS)).await?;
            full |= surplus > ROWS;
        }
    }
    Ok(full)
}

async fn delete_audit(
    db: &Transaction<'_>,
    class: AuditClass,
    until: Timestamp,
    rows: i64,
) -> Done<bool> {
    delete(db, AUDIT, &[&i16::from(class.number()), &until, &rows]).await
}

/// True if there may be more.
async fn delete(db: &Transaction<'_>, sql: &str, values: Values<'_>) -> Done<bool> {
    Ok(execute(db, sql, values).await? >= ROWS.unsigned_abs())
}
