//! What an operator reads.

use rusqlite::{Connection, Row, ToSql, params};

use super::SqliteStorage;
use super::columns::read_user;
use super::worker::Done;
use crate::domain::{Timestamp, UserId};
use crate::storage::select::{AUDIT_TO_LIST, OF_USER, users_to_list};
use crate::storage::{
    AuditPage, AuditRecord, ListedUser, Listings, Reply, UserSelector, UsersPage,
};

impl Listings for SqliteStorage {
    fn list_users(
        &self,
        selector: UserSelector,
        page: UsersPage,
        now: Timestamp,
    ) -> Reply<'_, Vec<ListedUser>> {
        self.read(move |db, _| users(db, &selector, page, now))
    }

    fn list_audit(&self, page: AuditPage) -> Reply<'_, Vec<AuditRecord>> {
        self.read(move |db, _| {
            let values = params![page.after, page.since, page.limit];
            let mut listed = db.prepare_cached(AUDIT_TO_LIST)?;
            Ok(listed.query_map(values, read_record)?.collect::<rusqlite::Result<_>>()?)
        })
    }
}

fn users(
    db: &Connection,
    selector: &UserSelector,
    page: UsersPage,
    now: Timestamp,
) -> Done<Vec<ListedUser>> {
    let after = page.after.unwrap_or(UserId::from_bytes([0; 16]));
    let values = params![now, value_of(selector), after, page.limit];
    let mut listed = db.prepare_cached(&users_to_list(selector))?;
    Ok(listed.query_map(values, read_listed)?.collect::<rusqlite::Result<_>>()?)
}

fn value_of(selector: &UserSelector) -> &dyn ToSql {
    match selector {
        UserSelector::Id(id) => id,
        UserSelector::Email(text)
        | UserSelector::Organization(text)
        | UserSelector::Connection(text) => text,
        UserSelector::All => &"",
    }
}

fn read_listed(row: &Row<'_>) -> rusqlite::Result<ListedUser> {
    Ok(ListedUser {
        user: read_user(row, 0)?,
        created_at: row.get(OF_USER)?,
        signed_in_at: row.get(OF_USER + 1)?,
        sessions: row.get(OF_USER + 2)?,
    })
}

fn read_record(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    Ok(AuditRecord {
        id: row.get(0)?,
        at: row.get(1)?,
        last_at: row.get(2)?,
        event: row.get(3)?,
        detail: row.get(4)?,
        class: row.get(5)?,
        folded: row.get(6)?,
        user: row.get(7)?,
        session: row.get(8)?,
        grant: row.get(9)?,
        client_id: row.get(10)?,
        jkt: row.get(11)?,
    })
}
