//! The columns of each kind of row, and how a row is read.

use rusqlite::Row;
use rusqlite::types::FromSqlError;

use crate::domain::{Connection as UpstreamConnection, Grant, Organization, Session, User};
use crate::storage::transitions::{SessionRow, StageColumns, StoredGrant};

macro_rules! select_grant {
    ($condition:literal) => {
        concat!(
            "SELECT id, upstream_authorization, request, attempt, jkt, browser, client_id,
                    redirect_uri, code_challenge, scope, device_name, started_at, fulfilled_at,
                    stage, user_id, device_known, number, confirmed, code_deadline, session_id,
                    problem, cancelled_by, sealed_state
             FROM grants WHERE ",
            $condition
        )
    };
}
pub(super) use select_grant;

macro_rules! user_columns {
    () => {
        "users.id, users.email, users.name, users.organization_id, users.organization_name,
         users.connection_id, users.connection_type"
    };
}
pub(super) use user_columns;

macro_rules! session_columns {
    () => {
        concat!(
            "sessions.id, sessions.client_id, sessions.jkt, sessions.scope, sessions.auth_time,
             sessions.created_at, sessions.deadline, sessions.ended_at IS NOT NULL,
             EXISTS (SELECT 1 FROM device_keys
                     WHERE device_keys.jkt = sessions.jkt
                       AND device_keys.user_id = sessions.user_id), ",
            user_columns!()
        )
    };
}
pub(super) use session_columns;

/// Columns of a session before those of its user, and of a session with its user.
const BEFORE_USER: usize = 9;
pub(super) const OF_SESSION: usize = BEFORE_USER + 7;

macro_rules! select_session {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            session_columns!(),
            " FROM sessions JOIN users ON users.id = sessions.user_id WHERE ",
            $condition
        )
    };
}
pub(super) use select_session;

pub(super) fn read_stored(row: &Row<'_>) -> rusqlite::Result<StoredGrant> {
    Ok(StoredGrant { grant: read_grant(row)?, sealed_state: row.get("sealed_state")? })
}

pub(super) fn read_grant(row: &Row<'_>) -> rusqlite::Result<Grant> {
    let stage = StageColumns {
        stage: row.get("stage")?,
        user: row.get("user_id")?,
        device_known: row.get("device_known")?,
        number: row.get("number")?,
        confirmed: row.get("confirmed")?,
        code_deadline: row.get("code_deadline")?,
        session: row.get("session_id")?,
        problem: row.get("problem")?,
        cancelled_by: row.get("cancelled_by")?,
    };
    Ok(Grant {
        id: row.get("id")?,
        upstream_authorization: row.get("upstream_authorization")?,
        request: row.get("request")?,
        attempt: row.get("attempt")?,
        jkt: row.get("jkt")?,
        browser: row.get("browser")?,
        client_id: row.get("client_id")?,
        redirect_uri: row.get("redirect_uri")?,
        code_challenge: row.get("code_challenge")?,
        scope: row.get("scope")?,
        device_name: row.get("device_name")?,
        started_at: row.get("started_at")?,
        fulfilled_at: row.get("fulfilled_at")?,
        stage: stage.stage().ok_or(FromSqlError::InvalidType)?,
    })
}

/// Reads `user_columns!`, the first of them at `at`.
pub(super) fn read_user(row: &Row<'_>, at: usize) -> rusqlite::Result<User> {
    let (organization, name): (Option<String>, _) = (row.get(at + 3)?, row.get(at + 4)?);
    Ok(User {
        id: row.get(at)?,
        email: row.get(at + 1)?,
        name: row.get(at + 2)?,
        organization: organization.map(|id| Organization { id, name }),
        connection: UpstreamConnection { id: row.get(at + 5)?, kind: row.get(at + 6)? },
    })
}

/// Reads `session_columns!`.
pub(super) fn read_session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        session: Session {
            id: row.get(0)?,
            client_id: row.get(1)?,
            jkt: row.get(2)?,
            scope: row.get(3)?,
            auth_time: row.get(4)?,
            deadline: row.get(6)?,
            user: read_user(row, BEFORE_USER)?,
        },
        created_at: row.get(5)?,
        is_ended: row.get(7)?,
        key_is_known: row.get(8)?,
    })
}
