//! The rows of `audit`. An entry is written in the commit of the thing itself; which entries there
//! are, and which are folded, is decided in [`crate::storage::transitions`].

use deadpool_postgres::Transaction;

use super::failure::Done;
use super::statement::{execute, one};
use crate::storage::transitions::{AuditEntry, AuditPlace, Rules};

pub(super) async fn write(db: &Transaction<'_>, rules: &Rules, entry: &AuditEntry) -> Done<()> {
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
        AuditPlace::Insert => insert(db, entry).await,
    }
}

async fn insert(db: &Transaction<'_>, entry: &AuditEntry) -> Done<()> {
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
