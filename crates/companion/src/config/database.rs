//! `DATABASE_URL` and `KEYPORT_KEY_FILE`: which engine, and where. Not here: opening it.

use std::path::PathBuf;

use keyport_loopback::is_loopback_host;
use url::Url;

use super::environment::Environment;
use crate::domain::SecretText;

/// Where the database is.
#[derive(Debug)]
pub enum DatabaseAddress {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://…`.
    Postgres(PostgresAddress),
}

/// A PostgreSQL server and one of its databases.
#[derive(Debug)]
pub struct PostgresAddress {
    url: SecretText,
    name: String,
    tls: DatabaseTls,
}

/// Whether the connection to the server is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseTls {
    /// It is not; the server is on this machine.
    Off,
    /// Certificate and host name are verified.
    VerifyFull {
        /// A PEM file of trusted roots; unset, those of the system.
        roots: Option<PathBuf>,
    },
}

impl DatabaseTls {
    /// By `sslmode` and `sslrootcert`: off only where the server is on this machine.
    fn chosen(mode: Option<&str>, roots: Option<PathBuf>, is_local: bool) -> Result<Self, String> {
        match mode {
            None | Some("disable") if is_local && roots.is_none() => Ok(Self::Off),
            None | Some("verify-full") => Ok(Self::VerifyFull { roots }),
            Some("disable") => Err("turns TLS off, which is for a server on this machine only; \
                                    leave sslmode out or set sslmode=verify-full"
                .to_owned()),
            Some(other) => Err(format!(
                "has sslmode={other}; certificate and host name are always verified: leave it \
                 out or set sslmode=verify-full"
            )),
        }
    }
}

impl PostgresAddress {
    /// The address for the driver, password included; parameters that are ours are taken out.
    #[must_use]
    pub const fn url(&self) -> &SecretText {
        &self.url
    }

    /// Host, port and database, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn tls(&self) -> &DatabaseTls {
        &self.tls
    }

    /// Reads `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// A sentence without the address, which may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut url = Url::parse(text).map_err(|cause| format!("is no address: {cause}"))?;
        if url.path().trim_matches('/').is_empty() {
            return Err("names no database: postgres://USER@HOST/DATABASE".to_owned());
        }
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        let mut hosts: Vec<String> = url.host_str().map(str::to_owned).into_iter().collect();
        for (key, value) in url.query_pairs().into_owned() {
            match &*key {
                "sslmode" => mode = Some(value),
                "sslrootcert" => roots = Some(PathBuf::from(value)),
                _ => {
                    if key == "host" || key == "hostaddr" {
                        hosts.extend(value.split(',').map(str::to_owned));
                    }
                    others.push((key, value));
                }
            }
        }
        let is_local = !hosts.is_empty() && hosts.iter().all(|host| is_this_machine(host));
        let tls = DatabaseTls::chosen(mode.as_deref(), roots, is_local)?;
        let name = format!(
            "{}{}{}",
            hosts.join(","),
            url.port().map(|port| format!(":{port}")).unwrap_or_default(),
            url.path()
        );
        url.set_query(None);
        if !others.is_empty() {
            url.query_pairs_mut().extend_pairs(others);
        }
        let mode = if tls == DatabaseTls::Off { "disable" } else { "require" };
        url.query_pairs_mut().append_pair("sslmode", mode);
        Ok(Self { url: SecretText::new(url.as_str()), name, tls })
    }
}

/// A loopback address, its name, or the folder of a Unix socket.
fn is_this_machine(host: &str) -> bool {
    host.starts_with('/') || is_loopback_host(host)
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
            Ok(address) => DatabaseAddress::Postgres(address),
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
}

/// Forms of SQLite that are no plain path: `:memory:`, `file:…` and parameters.
fn names_no_file(path: &str) -> bool {
    let path = path.strip_prefix("//").unwrap_or(path);
    path.starts_with(':') || path.starts_with("file:") || path.contains('?') || path.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(url: &str) -> Result<DatabaseTls, String> {
        PostgresAddress::parse(url).map(|address| address.tls().clone())
    }

    #[test]
    fn tls_is_verified_for_every_server_that_is_not_on_this_machine() {
        let verified = Ok(DatabaseTls::VerifyFull { roots: None });
        for remote in [
            "postgres://u:p@db.acme.test/keyport",
            "postgresql://u@10.0.0.7:5433/keyport?sslmode=verify-full",
            "postgres://u@localhost/keyport?host=db.acme.test",
            "postgres://u@127.0.0.1/keyport?hostaddr=10.0.0.7",
            "postgres://u@127.0.0.1/keyport?sslmode=verify-full",
        ] {
            assert_eq!(tls(remote), verified, "{remote}");
        }
        for off in ["disable", "allow", "prefer", "require", "verify-ca", "no"] {
            let refused = tls(&format!("postgres://u@db.acme.test/keyport?sslmode={off}"));
            assert!(refused.unwrap_err().contains("verify-full"), "{off}");
        }
        for local in [
            "postgres://u@localhost/keyport",
            "postgres://u@127.0.0.1:5433/keyport?sslmode=disable",
            "postgres://u@[::1]/keyport",
            "postgres:///keyport?host=/run/postgresql",
        ] {
            assert_eq!(tls(local), Ok(DatabaseTls::Off), "{local}");
        }
    }

    #[test]
    fn roots_of_a_file_are_used_and_kept_from_the_driver() {
        let address =
            PostgresAddress::parse("postgres://u:p@db.acme.test/k?sslrootcert=/etc/ca.pem&x=1");
        let address = address.unwrap();
        let roots = Some(PathBuf::from("/etc/ca.pem"));
        assert_eq!(*address.tls(), DatabaseTls::VerifyFull { roots });
        assert_eq!(address.url().expose(), "postgres://u:p@db.acme.test/k?x=1&sslmode=require");
    }

    #[test]
    fn a_password_is_in_no_message() {
        let address = PostgresAddress::parse("postgres://u:hunter2@db.acme.test:5433/k").unwrap();
        assert_eq!(address.name(), "db.acme.test:5433/k");
        assert!(!format!("{address:?}").contains("hunter2"));
        for bad in ["postgres://u:hunter2@", "postgres://u:hunter2@h", "postgres://u:hunter2@h/"] {
            let fault = PostgresAddress::parse(bad).unwrap_err();
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
