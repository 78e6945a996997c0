//! How a row is read, column by column as `storage/select.rs` asks for them.

use tokio_postgres::Row;

use super::failure::Done;
use crate::domain::{
    Connection as UpstreamConnection, Grant, ListedSession, Organization, Session, User,
};
use crate::storage::StorageError;
use crate::storage::select::{BEFORE_USER, OF_SESSION};
use crate::storage::transitions::{SessionRow, StageColumns, StoredGrant};

pub(super) fn read_stored(row: &Row) -> Done<StoredGrant> {
    Ok(StoredGrant { grant: read_grant(row)?, sealed_state: row.try_get("sealed_state")? })
}

pub(super) fn read_grant(row: &Row) -> Done<Grant> {
    let stage = StageColumns {
        stage: row.try_get("stage")?,
        user: row.try_get("user_id")?,
        device_known: row.try_get("device_known")?,
        number: row.try_get("number")?,
        confirmed: row.try_get("confirmed")?,
        code_deadline: row.try_get("code_deadline")?,
        session: row.try_get("session_id")?,
        problem: row.try_get("problem")?,
        cancelled_by: row.try_get("cancelled_by")?,
    };
    Ok(Grant {
        id: row.try_get("id")?,
        upstream_authorization: row.try_get("upstream_authorization")?,
        request: row.try_get("request")?,
        attempt: row.try_get("attempt")?,
        jkt: row.try_get("jkt")?,
        browser: row.try_get("browser")?,
        client_id: row.try_get("client_id")?,
        redirect_uri: row.try_get("redirect_uri")?,
        code_challenge: row.try_get("code_challenge")?,
        scope: row.try_get("scope")?,
        device_name: row.try_get("device_name")?,
        started_at: row.try_get("started_at")?,
        fulfilled_at: row.try_get("fulfilled_at")?,
        upstream_session: row.try_get("upstream_session")?,
        stage: stage
            .stage()
            .ok_or_else(|| StorageError::Damaged("columns that make no stage".into()))?,
    })
}

/// Reads `user_columns!`, the first of them at `at`.
pub(super) fn read_user(row: &Row, at: usize) -> Done<User> {
    let (organization, name): (Option<String>, _) = (row.try_get(at + 3)?, row.try_get(at + 4)?);
    let (connection, method): (Option<String>, String) =
        (row.try_get(at + 5)?, row.try_get(at + 6)?);
    Ok(User {
        id: row.try_get(at)?,
        email: row.try_get(at + 1)?,
        name: row.try_get(at + 2)?,
        organization: organization.map(|id| Organization { id, name }),
        connection: connection.map(|id| UpstreamConnection { id, kind: method.clone() }),
        method,
    })
}

/// Reads what `sessions_to_list` selects.
pub(super) fn read_listed(row: &Row) -> Done<ListedSession> {
    let SessionRow { session, created_at, .. } = read_session(row)?;
    let address: Option<&str> = row.try_get(OF_SESSION + 2)?;
    let last_address = address
        .map(str::parse)
        .transpose()
        .map_err(|_| StorageError::Damaged("an address that is none".into()))?;
    Ok(ListedSession {
        session,
        created_at,
        device_name: row.try_get(OF_SESSION)?,
        last_used: row.try_get(OF_SESSION + 1)?,
        last_address,
    })
}

/// Reads `session_columns!`.
pub(super) fn read_session(row: &Row) -> Done<SessionRow> {
    Ok(SessionRow {
        session: Session {
            id: row.try_get(0)?,
            client_id: row.try_get(1)?,
            jkt: row.try_get(2)?,
            scope: row.try_get(3)?,
            auth_time: row.try_get(4)?,
            deadline: row.try_get(6)?,
            user: read_user(row, BEFORE_USER)?,
        },
        created_at: row.try_get(5)?,
        ended: row.try_get(7)?,
        key_is_known: row.try_get(8)?,
    })
}
