//! How a row is read, column by column as `storage/select.rs` asks for them.

use rusqlite::Row;
use rusqlite::types::FromSqlError;

use crate::domain::{
    Connection as UpstreamConnection, Grant, ListedSession, Organization, Session, User,
};
use crate::storage::select::{BEFORE_USER, OF_SESSION};
use crate::storage::transitions::{SessionRow, StageColumns, StoredGrant};

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
        upstream_session: row.get("upstream_session")?,
        stage: stage.stage().ok_or(FromSqlError::InvalidType)?,
    })
}

/// Reads `user_columns!`, the first of them at `at`.
pub(super) fn read_user(row: &Row<'_>, at: usize) -> rusqlite::Result<User> {
    let (organization, name): (Option<String>, _) = (row.get(at + 3)?, row.get(at + 4)?);
    let (connection, method): (Option<String>, String) = (row.get(at + 5)?, row.get(at + 6)?);
    Ok(User {
        id: row.get(at)?,
        email: row.get(at + 1)?,
        name: row.get(at + 2)?,
        organization: organization.map(|id| Organization { id, name }),
        connection: connection.map(|id| UpstreamConnection { id, kind: method.clone() }),
        method,
    })
}

/// Reads what `sessions_to_list` selects.
pub(super) fn read_listed(row: &Row<'_>) -> rusqlite::Result<ListedSession> {
    let SessionRow { session, created_at, .. } = read_session(row)?;
    let address: Option<String> = row.get(OF_SESSION + 2)?;
    let last_address =
        address.map(|text| text.parse()).transpose().map_err(|_| FromSqlError::InvalidType)?;
    Ok(ListedSession {
        session,
        created_at,
        device_name: row.get(OF_SESSION)?,
        last_used: row.get(OF_SESSION + 1)?,
        last_address,
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
        ended: row.get(7)?,
        key_is_known: row.get(8)?,
    })
}
