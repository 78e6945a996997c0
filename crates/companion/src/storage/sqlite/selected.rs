//! Reading the sessions that a selector means.

use rusqlite::{Connection, ToSql, params};

use super::columns::{read_grant, read_listed, read_session};
use super::worker::Done;
use crate::domain::{ListedSession, SessionId, SessionSelector, Timestamp};
use crate::storage::select::{
    TOO_NEW, UPSTREAM_SESSIONS, grants_to_end, sessions_to_end, sessions_to_list,
};
use crate::storage::transitions::EndRows;
use crate::storage::{SessionsPage, UpstreamSessions};

/// The value of a selector.
fn value_of(selector: &SessionSelector) -> &dyn ToSql {
    match selector {
        SessionSelector::Session(id) => id,
        SessionSelector::User(id) | SessionSelector::Everywhere { user: id, .. } => id,
        SessionSelector::DeviceKey(jkt) => jkt,
        SessionSelector::Organization(id)
        | SessionSelector::Connection(id)
        | SessionSelector::UpstreamSession(id) => id,
        SessionSelector::All => &"",
    }
}

/// Those of sign-ins before `before`.
pub(super) fn for_end(
    db: &Connection,
    selector: &SessionSelector,
    before: Timestamp,
) -> Done<EndRows> {
    let values = params![value_of(selector), before, EndRows::MOST];
    let mut sessions = db.prepare_cached(&sessions_to_end(selector))?;
    let sessions = sessions.query_map(values, read_session)?.collect::<rusqlite::Result<_>>()?;
    let grants = match grants_to_end(selector) {
        None => Vec::new(),
        Some(sql) => {
            db.prepare_cached(&sql)?.query_map(values, read_grant)?.collect::<Result<_, _>>()?
        }
    };
    Ok(EndRows { sessions, grants })
}

pub(super) fn of_upstream(
    db: &Connection,
    upstream: &str,
    issuer: &str,
    after: &str,
    now: Timestamp,
) -> Done<Option<UpstreamSessions>> {
    let values = params![issuer, upstream, after, now, now.seconds() - TOO_NEW];
    let mut found = db.prepare_cached(UPSTREAM_SESSIONS)?;
    let rows = found.query_map(values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows = rows.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
    Ok(UpstreamSessions::of(rows))
}

pub(super) fn listed(
    db: &Connection,
    selector: &SessionSelector,
    page: SessionsPage,
    now: Timestamp,
) -> Done<Vec<ListedSession>> {
    let after = page.after.unwrap_or(SessionId::from_bytes([0; 16]));
    let values = params![value_of(selector), after, now, page.limit];
    let mut listed = db.prepare_cached(&sessions_to_list(selector))?;
    Ok(listed.query_map(values, read_listed)?.collect::<rusqlite::Result<_>>()?)
}
