//! The audit table: who did what and when, written in the commit of the thing itself. No secret, no
//! email, no code; a plain rotation is not written, it would be most of the table and say nothing.
//! Repetitions are folded, and the table has a row cap: the rules are in [`crate::domain`].

use rusqlite::{Connection, params};

use super::Context;
use crate::domain::{AuditClass, AuditEvent, AuditLimits, AuditSubject, Grant, Session, Timestamp};

/// Within this many seconds, repetitions of an event are counted in its newest row.
const WINDOW: std::time::Duration = std::time::Duration::from_secs(3600);

pub(super) fn of_grant(grant: &Grant) -> AuditSubject<'_> {
    AuditSubject {
        user: grant.stage.user(),
        grant: Some(grant.id),
        client_id: Some(&grant.client_id),
        jkt: Some(grant.jkt),
        session: None,
    }
}

pub(super) fn of_session(session: &Session) -> AuditSubject<'_> {
    AuditSubject {
        user: Some(session.user.id),
        session: Some(session.id),
        client_id: Some(&session.client_id),
        jkt: Some(session.jkt),
        grant: None,
    }
}

/// Writes `event`, or counts it in the newest row of the same event, detail and source if there are
/// as many of these in the last hour as the limit allows.
pub(super) fn write(
    db: &Connection,
    context: &Context,
    event: &AuditEvent<'_>,
    subject: &AuditSubject<'_>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let source = subject.source(event);
    let limit = context.settings.audit.per_hour;
    let (rows, newest): (usize, Option<i64>) = db
        .prepare_cached(
            "SELECT count(*), max(id) FROM
                 (SELECT id FROM audit
                  WHERE source = ?1 AND event = ?2 AND detail IS ?3 AND at > ?4
                  ORDER BY at DESC LIMIT ?5)",
        )?
        .query_row(
            params![source, event.as_str(), event.detail(), now.minus(WINDOW), limit],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
    if let (true, Some(newest)) = (rows >= limit, newest) {
        return db
            .prepare_cached("UPDATE audit SET folded = folded + 1, last_at = ?2 WHERE id = ?1")?
            .execute(params![newest, now])
            .map(drop);
    }
    insert(db, event, subject, &source, now)?;
    db.prepare_cached("UPDATE audit_counts SET rows = rows + 1 WHERE class = ?1")?
        .execute([event.class().number()])
        .map(drop)
}

fn insert(
    db: &Connection,
    event: &AuditEvent<'_>,
    subject: &AuditSubject<'_>,
    source: &[u8],
    now: Timestamp,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO audit (at, last_at, event, detail, class, source, folded,
                            user_id, session_id, grant_id, client_id, jkt)
         VALUES (?1, ?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        now,
        event.as_str(),
        event.detail(),
        event.class().number(),
        source,
        subject.user,
        subject.session,
        subject.grant,
        subject.client_id,
        subject.jkt
    ])
    .map(drop)
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
    db.prepare_cached("UPDATE audit_counts SET rows = rows - ?2 WHERE class = ?1")?
        .execute(params![class.number(), deleted])?;
    Ok(deleted)
}
