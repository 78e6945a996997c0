//! The tables of the PostgreSQL engine, as a list of migrations that only grows. They are in a
//! schema of their own. Instants are seconds since the epoch, ids and hashes are `BYTEA`.

/// The schema that holds the tables.
pub(super) const SCHEMA: &str = "keyport";

/// One migration per version, applied in order and never edited once released.
pub(super) const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql")];
