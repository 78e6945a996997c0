//! Running a statement, prepared once for each connection.

use deadpool_postgres::GenericClient;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::failure::Done;

/// Values of a statement.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

pub(super) async fn one(
    db: &impl GenericClient,
    sql: &str,
    values: Values<'_>,
) -> Done<Option<Row>> {
    let statement = db.prepare_cached(sql).await?;
    Ok(db.query_opt(&statement, values).await?)
}

/// Executes a statement that changes rows; returns how many.
pub(super) async fn execute(db: &impl GenericClient, sql: &str, values: Values<'_>) -> Done<u64> {
    let statement = db.prepare_cached(sql).await?;
    Ok(db.execute(&statement, values).await?)
}
