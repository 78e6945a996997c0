//! `DATABASE_URL` and `KEYPORT_KEY_FILE`: which engine, and where. Not here: opening it.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::postgres_address::PostgresAddress;

/// Where the database is.
#[derive(Debug)]
pub enum DatabaseAddress {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://…`.
    Postgres(Box<PostgresAddress>),
}

/// Where the socket of the operator's tool is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminSocketPath {
    /// The path.
    pub path: PathBuf,
    /// Whether a setting names it: then a service that cannot listen there does not start.
    pub is_named: bool,
}

impl<R: Fn(&str) -> std::io::Result<String>> Environment<R> {
    pub(super) fn database(&mut self) -> DatabaseAddress {
        let given = self.secret("DATABASE_URL", false);
        let text = given.expose();
        let nowhere = DatabaseAddress::Sqlite(PathBuf::new());
        if text.is_empty() {
            return DatabaseAddress::Sqlite("keyport-companion.sqlite".into());
        }
        if let Some(path) = text.strip_prefix("sqlite:") {
            if path.is_empty() || names_no_file(path) {
                self.fault(
                    "DATABASE_URL must name a file: sqlite:PATH. A database in memory would lose \
                     every session at the end of the process, and SQLite's URI parameters are not \
                     supported",
                );
                return nowhere;
            }
            return DatabaseAddress::Sqlite(path.strip_prefix("//").unwrap_or(path).into());
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            self.fault("DATABASE_URL must be sqlite:PATH or postgres://USER@HOST/DATABASE");
            return nowhere;
        }
        match PostgresAddress::parse(text) {
            Ok(address) => DatabaseAddress::Postgres(Box::new(address)),
            Err(fault) => {
                self.fault(format!("DATABASE_URL {fault}"));
                nowhere
            }
        }
    }

    /// Beside a database that is a file; every instance of the others needs the same one.
    pub(super) fn key_file(&mut self, database: &DatabaseAddress) -> PathBuf {
        match (self.optional("KEYPORT_KEY_FILE"), database) {
            (Some(path), _) => PathBuf::from(path),
            (None, DatabaseAddress::Sqlite(database)) => database.with_extension("key"),
            (None, DatabaseAddress::Postgres(_)) => {
                self.fault(
                    "KEYPORT_KEY_FILE is missing: with a PostgreSQL database every instance of \
                     this service needs the same key file",
                );
                PathBuf::new()
            }
        }
    }

    /// Beside the key file, of which every service has one.
    pub(super) fn admin_socket(&self, key_file: &Path) -> AdminSocketPath {
        match self.optional("KEYPORT_ADMIN_SOCKET") {
            Some(path) => AdminSocketPath { path: path.into(), is_named: true },
            None => AdminSocketPath { path: key_file.with_extension("admin"), is_named: false },
        }
    }
}

/// Forms of SQLite that are no plain path: `:memory:`, `file:…` and parameters.
fn names_no_file(path: &str) -> bool {
    let path = path.strip_prefix("//").unwrap_or(path);
    path.starts_with(':') || path.starts_with("file:") || path.contains('?') || path.ends_with('/')
}
