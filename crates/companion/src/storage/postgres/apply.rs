//! Writing what a transition has decided, inside its transaction.

use deadpool_postgres::Transaction;

use super::failure::Done;
use super::rows::{execute, one};
use crate::domain::{Attempt, AttemptKey, EndedBecause, Grant, Session, SessionId, Timestamp};
use crate::storage::transitions::{
    AuditEntry, AuditPlace, Decision, FamilyRow, Rules, StageColumns, UserRow, Write,
};

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
        Write::InsertUser(row) => insert_user(db, &row).await,
        Write::UpdateUser(row) => update_user(db, &row).await,
        Write::PutDeviceKey { jkt, user, device_name, seen_at } => execute(
            db,
            "INSERT INTO device_keys (jkt, user_id, device_name, first_seen, last_seen)
             VALUES ($1, $2, $3, $4, $4)
             ON CONFLICT (jkt, user_id) DO UPDATE SET
                 device_name = excluded.device_name, last_seen = excluded.last_seen",
            &[&jkt, &user, &device_name, &seen_at],
        )
        .await
        .map(drop),
        Write::DeleteDeviceKey { jkt, user } => {
            let delete = "DELETE FROM device_keys WHERE jkt = $1 AND user_id = $2";
            execute(db, delete, &[&jkt, &user]).await?;
            let ask = "UPDATE grants SET device_known = FALSE
                       WHERE user_id = $2 AND jkt = $1 AND stage = 'fulfilled'";
            execute(db, ask, &[&jkt, &user]).await.map(drop)
        }
        Write::InsertSession { session, created_at } => {
            insert_session(db, &session, created_at).await
        }
        Write::UpdateDeadline { session, deadline } => {
            let sql = "UPDATE sessions SET deadline = $2 WHERE id = $1";
            execute(db, sql, &[&session, &deadline]).await.map(drop)
        }
        Write::EndSession { session, because, at } => end_session(db, session, because, at).await,
        Write::InsertFamily { family, session } => insert_family(db, &family, session).await,
        Write::UpdateFamily(family) => update_family(db, &family).await,
        Write::PutAttempt { key, attempt, sweep_at } => {
            put_attempt(db, key, &attempt, sweep_at).await
        }
        Write::Audit(entry) => write_audit(db, rules, &entry).await,
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
             sealed_state = CASE WHEN $13 THEN sealed_state END
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
        ],
    )
    .await
    .map(drop)
}

async fn insert_user(db: &Transaction<'_>, row: &UserRow) -> Done<()> {
    let UserRow { user, identity, attributes, updated_at } = row;
    let organization = user.organization.as_ref();
    execute(
        db,
        "INSERT INTO users (id, issuer, connection_id, idp_id, connection_type, email, name,
                            organization_id, organization_name, created_at, updated_at, profile_id,
                            attributes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12)",
        &[
            &user.id,
            &identity.issuer(),
            &user.connection.id,
            &identity.idp_id(),
            &user.connection.kind,
            &user.email,
            &user.name,
            &organization.map(|organization| &organization.id),
            &organization.and_then(|organization| organization.name.as_ref()),
            &updated_at,
            &identity.profile_id(),
            &attributes,
        ],
    )
    .await
    .map(drop)
}

/// Everything but id and key.
async fn update_user(db: &Transaction<'_>, row: &UserRow) -> Done<()> {
    let UserRow { user, identity, attributes, updated_at } = row;
    let organization = user.organization.as_ref();
    execute(
        db,
        "UPDATE users SET connection_type = $2, email = $3, name = $4, organization_id = $5,
                          organization_name = $6, updated_at = $7, profile_id = $8,
                          attributes = $9
         WHERE id = $1",
        &[
            &user.id,
            &user.connection.kind,
            &user.email,
            &user.name,
            &organization.map(|organization| &organization.id),
            &organization.and_then(|organization| organization.name.as_ref()),
            &updated_at,
            &identity.profile_id(),
            &attributes,
        ],
    )
    .await
    .map(drop)
}

async fn insert_session(
    db: &Transaction<'_>,
    session: &Session,
    created_at: Timestamp,
) -> Done<()> {
    execute(
        db,
        "INSERT INTO sessions (id, user_id, client_id, jkt, scope, auth_time, created_at, deadline)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            &session.id,
            &session.user.id,
            &session.client_id,
            &session.jkt,
            &session.scope,
            &session.auth_time,
            &created_at,
            &session.deadline,
        ],
    )
    .await
    .map(drop)
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

async fn write_audit(db: &Transaction<'_>, rules: &Rules, entry: &AuditEntry) -> Done<()> {
    let window = rules.audit_window(entry);
    let found = one(
        db,
        "SELECT count(*), max(id) FROM
             (SELECT id FROM audit
              WHERE source = $1 AND event = $2 AND detail IS NOT DISTINCT FROM $3 AND at > $4
              ORDER BY at DESC LIMIT $5) AS counted",
        &[
            &entry.source,
            &entry.event,
            &entry.detail,
            &window.since,
            &i64::try_from(window.limit).unwrap_or(i64::MAX),
        ],
    )
    .await?;
    let (rows, newest): (i64, Option<i64>) = match found {
        Some(row) => (row.try_get(0)?, row.try_get(1)?),
        None => (0, None),
    };
    match window.place(usize::try_from(rows).unwrap_or_default(), newest) {
        AuditPlace::CountIn(row) => {
            let sql = "UPDATE audit SET folded = folded + 1, last_at = $2 WHERE id = $1";
            execute(db, sql, &[&row, &entry.at]).await.map(drop)
        }
        AuditPlace::Insert => insert_audit(db, entry).await,
    }
}

async fn insert_audit(db: &Transaction<'_>, entry: &AuditEntry) -> Done<()> {
    execute(
        db,
        "INSERT INTO audit (at, last_at, event, detail, class, source, user_id, session_id,
                            grant_id, client_id, jkt)
         VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            &entry.at,
            &entry.event,
            &entry.detail,
            &i16::from(entry.class.number()),
            &entry.source,
            &entry.user,
            &entry.session,
            &entry.grant,
            &entry.client_id,
            &entry.jkt,
        ],
    )
    .await
    .map(drop)
}
