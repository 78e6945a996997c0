//! The client's attempts: what the device said, and what its grants say. Keyed on id and device key
//! together, so another key cannot see, finish or cancel somebody's attempt.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Context, audit, grant_row, grants, sessions, worker::Done};
use crate::domain::{
    AttemptKey, AttemptState, AuditEvent, AuditSubject, CancelledBy, EndedBecause, GrantStage,
    Outcome, Timestamp,
};
use crate::storage::StorageError;

#[derive(Default)]
struct AttemptRow {
    outcome: Option<Outcome>,
    cancelled: bool,
}

fn find(db: &Connection, key: AttemptKey) -> Done<AttemptRow> {
    let row = db
        .prepare_cached(
            "SELECT outcome, problem, cancelled_at IS NOT NULL FROM attempts
             WHERE attempt = ?1 AND jkt = ?2",
        )?
        .query_row(params![key.attempt, key.jkt], |row| {
            Ok((row.get::<_, Option<String>>(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((outcome, problem, cancelled)) = row else { return Ok(AttemptRow::default()) };
    let outcome = match outcome.as_deref() {
        None => None,
        Some("stored") => Some(Outcome::Stored),
        Some("memory") => Some(Outcome::Memory),
        Some("failed") => Some(Outcome::Failed(problem)),
        Some(_) => return Err(StorageError::Damaged("an unknown outcome".into())),
    };
    Ok(AttemptRow { outcome, cancelled })
}

pub(super) fn outcome(db: &Connection, key: AttemptKey) -> Done<Option<Outcome>> {
    Ok(find(db, key)?.outcome)
}

pub(super) fn is_cancelled(db: &Connection, key: AttemptKey) -> Done<bool> {
    Ok(find(db, key)?.cancelled)
}

pub(super) fn state(
    db: &Connection,
    context: &Context,
    key: AttemptKey,
    now: Timestamp,
) -> Done<AttemptState> {
    let row = find(db, key)?;
    let grants = grant_row::of_attempt(db, key)?;
    let stages: Vec<GrantStage> =
        grants.into_iter().map(|grant| grants::as_of(context, grant, now).stage).collect();
    // One whose time is over gives way to one that is under way.
    let over = |stage: &&GrantStage| matches!(stage, GrantStage::Failed { .. });
    let furthest = stages.iter().find(|stage| !over(stage)).or(stages.first());
    Ok(AttemptState::derive(furthest, row.outcome.as_ref(), row.cancelled))
}

pub(super) fn report(
    db: &Connection,
    context: &Context,
    key: AttemptKey,
    outcome: &Outcome,
    now: Timestamp,
) -> Done<()> {
    let grants = grant_row::of_attempt(db, key)?;
    let Some(furthest) = grants.first() else { return Ok(()) };
    let redeemed = matches!(furthest.stage, GrantStage::Exchanged { .. });
    let (word, problem) = match outcome {
        Outcome::Stored if redeemed => ("stored", None),
        Outcome::Memory if redeemed => ("memory", None),
        // A session that was never given cannot be kept: the tab would tell a lie.
        Outcome::Stored | Outcome::Memory => return Ok(()),
        Outcome::Failed(problem) => ("failed", problem.as_ref()),
    };
    db.prepare_cached(
        "INSERT INTO attempts (attempt, jkt, outcome, problem, sweep_at)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (attempt, jkt) DO UPDATE SET
             outcome = excluded.outcome, problem = excluded.problem, sweep_at = excluded.sweep_at
         WHERE cancelled_at IS NULL",
    )?
    .execute(params![
        key.attempt,
        key.jkt,
        word,
        problem,
        now.plus(context.settings.grant_retention)
    ])?;
    Ok(())
}

/// Leaves a mark even for an attempt that nobody knows yet: its upstream authorization may still
/// come back from the provider.
pub(super) fn cancel(
    db: &Connection,
    context: &Context,
    key: AttemptKey,
    now: Timestamp,
) -> Done<()> {
    let row = find(db, key)?;
    if matches!(row.outcome, Some(Outcome::Stored | Outcome::Memory)) || row.cancelled {
        return Ok(());
    }
    let grants = grant_row::of_attempt(db, key)?;
    let known = !grants.is_empty();
    for grant in grants {
        if let GrantStage::Exchanged { session, .. } = grant.stage {
            sessions::end(db, context, session, EndedBecause::AttemptCancelled, now)?;
        } else {
            grants::cancel(db, context, grant, CancelledBy::Client, now)?;
        }
    }
    db.prepare_cached(
        "INSERT INTO attempts (attempt, jkt, cancelled_at, sweep_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (attempt, jkt) DO UPDATE SET
             cancelled_at = excluded.cancelled_at, sweep_at = excluded.sweep_at",
    )?
    .execute(params![
        key.attempt,
        key.jkt,
        now,
        now.plus(context.settings.grant_retention)
    ])?;
    if known {
        let subject = AuditSubject { jkt: Some(key.jkt), ..AuditSubject::default() };
        audit::write(db, context, &AuditEvent::AttemptCancelled, &subject, now)?;
    }
    Ok(())
}
