//! The tables of the SQLite engine, as a list of migrations that only grows. Instants are seconds
//! since the epoch, ids and hashes are blobs. Pending rows of `grants` are the journal of upstream
//! exchanges.

/// Marks the file as ours: "KPRT".
pub(super) const APPLICATION_ID: i64 = 0x4b50_5254;

/// One migration per version, applied in order and never edited once released.
pub(super) const MIGRATIONS: &[&str] =
    &[include_str!("schema/1.sql"), include_str!("schema/2.sql")];
