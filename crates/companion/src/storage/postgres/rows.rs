//! Reading rows, one function for each kind and each transition. What they mean is decided in
//! [`crate::storage::transitions`]. What a transition reads to write it is locked until its commit;
//! two callers that insert the same thing are told apart by a unique index, and the later one
//! begins again.

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;

use super::advisory::AdvisoryLock;
use super::columns::{read_grant, read_session, read_stored, read_user};
use super::failure::{Done, Failure};
use super::statement::{Values, one};
use super::subjects;
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

pub(super) async fn for_begin(
    db: &impl GenericClient,
    limits: &Limits,
    authorization: &ReturnedAuthorization,
) -> Done<BeginRows> {
    let (request, jkt) = (authorization.request, authorization.jkt);
    AdvisoryLock::Request(request).hold(db).await?;
    let same = "SELECT id FROM grants WHERE upstream_authorization = $1";
    let of_request =
        "SELECT count(*) FROM (SELECT 1 FROM grants WHERE request = $1 LIMIT $2) AS counted";
    let mut rows = BeginRows {
        same: first(one(db, same, &[&authorization.id]).await?)?,
        winner: winner(db, request).await?,
        of_request: count(db, of_request, &[&request, &limit(limits.grants_per_request)]).await?,
        ..BeginRows::default()
    };
    if let Some(attempt) = authorization.attempt {
        let key = AttemptKey { attempt, jkt };
        rows.attempt = locked_attempt(db, key).await?;
        let of_attempt = "SELECT count(*) FROM
             (SELECT 1 FROM grants WHERE attempt = $1 AND jkt = $2 LIMIT $3) AS counted";
        let most = limit(limits.grants_per_attempt);
        rows.of_attempt = count(db, of_attempt, &[&key.attempt, &key.jkt, &most]).await?;
    }
    Ok(rows)
}

pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

async fn count(db: &impl GenericClient, sql: &str, values: Values<'_>) -> Done<usize> {
    let rows: Option<i64> = first(one(db, sql, values).await?)?;
    Ok(usize::try_from(rows.unwrap_or_default()).unwrap_or_default())
}

/// The only column of a row, if there is one.
fn first<T: for<'a> tokio_postgres::types::FromSql<'a>>(row: Option<Row>) -> Done<Option<T>> {
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

async fn winner(db: &impl GenericClient, request: RequestId) -> Done<Option<GrantId>> {
    let sql = "SELECT id FROM grants WHERE request = $1 AND fulfilled_at IS NOT NULL";
    first(one(db, sql, &[&request]).await?)
}

pub(super) async fn for_fulfil(
    db: &impl GenericClient,
    id: GrantId,
    identity: &UpstreamIdentity,
) -> Done<Option<FulfilRows>> {
    AdvisoryLock::Events.share(db).await?;
    let Some(StoredGrant { grant, .. }) = locked_grant(db, id).await? else { return Ok(None) };
    let sql = concat!(
        "SELECT ",
        user_columns!(),
        " FROM users
         WHERE issuer = $1 AND upstream = $2 AND coalesce(connection_id, '') = $3 AND idp_id = $4
         FOR UPDATE"
    );
    let connection = identity.connection().map_or("", |connection| &connection.id);
    let key: Values<'_> =
        &[&identity.issuer(), &identity.upstream(), &connection, &identity.idp_id()];
    let user = one(db, sql, key).await?.map(|row| read_user(&row, 0)).transpose()?;
    // Locked: a key that is forgotten meanwhile is forgotten after this grant, and changes it.
    let seen = "SELECT last_seen FROM device_keys WHERE jkt = $1 AND user_id = $2 FOR SHARE";
    let key_seen: Option<Timestamp> = match &user {
        Some(user) => first(one(db, seen, &[&grant.jkt, &user.id]).await?)?,
        None => None,
    };
    let subjects = subjects::subjects_of(db, &identity.person_keys()).await?;
    let winner = winner(db, grant.request).await?;
    Ok(Some(FulfilRows { winner, user, subjects, key_seen, grant }))
}

pub(super) async fn grant(db: &impl GenericClient, id: GrantId) -> Done<Option<StoredGrant>> {
    one(db, select_grant!("id = $1"), &[&id]).await?.map(|row| read_stored(&row)).transpose()
}

pub(super) async fn locked_grant(
    db: &impl GenericClient,
    id: GrantId,
) -> Done<Option<StoredGrant>> {
    let sql = select_grant!("id = $1 FOR UPDATE");
    one(db, sql, &[&id]).await?.map(|row| read_stored(&row)).transpose()
}

pub(super) async fn find(db: &impl GenericClient, id: GrantId) -> Done<Option<Grant>> {
    Ok(locked_grant(db, id).await?.map(|stored| stored.grant))
}

pub(super) async fn for_redemption(
    db: &impl GenericClient,
    request: &RedeemCode,
) -> Done<Option<RedemptionRows>> {
    let sql = select_grant!("code_hash = $1 FOR UPDATE");
    let found = one(db, sql, &[&request.code.hash().as_slice()]).await?;
    let Some(row) = found else { return Ok(None) };
    let grant = read_grant(&row)?;
    let user = match grant.stage.user() {
        Some(id) => user(db, id).await?,
        None => None,
    };
    let (older, issued) = match &grant.stage {
        GrantStage::Minted { user, .. } => (live_session(db, *user, &grant).await?, None),
        GrantStage::Exchanged { session: id, .. } => (None, locked_session(db, *id).await?),
        GrantStage::Pending
        | GrantStage::Fulfilled { .. }
        | GrantStage::Failed { .. }
        | GrantStage::Cancelled { .. } => (None, None),
    };
    Ok(Some(RedemptionRows { grant, user, older, issued }))
}

pub(super) async fn user(db: &impl GenericClient, id: UserId) -> Done<Option<User>> {
    let sql = concat!("SELECT ", user_columns!(), " FROM users WHERE id = $1");
    one(db, sql, &[&id]).await?.map(|row| read_user(&row, 0)).transpose()
}

async fn live_session(
    db: &impl GenericClient,
    user: UserId,
    grant: &Grant,
) -> Done<Option<SessionRow>> {
    let sql = select_session!(
        "sessions.user_id = $1 AND sessions.client_id = $2 AND sessions.jkt = $3
         AND sessions.ended_at IS NULL FOR UPDATE OF sessions"
    );
    let row = one(db, sql, &[&user, &grant.client_id, &grant.jkt]).await?;
    row.map(|row| read_session(&row)).transpose()
}

pub(super) async fn session(db: &impl GenericClient, id: SessionId) -> Done<Option<SessionRow>> {
    let row = one(db, select_session!("sessions.id = $1"), &[&id]).await?;
    row.map(|row| read_session(&row)).transpose()
}

pub(super) async fn locked_session(
    db: &impl GenericClient,
    id: SessionId,
) -> Done<Option<SessionRow>> {
    let sql = select_session!("sessions.id = $1 FOR UPDATE OF sessions");
    let row = one(db, sql, &[&id]).await?;
    row.map(|row| read_session(&row)).transpose()
}

/// The session of a family.
pub(super) async fn session_of(
    db: &impl GenericClient,
    family: FamilyId,
) -> Done<Option<SessionRow>> {
    let sql = select_session!(
        "sessions.id = (SELECT session_id FROM families WHERE families.id = $1)
         FOR UPDATE OF sessions"
    );
    let row = one(db, sql, &[&family]).await?;
    row.map(|row| read_session(&row)).transpose()
}

pub(super) async fn for_rotation(
    db: &impl GenericClient,
    family: FamilyId,
) -> Done<Option<RotationRows>> {
    // Both rows are locked: a join shows what it has not locked as it was before the wait.
    let sql = concat!(
        "SELECT ",
        session_columns!(),
        ", families.generation, families.token_hash, families.sealed_child, families.used_at
         FROM sessions JOIN families ON sessions.id = families.session_id
                       JOIN users ON users.id = sessions.user_id
         WHERE families.id = $1 FOR UPDATE OF sessions, families"
    );
    let Some(row) = one(db, sql, &[&family]).await? else { return Ok(None) };
    let damaged = |what: &str| Failure::from(StorageError::Damaged(what.to_owned()));
    let generation: i64 = row.try_get(OF_SESSION)?;
    let hash: &[u8] = row.try_get(OF_SESSION + 1)?;
    let family = FamilyRow {
        id: family,
        generation: generation.try_into().map_err(|_| damaged("a generation out of range"))?,
        token_hash: hash.try_into().map_err(|_| damaged("a hash of another length"))?,
        sealed_child: row.try_get(OF_SESSION + 2)?,
        used_at: row.try_get(OF_SESSION + 3)?,
    };
    Ok(Some(RotationRows { family, session: read_session(&row)? }))
}

pub(super) async fn for_attempt(
    db: &impl GenericClient,
    limits: &Limits,
    key: AttemptKey,
) -> Done<AttemptRows> {
    let attempt = locked_attempt(db, key).await?;
    let sql =
        select_grant!("attempt = $1 AND jkt = $2 ORDER BY number_of_row DESC LIMIT $3 FOR UPDATE");
    let grants = list(db, sql, limits, key).await?;
    let mut sessions = Vec::new();
    for grant in &grants {
        if let GrantStage::Exchanged { session: id, .. } = grant.stage {
            sessions.extend(locked_session(db, id).await?);
        }
    }
    Ok(AttemptRows { attempt, grants, sessions })
}

async fn locked_attempt(db: &impl GenericClient, key: AttemptKey) -> Done<Attempt> {
    AdvisoryLock::Attempt(key).hold(db).await?;
    attempt(db, key).await
}

pub(super) async fn attempt(db: &impl GenericClient, key: AttemptKey) -> Done<Attempt> {
    let sql = "SELECT outcome, problem, cancelled_at FROM attempts
               WHERE attempt = $1 AND jkt = $2";
    let Some(row) = one(db, sql, &[&key.attempt, &key.jkt]).await? else {
        return Ok(Attempt::default());
    };
    let word: Option<&str> = row.try_get(0)?;
    let outcome = match word {
        None => None,
        Some(word) => Some(
            Outcome::from_stored(word, row.try_get(1)?)
                .ok_or_else(|| StorageError::Damaged("an unknown outcome".into()))?,
        ),
    };
    Ok(Attempt { outcome, cancelled_at: row.try_get(2)? })
}

/// The grants of an attempt of one device key, the newest first, and no more than the limit.
pub(super) async fn grants_of(
    db: &impl GenericClient,
    limits: &Limits,
    key: AttemptKey,
) -> Done<Vec<Grant>> {
    let sql = select_grant!("attempt = $1 AND jkt = $2 ORDER BY number_of_row DESC LIMIT $3");
    list(db, sql, limits, key).await
}

async fn list(
    db: &impl GenericClient,
    sql: &str,
    limits: &Limits,
    key: AttemptKey,
) -> Done<Vec<Grant>> {
    let statement = db.prepare_cached(sql).await?;
    let most = limit(limits.grants_per_attempt);
    let rows = db.query(&statement, &[&key.attempt, &key.jkt, &most]).await?;
    rows.iter().map(read_grant).collect()
}
