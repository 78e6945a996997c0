//! Writing what a transition has decided, inside its transaction.

use std::net::IpAddr;

use deadpool_postgres::Transaction;

use super::failure::Done;
use super::statement::execute;
use super::{audit, subjects, users};
use crate::domain::{Attempt, AttemptKey, EndedBecause, Grant, Session, SessionId, Timestamp};
use crate::storage::transitions::{Decision, FamilyRow, Rules, StageColumns, Write};

/// Writes, in order, and gives the answer.
pub(super) async fn apply<T>(
    db: &Transaction<'_>,
    rules: &Rules,
    decision: Decision<T>,
) -> Done<T> {
    for write in decision.writes {
        apply_one(db, rules, write).await?;
    }
    Ok(decision.answer)
}

async fn apply_one(db: &Transaction<'_>, rules: &Rules, write: Write) -> Done<()> {
    match write {
        Write::InsertGrant { grant, sealed_state, sweep_at } => {
            insert_grant(db, &grant, &sealed_state, sweep_at).await
        }
        Write::UpdateGrant { grant, code_hash, keeps_state } => {
            update_grant(db, &grant, code_hash, keeps_state).await
        }
        Write::PutUser(row) => users::put(db, &row).await,
        Write::PutDeviceKey { jkt, user, device_name, seen_at } => {
            users::put_key(db, jkt, user, device_name.as_deref(), seen_at).await
        }
        Write::DeleteDeviceKey { jkt, user } => users::delete_key(db, jkt, user).await,
        Write::InsertSession { session, upstream_session, created_at, address } => {
            let used = (created_at, address);
            insert_session(db, &session, upstream_session.as_deref(), used).await
        }
        Write::UseSession { session, deadline, address } => {
            let sql = "UPDATE sessions SET deadline = $2, last_address = $3 WHERE id = $1";
            execute(db, sql, &[&session, &deadline, &text_of(address)]).await.map(drop)
        }
        Write::EndSession { session, because, at } => end_session(db, session, because, at).await,
        Write::InsertFamily { family, session } => insert_family(db, &family, session).await,
        Write::UpdateFamily(family) => update_family(db, &family).await,
        Write::PutAttempt { key, attempt, sweep_at } => {
            put_attempt(db, key, &attempt, sweep_at).await
        }
        Write::UpdatePerson { user, email, name, updated_at } => {
            let sql = "UPDATE users SET email = $2, name = $3, updated_at = $4 WHERE id = $1";
            execute(db, sql, &[&user, &email, &name, &updated_at]).await.map(drop)
        }
        Write::PutSubject { subject, seen_at } => {
            subjects::put_subject(db, &subject, seen_at).await
        }
        Write::InsertEvent { id, at } => subjects::insert_event(db, &id, at).await,
        Write::Audit(entry) => audit::write(db, rules, &entry).await,
    }
}

async fn insert_grant(
    db: &Transaction<'_>,
    grant: &Grant,
    sealed_state: &str,
    sweep_at: Timestamp,
) -> Done<()> {
    execute(
        db,
        "INSERT INTO grants (id, upstream_authorization, request, attempt, jkt, browser,
                             client_id, redirect_uri, sealed_state, code_challenge, scope,
                             device_name, started_at, stage, sweep_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        &[
            &grant.id,
            &grant.upstream_authorization,
            &grant.request,
            &grant.attempt,
            &grant.jkt,
            &grant.browser,
            &grant.client_id,
            &grant.redirect_uri,
            &sealed_state,
            &grant.code_challenge,
            &grant.scope,
            &grant.device_name,
            &grant.started_at,
            &StageColumns::from(&grant.stage).stage,
            &sweep_at,
        ],
    )
    .await
    .map(drop)
}

/// Who signed in and the hash of the code stay: a code of a cancelled grant is recognised.
async fn update_grant(
    db: &Transaction<'_>,
    grant: &Grant,
    code_hash: Option<[u8; 32]>,
    keeps_state: bool,
) -> Done<()> {
    let stage = StageColumns::from(&grant.stage);
    execute(
        db,
        "UPDATE grants SET
             fulfilled_at = $2, stage = $3, user_id = coalesce($4, user_id), device_known = $5,
             number = $6, confirmed = $7, code_deadline = $8, session_id = $9, problem = $10,
             cancelled_by = $11, code_hash = coalesce($12, code_hash),
             sealed_state = CASE WHEN $13 THEN sealed_state END, upstream_session = $14
         WHERE id = $1",
        &[
            &grant.id,
            &grant.fulfilled_at,
            &stage.stage,
            &stage.user,
            &stage.device_known,
            &stage.number,
            &stage.confirmed,
            &stage.code_deadline,
            &stage.session,
            &stage.problem,
            &stage.cancelled_by,
            &code_hash.as_ref().map(<[u8; 32]>::as_slice),
            &keeps_state,
            &grant.upstream_session,
        ],
    )
    .await
    .map(drop)
}

async fn insert_session(
    db: &Transaction<'_>,
    session: &Session,
    upstream_session: Option<&str>,
    (created_at, address): (Timestamp, Option<IpAddr>),
) -> Done<()> {
    execute(
        db,
        "INSERT INTO sessions (id, user_id, client_id, jkt, scope, auth_time, created_at, deadline,
                               last_address, upstream_session)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            &session.id,
            &session.user.id,
            &session.client_id,
            &session.jkt,
            &session.scope,
            &session.auth_time,
            &created_at,
            &session.deadline,
            &text_of(address),
            &upstream_session,
        ],
    )
    .await
    .map(drop)
}

fn text_of(address: Option<IpAddr>) -> Option<String> {
    address.map(|address| address.to_string())
}

async fn end_session(
    db: &Transaction<'_>,
    session: SessionId,
    because: EndedBecause,
    at: Timestamp,
) -> Done<()> {
    let end = "UPDATE sessions SET ended_at = $2, ended_because = $3
               WHERE id = $1 AND ended_at IS NULL";
    execute(db, end, &[&session, &at, &because.as_str()]).await?;
    let wipe = "UPDATE families SET sealed_child = NULL WHERE session_id = $1";
    execute(db, wipe, &[&session]).await.map(drop)
}

async fn insert_family(db: &Transaction<'_>, family: &FamilyRow, session: SessionId) -> Done<()> {
    execute(
        db,
        "INSERT INTO families (id, session_id, generation, token_hash, sealed_child, used_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            &family.id,
            &session,
            &i64::from(family.generation),
            &family.token_hash.as_slice(),
            &family.sealed_child,
            &family.used_at,
        ],
    )
    .await
    .map(drop)
}

async fn update_family(db: &Transaction<'_>, family: &FamilyRow) -> Done<()> {
    execute(
        db,
        "UPDATE families SET generation = $2, token_hash = $3, sealed_child = $4, used_at = $5
         WHERE id = $1",
        &[
            &family.id,
            &i64::from(family.generation),
            &family.token_hash.as_slice(),
            &family.sealed_child,
            &family.used_at,
        ],
    )
    .await
    .map(drop)
}

async fn put_attempt(
    db: &Transaction<'_>,
    key: AttemptKey,
    attempt: &Attempt,
    sweep_at: Timestamp,
) -> Done<()> {
    let outcome = attempt.outcome.as_ref();
    execute(
        db,
        "INSERT INTO attempts (attempt, jkt, outcome, problem, cancelled_at, sweep_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (attempt, jkt) DO UPDATE SET
             outcome = excluded.outcome, problem = excluded.problem,
             cancelled_at = excluded.cancelled_at, sweep_at = excluded.sweep_at",
        &[
            &key.attempt,
            &key.jkt,
            &outcome.map(|outcome| outcome.as_str()),
            &outcome.and_then(|outcome| outcome.problem()),
            &attempt.cancelled_at,
            &sweep_at,
        ],
    )
    .await
    .map(drop)
}
