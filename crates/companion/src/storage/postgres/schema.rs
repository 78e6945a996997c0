//! The tables of the PostgreSQL engine, as a list of migrations that only grows. They are in a
//! schema of their own. Instants are seconds since the epoch, ids and hashes are `BYTEA`.

use std::fmt::Write as _;

/// The schema that holds the tables.
pub(super) const SCHEMA: &str = "keyport";

/// One migration per version, applied in order and never edited once released.
pub(super) const MIGRATIONS: &[&str] =
    &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];

/// The tables and their columns, as the migrations leave them; the last column can be written.
const TABLES: [(&str, &str); 11] = [
    ("binding", "singleton, version, key_check, probes, latest_seen"),
    (
        "users",
        "id, issuer, connection_id, idp_id, connection_type, profile_id, email, name, \
         organization_id, organization_name, attributes, created_at, updated_at, upstream",
    ),
    ("device_keys", "jkt, user_id, device_name, first_seen, last_seen"),
    (
        "grants",
        "number_of_row, id, upstream_authorization, request, attempt, jkt, browser, client_id, \
         redirect_uri, sealed_state, code_challenge, scope, device_name, started_at, fulfilled_at, \
         stage, user_id, device_known, number, confirmed, code_hash, code_deadline, session_id, \
         problem, cancelled_by, sweep_at, upstream_session",
    ),
    ("attempts", "attempt, jkt, outcome, problem, cancelled_at, sweep_at"),
    (
        "sessions",
        "id, user_id, client_id, jkt, scope, auth_time, created_at, deadline, ended_at, \
         ended_because, last_address, upstream_session",
    ),
    ("families", "id, session_id, generation, token_hash, sealed_child, used_at"),
    (
        "audit",
        "id, at, last_at, event, detail, class, source, folded, user_id, session_id, grant_id, \
         client_id, jkt",
    ),
    (
        "upstream_subjects",
        "kind, id, state, updated_at, event, withdrawn_at, organization, person, email, seen_at",
    ),
    ("upstream_events", "id, taken_at"),
    ("upstream_feed", "singleton, position, holder, held_until"),
];

/// Statements that fail where an operation would: a table or column that is missing, a right that
/// this role has not, a lock of another session. They read and change no row.
pub(super) fn probe() -> String {
    TABLES.iter().fold(String::new(), |mut sql, (table, columns)| {
        let last = columns.rsplit(", ").next().unwrap_or_default();
        let _ = write!(
            sql,
            "SELECT {columns} FROM {table} LIMIT 0;
             INSERT INTO {table} ({last}) SELECT {last} FROM {table} WHERE FALSE;
             UPDATE {table} SET {last} = {last} WHERE FALSE;
             DELETE FROM {table} WHERE FALSE;"
        );
        sql
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_and_column_of_the_migrations_is_listed() {
        assert_eq!(columns_by_table(), TABLES.map(|(table, columns)| (table, columns.to_owned())));
    }

    /// What `CREATE TABLE` names, and after it what `ALTER TABLE … ADD COLUMN` has added.
    fn columns_by_table() -> Vec<(&'static str, String)> {
        let mut tables: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in MIGRATIONS.iter().flat_map(|migration| migration.lines()) {
            let added =
                line.strip_prefix("ALTER TABLE ").and_then(|it| it.split_once(" ADD COLUMN "));
            let column = line.strip_prefix("    ").and_then(|it| it.split_once(' '));
            if let Some(table) = line.strip_prefix("CREATE TABLE ") {
                tables.push((table.trim_end_matches(" ("), Vec::new()));
            } else if let Some((table, column)) = added {
                let known = tables.iter_mut().find(|(known, _)| *known == table).unwrap();
                known.1.push(column.split_once(' ').unwrap().0);
            } else if let Some((column, _)) = column
                && column.starts_with(|first: char| first.is_ascii_lowercase())
            {
                tables.last_mut().unwrap().1.push(column);
            }
        }
        tables.into_iter().map(|(table, columns)| (table, columns.join(", "))).collect()
    }
}
