//! Reading rows, one function for each kind and each transition. What they mean is decided in
//! [`crate::storage::transitions`].

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use super::columns::{read_grant, read_session, read_stored, read_user};
use super::subjects;
use super::worker::Done;
use crate::domain::{
    Attempt, AttemptKey, FamilyId, Grant, GrantId, GrantStage, Limits, Outcome, RequestId,
    SessionId, Timestamp, UpstreamIdentity, User, UserId,
};
use crate::storage::select::{
    OF_SESSION, select_grant, select_session, session_columns, user_columns,
};
use crate::storage::transitions::{
    AttemptRows, BeginRows, FamilyRow, FulfilRows, RedemptionRows, RotationRows, SessionRow,
    StoredGrant,
};
use crate::storage::{RedeemCode, ReturnedAuthorization, StorageError};

type Found<T> = rusqlite::Result<Option<T>>;

fn one<T>(
    db: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Found<T> {
    db.prepare_cached(sql)?.query_row(values, read).optional()
}

fn only<T: rusqlite::types::FromSql>(row: &Row<'_>) -> rusqlite::Result<T> {
    row.get(0)
}

pub(super) fn for_begin(
    db: &Connection,
    limits: &Limits,
    authorization: &ReturnedAuthorization,
) -> Done<BeginRows> {
    let (request, jkt) = (authorization.request, authorization.jkt);
    let same = "SELECT id FROM grants WHERE upstream_authorization = ?1";
    let of_request = "SELECT count(*) FROM (SELECT 1 FROM grants WHERE request = ?1 LIMIT ?2)";
    let mut rows = BeginRows {
        same: one(db, same, &[&authorization.id], only)?,
        winner: winner(db, request)?,
        of_request: one(db, of_request, &[&request, &limits.grants_per_request], only)?
            .unwrap_or_default(),
        ..BeginRows::default()
    };
    if let Some(attempt) = authorization.attempt {
        let key = AttemptKey { attempt, jkt };
        rows.attempt = self::attempt(db, key)?;
        let of_attempt = "SELECT count(*) FROM
             (SELECT 1 FROM grants WHERE attempt = ?1 AND jkt = ?2 LIMIT ?3)";
        rows.of_attempt =
            one(db, of_attempt, &[&key.attempt, &key.jkt, &limits.grants_per_attempt], only)?
                .unwrap_or_default();
    }
    Ok(rows)
}

fn winner(db: &Connection, request: RequestId) -> Found<GrantId> {
    let sql = "SELECT id FROM grants WHERE request = ?1 AND fulfilled_at IS NOT NULL";
    one(db, sql, &[&request], only)
}

pub(super) fn for_fulfil(
    db: &Connection,
    id: GrantId,
    identity: &UpstreamIdentity,
) -> Done<Option<FulfilRows>> {
    let Some(StoredGrant { grant, .. }) = grant(db, id)? else { return Ok(None) };
    let connection = identity.connection().map_or("", |connection| &connection.id);
    let user = one(
        db,
        concat!(
            "SELECT ",
            user_columns!(),
            " FROM users
             WHERE issuer = ?1 AND upstream = ?2 AND coalesce(connection_id, '') = ?3
                   AND idp_id = ?4"
        ),
        &[&identity.issuer(), &identity.upstream(), &connection, &identity.idp_id()],
        |row| read_user(row, 0),
    )?;
    let seen = "SELECT last_seen FROM device_keys WHERE jkt = ?1 AND user_id = ?2";
    let key_seen: Option<Timestamp> = match &user {
        Some(user) => one(db, seen, &[&grant.jkt, &user.id], only)?,
        None => None,
    };
    let subjects = subjects::subjects_of(db, &identity.person_keys())?;
    Ok(Some(FulfilRows { winner: winner(db, grant.request)?, user, subjects, key_seen, grant }))
}

pub(super) fn grant(db: &Connection, id: GrantId) -> Found<StoredGrant> {
    one(db, select_grant!("id = ?1"), &[&id], read_stored)
}

pub(super) fn find(db: &Connection, id: GrantId) -> Found<Grant> {
    Ok(grant(db, id)?.map(|stored| stored.grant))
}

pub(super) fn for_redemption(
    db: &Connection,
    request: &RedeemCode,
) -> Done<Option<RedemptionRows>> {
    let hash = request.code.hash();
    let found = one(db, select_grant!("code_hash = ?1"), &[&hash.as_slice()], read_stored)?;
    let Some(StoredGrant { grant, .. }) = found else { return Ok(None) };
    let user = grant.stage.user().map_or(Ok(None), |id| user(db, id))?;
    let (older, issued) = match &grant.stage {
        GrantStage::Minted { user, .. } => (live_session(db, *user, &grant)?, None),
        GrantStage::Exchanged { session: id, .. } => (None, session(db, *id)?),
        GrantStage::Pending
        | GrantStage::Fulfilled { .. }
        | GrantStage::Failed { .. }
        | GrantStage::Cancelled { .. } => (None, None),
    };
    Ok(Some(RedemptionRows { grant, user, older, issued }))
}

pub(super) fn user(db: &Connection, id: UserId) -> Found<User> {
    let sql = concat!("SELECT ", user_columns!(), " FROM users WHERE id = ?1");
    one(db, sql, &[&id], |row| read_user(row, 0))
}

fn live_session(db: &Connection, user: UserId, grant: &Grant) -> Found<SessionRow> {
    one(
        db,
        select_session!(
            "sessions.user_id = ?1 AND sessions.client_id = ?2 AND sessions.jkt = ?3
             AND sessions.ended_at IS NULL"
        ),
        &[&user, &grant.client_id, &grant.jkt],
        read_session,
    )
}

pub(super) fn session(db: &Connection, id: SessionId) -> Found<SessionRow> {
    one(db, select_session!("sessions.id = ?1"), &[&id], read_session)
}

/// The session of a family.
pub(super) fn session_of(db: &Connection, family: FamilyId) -> Found<SessionRow> {
    one(
        db,
        select_session!("sessions.id = (SELECT session_id FROM families WHERE id = ?1)"),
        &[&family],
        read_session,
    )
}

pub(super) fn for_rotation(db: &Connection, family: FamilyId) -> Found<RotationRows> {
    one(
        db,
        concat!(
            "SELECT ",
            session_columns!(),
            ", families.generation, families.token_hash, families.sealed_child, families.used_at
             FROM families JOIN sessions ON sessions.id = families.session_id
                           JOIN users ON users.id = sessions.user_id
             WHERE families.id = ?1"
        ),
        &[&family],
        |row| {
            let session = read_session(row)?;
            let family = FamilyRow {
                id: family,
                generation: row.get(OF_SESSION)?,
                token_hash: row.get(OF_SESSION + 1)?,
                sealed_child: row.get(OF_SESSION + 2)?,
                used_at: row.get(OF_SESSION + 3)?,
            };
            Ok(RotationRows { family, session })
        },
    )
}

pub(super) fn for_attempt(db: &Connection, limits: &Limits, key: AttemptKey) -> Done<AttemptRows> {
    let (attempt, grants) = (attempt(db, key)?, grants_of(db, limits, key)?);
    let mut sessions = Vec::new();
    for grant in &grants {
        if let GrantStage::Exchanged { session: id, .. } = grant.stage {
            sessions.extend(session(db, id)?);
        }
    }
    Ok(AttemptRows { attempt, grants, sessions })
}

pub(super) fn attempt(db: &Connection, key: AttemptKey) -> Done<Attempt> {
    let sql = "SELECT outcome, problem, cancelled_at FROM attempts
               WHERE attempt = ?1 AND jkt = ?2";
    let row = one(db, sql, &[&key.attempt, &key.jkt], |row| {
        Ok((row.get::<_, Option<String>>(0)?, row.get(1)?, row.get(2)?))
    })?;
    let Some((word, problem, cancelled_at)) = row else { return Ok(Attempt::default()) };
    let outcome = match word {
        None => None,
        Some(word) => Some(
            Outcome::from_stored(&word, problem)
                .ok_or_else(|| StorageError::Damaged("an unknown outcome".into()))?,
        ),
    };
    Ok(Attempt { outcome, cancelled_at })
}

const OF_ATTEMPT: &str = select_grant!("attempt = ?1 AND jkt = ?2 ORDER BY rowid DESC LIMIT ?3");

/// The grants of an attempt of one device key, the newest first, and no more than the limit.
pub(super) fn grants_of(
    db: &Connection,
    limits: &Limits,
    key: AttemptKey,
) -> rusqlite::Result<Vec<Grant>> {
    db.prepare_cached(OF_ATTEMPT)?
        .query_map(params![key.attempt, key.jkt, limits.grants_per_attempt], read_grant)?
        .collect()
}

/// The plan of SQLite for a statement, one step a line.
#[cfg(test)]
pub(super) fn plan(db: &Connection, sql: &str) -> String {
    let mut explained = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = explained.raw_query();
    let mut plan = String::new();
    while let Some(row) = rows.next().unwrap() {
        plan.push_str(&row.get::<_, String>(3).unwrap());
        plan.push('\n');
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grants_of_an_attempt_are_found_by_an_index() {
        let db = Connection::open_in_memory().unwrap();
        for migration in super::super::schema::MIGRATIONS {
            db.execute_batch(migration).unwrap();
        }
        let plan = plan(&db, OF_ATTEMPT);
        assert!(plan.contains("USING INDEX grants_attempt (attempt=? AND jkt=?)"), "{plan}");
        assert!(!plan.contains("SCAN grants"), "{plan}");
    }
}
