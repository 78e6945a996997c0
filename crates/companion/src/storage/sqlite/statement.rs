//! Running a statement, prepared once for each connection.

use rusqlite::{Connection, ToSql};

/// Executes a statement that changes rows.
pub(super) fn execute(db: &Connection, sql: &str, values: &[&dyn ToSql]) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute(values).map(drop)
}
