//! `postgres://…`: host, database and TLS, as the driver reads them. Not here: connecting.

use std::path::PathBuf;

use keyport_uri::is_loopback_host;
use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// A PostgreSQL server and one of its databases. The address is read once, by the driver: what is
/// judged here and what is connected to cannot differ. (Its `Debug` leaves the password out.)
#[derive(Debug)]
pub struct PostgresAddress {
    config: Config,
    name: String,
    tls: DatabaseTls,
}

/// Parameters that go to the driver. An unknown one is not repeated in a message: it may be a part
/// of a password.
const PARAMETERS: [&str; 15] = [
    "user",
    "password",
    "dbname",
    "host",
    "hostaddr",
    "port",
    "options",
    "application_name",
    "channel_binding",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "load_balance_hosts",
    "target_session_attrs",
];

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
    /// The address for the driver, password included; TLS as [`tls`](Self::tls) has it.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
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
        let (server, query) = text.split_once('?').unwrap_or((text, ""));
        refuse_ambiguous(text)?;
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (key, value) = parameter.split_once('=').unwrap_or_default();
            let decoded = || percent_decode_str(value).decode_utf8_lossy().into_owned();
            match key {
                "sslmode" => mode = Some(decoded()),
                "sslrootcert" => roots = Some(PathBuf::from(decoded())),
                known if PARAMETERS.contains(&known) => others.push(parameter),
                _ => {
                    return Err(format!(
                        "has a parameter that is not known; there are sslmode, sslrootcert, {}",
                        PARAMETERS.join(", ")
                    ));
                }
            }
        }
        let config = format!("{server}?{}", others.join("&"));
        let mut config: Config = config.parse().map_err(|cause| is_no_address(&cause))?;
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err("names no database: postgres://USER@HOST/DATABASE".to_owned());
        }
        let tls = DatabaseTls::chosen(mode.as_deref(), roots, is_this_machine(&config)?)?;
        config.ssl_mode(match tls {
            DatabaseTls::Off => tokio_postgres::config::SslMode::Disable,
            DatabaseTls::VerifyFull { .. } => tokio_postgres::config::SslMode::Require,
        });
        Ok(Self { name: name(&config), config, tls })
    }
}

/// In user and password the driver takes everything up to the first `@`, whatever stands there.
fn refuse_ambiguous(text: &str) -> Result<(), String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let before_query = rest.split_once('?').map_or(rest, |(before, _)| before);
    let credentials = rest.split_once('@').map_or("", |(credentials, _)| credentials);
    if credentials.contains(['/', '?', '#', '\\']) || before_query.matches('@').count() > 1 {
        return Err("has a user or password with one of / ? # @ \\ in it: write %2F %3F %23 %40 \
                    %5C"
        .to_owned());
    }
    Ok(())
}

/// The driver's errors name the parameter and not its value.
fn is_no_address(cause: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    cause.source().map_or_else(|| "is no address".to_owned(), |why| format!("is no address: {why}"))
}

/// Whether each host is a loopback address, its name, or the folder of a Unix socket.
fn is_this_machine(config: &Config) -> Result<bool, String> {
    let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
    if hosts.is_empty() && addresses.is_empty() {
        return Err("names no host: postgres://USER@HOST/DATABASE".to_owned());
    }
    let is_loopback = |host: &Host| match host {
        Host::Tcp(name) => is_loopback_host(name),
        Host::Unix(_) => true,
    };
    Ok(hosts.iter().all(is_loopback) && addresses.iter().all(std::net::IpAddr::is_loopback))
}

fn name(config: &Config) -> String {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    });
    let addresses = config.get_hostaddrs().iter().map(ToString::to_string);
    let hosts = hosts.chain(addresses).collect::<Vec<_>>().join(",");
    let ports = config.get_ports().iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let colon = if ports.is_empty() { "" } else { ":" };
    format!("{hosts}{colon}{ports}/{}", config.get_dbname().unwrap_or_default())
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

    fn refused(url: &str) -> String {
        PostgresAddress::parse(url).expect_err(url)
    }

    #[test]
    fn roots_of_a_file_are_used_and_kept_from_the_driver() {
        let url = "postgres://u:p@db.acme.test/k?sslrootcert=/etc/a%20b+c.pem&user=x";
        let address = PostgresAddress::parse(url).unwrap();
        let roots = Some(PathBuf::from("/etc/a b+c.pem"));
        assert_eq!(*address.tls(), DatabaseTls::VerifyFull { roots });
        assert_eq!(address.config().get_user(), Some("x"));
        assert_eq!(address.config().get_ssl_mode(), tokio_postgres::config::SslMode::Require);
    }

    #[test]
    fn what_the_driver_reads_as_a_password_is_in_no_message() {
        let address = PostgresAddress::parse("postgres://u:hunter2@db.acme.test:5433/k").unwrap();
        assert_eq!(address.name(), "db.acme.test:5433/k");
        assert!(!format!("{address:?}").contains("hunter2"));
        for bad in [
            "postgres://u:hunter2@",
            "postgres://u:hunter2@h",
            "postgres://u:hunter2@h/",
            "postgres://u:7/hunter2@h:5432/k",
            "postgres://u:/hunter2@h/k",
            "postgres://u:12?hunter2@h/k",
            "postgres://u:12#hunter2@h/k",
            "postgres://u:1\\hunter2@h/k",
            "postgres://u:a@hunter2@h/k",
            "postgres://u@h/k?hunter2",
            "postgres://u@h/k?hunter2=1",
            "postgres://u@h/k?port=hunter2",
            "postgres://u@h:hunter2/k",
            "postgres:///k?user=hunter2",
        ] {
            let fault = refused(bad);
            assert!(!fault.contains("hunter2"), "{bad}: {fault}");
        }
    }

    #[test]
    fn tls_is_judged_for_the_host_that_is_connected_to() {
        for two_readings in [
            "postgres://127.0.0.1:5432/pw@192.0.2.2:5432/k",
            "postgres://localhost/x@192.0.2.2/k",
            "postgres://localhost?x@192.0.2.2/k",
        ] {
            assert!(refused(two_readings).contains("%2F"), "{two_readings}");
        }
        let verified = Ok(DatabaseTls::VerifyFull { roots: None });
        assert_eq!(tls("postgres://u@127.0.0.1,192.0.2.2/k"), verified);
        assert_eq!(tls("postgres://localhost@192.0.2.2/k"), verified);
        assert_eq!(tls("postgres://u@127.0.0.1,localhost/k"), Ok(DatabaseTls::Off));
        assert_eq!(tls("postgres://u@%2Frun%2Fpostgresql/k"), Ok(DatabaseTls::Off));
    }

    #[test]
    fn parameters_reach_the_driver_as_they_were_written() {
        let url = "postgres://u@localhost/k?password=p%20w%2Fd@&options=-c%20geqo%3Doff";
        let address = PostgresAddress::parse(url).unwrap();
        assert_eq!(address.config().get_password(), Some(b"p w/d@".as_slice()));
        assert_eq!(address.config().get_options(), Some("-c geqo=off"));
    }
}
