//! What an operator reads.

use std::sync::Arc;

use deadpool_postgres::GenericClient;
use futures_util::future::try_join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresStorage;
use super::columns::read_user;
use super::failure::Done;
use super::statement::Values;
use crate::domain::{Timestamp, UserId};
use crate::storage::select::{AUDIT_TO_LIST, OF_USER, users_to_list};
use crate::storage::{
    AuditPage, AuditRecord, ListedUser, Listings, Reply, UserSelector, UsersPage,
};

impl Listings for PostgresStorage {
    fn list_users(
        &self,
        selector: UserSelector,
        page: UsersPage,
        now: Timestamp,
    ) -> Reply<'_, Vec<ListedUser>> {
        let engine = Arc::clone(&self.0);
        self.read(async move {
            let db = engine.pool.get().await?;
            let listed = users(&db, &selector, page, now);
            let ((), listed) = try_join(engine.check(&db, now), listed).await?;
            Ok(listed)
        })
    }

    fn list_audit(&self, page: AuditPage) -> Reply<'_, Vec<AuditRecord>> {
        let engine = Arc::clone(&self.0);
        self.read(async move {
            let db = engine.pool.get().await?;
            let statement = db.prepare_cached(AUDIT_TO_LIST).await?;
            let values: Values<'_> = &[&page.after, &page.since, &limit(page.limit)];
            db.query(&statement, values).await?.iter().map(read_record).collect()
        })
    }
}

fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

async fn users(
    db: &impl GenericClient,
    selector: &UserSelector,
    page: UsersPage,
    now: Timestamp,
) -> Done<Vec<ListedUser>> {
    let after = page.after.unwrap_or(UserId::from_bytes([0; 16]));
    let statement = db.prepare_cached(&users_to_list(selector)).await?;
    let values: Values<'_> = &[&now, value_of(selector), &after, &limit(page.limit)];
    db.query(&statement, values).await?.iter().map(read_listed).collect()
}

fn value_of(selector: &UserSelector) -> &(dyn ToSql + Sync) {
    match selector {
        UserSelector::Id(id) => id,
        UserSelector::Email(text)
        | UserSelector::Organization(text)
        | UserSelector::Connection(text) => text,
        UserSelector::All => &"",
    }
}

fn read_listed(row: &Row) -> Done<ListedUser> {
    let sessions: i64 = row.try_get(OF_USER + 2)?;
    Ok(ListedUser {
        user: read_user(row, 0)?,
        created_at: row.try_get(OF_USER)?,
        signed_in_at: row.try_get(OF_USER + 1)?,
        sessions: usize::try_from(sessions).unwrap_or_default(),
    })
}

fn read_record(row: &Row) -> Done<AuditRecord> {
    Ok(AuditRecord {
        id: row.try_get(0)?,
        at: row.try_get(1)?,
        last_at: row.try_get(2)?,
        event: row.try_get(3)?,
        detail: row.try_get(4)?,
        class: row.try_get(5)?,
        folded: row.try_get(6)?,
        user: row.try_get(7)?,
        session: row.try_get(8)?,
        grant: row.try_get(9)?,
        client_id: row.try_get(10)?,
        jkt: row.try_get(11)?,
    })
}
