//! The rows of `audit`. An entry is written in the commit of the thing itself; which entries there
//! are, and which are folded, is decided in [`crate::storage::transitions`].

use rusqlite::{Connection, params};

use super::statement::execute;
use crate::domain::{AuditClass, AuditLimits, Timestamp};
use crate::storage::transitions::{AuditEntry, AuditPlace, Rules};

pub(super) fn write(db: &Connection, rules: &Rules, entry: &AuditEntry) -> rusqlite::Result<()> {
    let window = rules.audit_window(entry);
    let (rows, newest): (usize, Option<i64>) = db
        .prepare_cached(
            "SELECT count(*), max(id) FROM
                 (SELECT id FROM audit
                  WHERE source = ?1 AND event = ?2 AND detail IS ?3 AND at > ?4
                  ORDER BY at DESC LIMIT ?5)",
        )?
        .query_row(
            params![entry.source, entry.event, entry.detail, window.since, window.limit],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
    match window.place(rows, newest) {
        AuditPlace::CountIn(row) => execute(
            db,
            "UPDATE audit SET folded = folded + 1, last_at = ?2 WHERE id = ?1",
            params![row, entry.at],
        ),
        AuditPlace::Insert => {
            insert(db, entry)?;
            let count = "UPDATE audit_counts SET rows = rows + 1 WHERE class = ?1";
            execute(db, count, params![entry.class.number()])
        }
    }
}

fn insert(db: &Connection, entry: &AuditEntry) -> rusqlite::Result<()> {
    execute(
        db,
        "INSERT INTO audit (at, last_at, event, detail, class, source, folded,
                            user_id, session_id, grant_id, client_id, jkt)
         VALUES (?1, ?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9, ?10)",
        params![
            entry.at,
            entry.event,
            entry.detail,
            entry.class.number(),
            entry.source,
            entry.user,
            entry.session,
            entry.grant,
            entry.client_id,
            entry.jkt
        ],
    )
}

/// Deletes at most `rows` rows of each class: those that are older than `before`, and those that
/// are too many. True if there may be more.
pub(super) fn sweep(
    db: &Connection,
    limits: &AuditLimits,
    before: Option<Timestamp>,
    rows: usize,
) -> rusqlite::Result<bool> {
    let mut full = false;
    if let Some(before) = before {
        for class in AuditClass::ALL {
            full |= delete(db, class, before, rows)? == rows;
        }
    }
    let mut counts = [0; 3];
    for (class, count) in AuditClass::ALL.iter().zip(&mut counts) {
        *count = db
            .prepare_cached("SELECT rows FROM audit_counts WHERE class = ?1")?
            .query_row([class.number()], |row| row.get(0))?;
    }
    for (class, surplus) in AuditClass::ALL.into_iter().zip(limits.surplus(counts)) {
        if surplus > 0 {
            delete(db, class, Timestamp::from_seconds(i64::MAX), surplus.min(rows))?;
            full |= surplus > rows;
        }
    }
    Ok(full)
}

/// Deletes the `count` oldest rows of a class that are not younger than `until`.
fn delete(
    db: &Connection,
    class: AuditClass,
    until: Timestamp,
    count: usize,
) -> rusqlite::Result<usize> {
    let deleted = db
        .prepare_cached(
            "DELETE FROM audit WHERE id IN
                 (SELECT id FROM audit WHERE class = ?1 AND at <= ?2 ORDER BY at LIMIT ?3)",
        )?
        .execute(params![class.number(), until, count])?;
    let count = "UPDATE audit_counts SET rows = rows - ?2 WHERE class = ?1";
    execute(db, count, params![class.number(), deleted])?;
    Ok(deleted)
}
