//! Writing what a transition has decided, inside the operation's savepoint.

use std::net::IpAddr;

use rusqlite::{Connection, params};

use super::statement::execute;
use super::worker::Done;
use super::{audit, subjects, users};
use crate::domain::{Attempt, AttemptKey, EndedBecause, Grant, Session, SessionId, Timestamp};
use crate::storage::transitions::{Decision, FamilyRow, Rules, StageColumns, Write};

type Written = rusqlite::Result<()>;

/// Writes, in order, and gives the answer.
pub(super) fn apply<T>(db: &Connection, rules: &Rules, decision: Decision<T>) -> Done<T> {
    for write in decision.writes {
        apply_one(db, rules, write)?;
    }
    Ok(decision.answer)
}

fn apply_one(db: &Connection, rules: &Rules, write: Write) -> Written {
    match write {
        Write::InsertGrant { grant, sealed_state, sweep_at } => {
            insert_grant(db, &grant, &sealed_state, sweep_at)
        }
        Write::UpdateGrant { grant, code_hash, keeps_state } => {
            update_grant(db, &grant, code_hash, keeps_state)
        }
        Write::PutUser(row) => users::put(db, &row),
        Write::PutDeviceKey { jkt, user, device_name, seen_at } => {
            users::put_key(db, jkt, user, device_name.as_deref(), seen_at)
        }
        Write::DeleteDeviceKey { jkt, user } => users::delete_key(db, jkt, user),
        Write::InsertSession { session, upstream_session, created_at, address } => {
            insert_session(db, &session, upstream_session.as_deref(), (created_at, address))
        }
        Write::UseSession { session, deadline, address } => {
            let sql = "UPDATE sessions SET deadline = ?2, last_address = ?3 WHERE id = ?1";
            execute(db, sql, params![session, deadline, text_of(address)])
        }
        Write::EndSession { session, because, at } => end_session(db, session, because, at),
        Write::InsertFamily { family, session } => insert_family(db, &family, session),
        Write::UpdateFamily(family) => update_family(db, &family),
        Write::PutAttempt { key, attempt, sweep_at } => put_attempt(db, key, &attempt, sweep_at),
        Write::UpdatePerson { user, email, name, updated_at } => {
            let sql = "UPDATE users SET email = ?2, name = ?3, updated_at = ?4 WHERE id = ?1";
            execute(db, sql, params![user, email, name, updated_at])
        }
        Write::PutSubject { subject, seen_at } => subjects::put_subject(db, &subject, seen_at),
        Write::InsertEvent { id, at } => subjects::insert_event(db, &id, at),
        Write::Audit(entry) => audit::write(db, rules, &entry),
    }
}

fn insert_grant(
    db: &Connection,
    grant: &Grant,
    sealed_state: &str,
    sweep_at: Timestamp,
) -> Written {
    execute(
        db,
        "INSERT INTO grants (id, upstream_authorization, request, attempt, jkt, browser,
                             client_id, redirect_uri, sealed_state, code_challenge, scope,
                             device_name, started_at, stage, sweep_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            grant.id,
            grant.upstream_authorization,
            grant.request,
            grant.attempt,
            grant.jkt,
            grant.browser,
            grant.client_id,
            grant.redirect_uri,
            sealed_state,
            grant.code_challenge,
            grant.scope,
            grant.device_name,
            grant.started_at,
            StageColumns::from(&grant.stage).stage,
            sweep_at
        ],
    )
}

/// Who signed in and the hash of the code stay: a code of a cancelled grant is recognised.
fn update_grant(
    db: &Connection,
    grant: &Grant,
    code_hash: Option<[u8; 32]>,
    keeps_state: bool,
) -> Written {
    let stage = StageColumns::from(&grant.stage);
    execute(
        db,
        "UPDATE grants SET
             fulfilled_at = ?2, stage = ?3, user_id = coalesce(?4, user_id), device_known = ?5,
             number = ?6, confirmed = ?7, code_deadline = ?8, session_id = ?9, problem = ?10,
             cancelled_by = ?11, code_hash = coalesce(?12, code_hash),
             sealed_state = iif(?13, sealed_state, NULL), upstream_session = ?14
         WHERE id = ?1",
        params![
            grant.id,
            grant.fulfilled_at,
            stage.stage,
            stage.user,
            stage.device_known,
            stage.number,
            stage.confirmed,
            stage.code_deadline,
            stage.session,
            stage.problem,
            stage.cancelled_by,
            code_hash,
            keeps_state,
            grant.upstream_session
        ],
    )
}

fn insert_session(
    db: &Connection,
    session: &Session,
    upstream_session: Option<&str>,
    (created_at, address): (Timestamp, Option<IpAddr>),
) -> Written {
    execute(
        db,
        "INSERT INTO sessions (id, user_id, client_id, jkt, scope, auth_time, created_at, deadline,
                               last_address, upstream_session)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            session.id,
            session.user.id,
            session.client_id,
            session.jkt,
            session.scope,
            session.auth_time,
            created_at,
            session.deadline,
            text_of(address),
            upstream_session
        ],
    )
}

fn end_session(
    db: &Connection,
    session: SessionId,
    because: EndedBecause,
    at: Timestamp,
) -> Written {
    let end = "UPDATE sessions SET ended_at = ?2, ended_because = ?3
               WHERE id = ?1 AND ended_at IS NULL";
    execute(db, end, params![session, at, because.as_str()])?;
    let wipe = "UPDATE families SET sealed_child = NULL WHERE session_id = ?1";
    execute(db, wipe, params![session])
}

fn text_of(address: Option<IpAddr>) -> Option<String> {
    address.map(|address| address.to_string())
}

fn insert_family(db: &Connection, family: &FamilyRow, session: SessionId) -> Written {
    execute(
        db,
        "INSERT INTO families (id, session_id, generation, token_hash, sealed_child, used_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            family.id,
            session,
            family.generation,
            family.token_hash,
            family.sealed_child,
            family.used_at
        ],
    )
}

fn update_family(db: &Connection, family: &FamilyRow) -> Written {
    execute(
        db,
        "UPDATE families SET generation = ?2, token_hash = ?3, sealed_child = ?4, used_at = ?5
         WHERE id = ?1",
        params![
            family.id,
            family.generation,
            family.token_hash,
            family.sealed_child,
            family.used_at
        ],
    )
}

fn put_attempt(
    db: &Connection,
    key: AttemptKey,
    attempt: &Attempt,
    sweep_at: Timestamp,
) -> Written {
    let outcome = attempt.outcome.as_ref();
    execute(
        db,
        "INSERT INTO attempts (attempt, jkt, outcome, problem, cancelled_at, sweep_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (attempt, jkt) DO UPDATE SET
             outcome = excluded.outcome, problem = excluded.problem,
             cancelled_at = excluded.cancelled_at, sweep_at = excluded.sweep_at",
        params![
            key.attempt,
            key.jkt,
            outcome.map(|outcome| outcome.as_str()),
            outcome.and_then(|outcome| outcome.problem()),
            attempt.cancelled_at,
            sweep_at
        ],
    )
}
