//! What the operator decides, from the environment alone and judged before anything listens. Every
//! fault is found at once and named; a secret's value never appears in one. Not here: opening what
//! is named.

mod admission;
mod database;
mod environment;
mod files;
mod kubernetes;
pub(crate) mod log_filter;
mod postgres_address;
mod proxies;
mod reloadable;
mod variables;
mod webhook_secrets;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use keyport_uri::is_loopback_host;
use url::Url;

use crate::admission::{AdmissionPolicy, AuthKitUse};
use crate::clients::{ClientRecord, Records, ResourceServer};
use environment::Environment;

use crate::domain::{Lifetimes, SecretText};
pub use admission::IdRules;
pub use database::{AdminSocketPath, DatabaseAddress};
pub use files::read_settings_file;
pub use postgres_address::{DatabaseTls, PostgresAddress};
pub use proxies::TrustedProxies;
pub use reloadable::Reloadable;
pub use variables::{VARIABLES, Variable};

/// Days a session may rest before it ends, unless set otherwise.
const IDLE_DAYS: u64 = 30;
/// Days after which a session ends in any case, unless set otherwise.
const ABSOLUTE_DAYS: u64 = 180;
const DAY: u64 = 24 * 60 * 60;

/// Everything the service needs to know before it starts.
#[derive(Debug)]
pub struct Settings {
    /// The issuer, exactly as every answer spells it: scheme, host and port, no slash at the end.
    /// `None`: the address that ends up being listened on, which is a loopback one.
    pub public_url: Option<String>,
    /// WorkOS and our account there.
    pub upstream: UpstreamSettings,
    /// Who may sign in.
    pub policy: AdmissionPolicy,
    /// The apps with which they may.
    pub clients: Vec<ClientRecord>,
    /// The APIs that may introspect.
    pub resource_servers: Vec<ResourceServer>,
    /// Where the database is.
    pub database: DatabaseAddress,
    /// The key file; unset, it lies beside a database that is a file.
    pub key_file: PathBuf,
    /// The socket of the operator's tool.
    pub admin_socket: AdminSocketPath,
    /// The secrets with which the provider signs webhooks; none: no webhook is taken.
    pub webhook_secrets: Vec<SecretText>,
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// The proxies whose forwarded client addresses count.
    pub trusted_proxies: TrustedProxies,
}

/// How to reach the upstream.
#[derive(Debug)]
pub struct UpstreamSettings {
    /// `WORKOS_BASE_URL`, no slash at the end.
    pub base_url: String,
    /// `WORKOS_CLIENT_ID`.
    pub client_id: String,
    /// `WORKOS_API_KEY`.
    pub api_key: SecretText,
    /// `WORKOS_AUTHKIT_DOMAIN`: the origin of a domain of our own for AuthKit.
    pub authkit_domain: Option<String>,
}

/// Everything that is wrong with the environment, one sentence per line.
#[derive(Debug, thiserror::Error)]
#[error("the settings are not usable:\n  - {}", .0.join("\n  - "))]
pub struct EnvironmentError(pub Vec<String>);

impl Settings {
    /// Judges the environment. `read` opens a `NAME_FILE`; `ids` are the upstream's rules for ids
    /// and names.
    ///
    /// # Errors
    /// All faults together.
    pub fn judge(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        listen: SocketAddr,
        read: impl Fn(&str) -> std::io::Result<String>,
        ids: &IdRules,
    ) -> Result<Self, EnvironmentError> {
        let mut environment = Environment::new(variables, read);
        let upstream = environment.upstream();
        let public_url = environment.public_url(listen);
        let policy = environment.policy(ids);
        let Records { clients, resource_servers } = environment.records();
        environment.check_audiences(&resource_servers, public_url.as_deref());
        let database = environment.database();
        let key_file = environment.key_file(&database);
        let admin_socket = environment.admin_socket(&key_file);
        let webhook_secrets = environment.webhook_secrets();
        let lifetimes = environment.lifetimes();
        let trusted_proxies = environment.trusted_proxies();
        environment.log_filter();
        environment.finish()?;
        Ok(Self {
            public_url,
            upstream,
            policy,
            clients,
            resource_servers,
            database,
            key_file,
            admin_socket,
            webhook_secrets,
            lifetimes,
            trusted_proxies,
        })
    }
}

impl<R: Fn(&str) -> std::io::Result<String>> Environment<R> {
    fn upstream(&mut self) -> UpstreamSettings {
        let base_url =
            self.optional("WORKOS_BASE_URL").unwrap_or_else(|| "https://api.workos.com".into());
        let base_url = base_url.trim_end_matches('/').to_owned();
        if !Url::parse(&base_url).is_ok_and(|url| is_origin(&url)) {
            self.fault(
                "WORKOS_BASE_URL must be an https origin such as https://api.workos.com (http \
                 only on loopback), without a user name, path or query",
            );
        }
        let api_key = self.secret("WORKOS_API_KEY", true);
        let client_id = self.required("WORKOS_CLIENT_ID");
        let authkit_domain = self.authkit_domain();
        UpstreamSettings { base_url, client_id, api_key, authkit_domain }
    }

    /// What AuthKit is for.
    fn authkit(&mut self) -> AuthKitUse {
        match self.optional("KEYPORT_UPSTREAM").as_deref() {
            None | Some("sso") => AuthKitUse::Never,
            Some("sso+authkit") => AuthKitUse::WithoutConnection,
            Some("authkit") => AuthKitUse::Always,
            Some(kind) => {
                self.fault(format!(
                    "KEYPORT_UPSTREAM is {kind:?}; it must be sso, authkit or sso+authkit"
                ));
                AuthKitUse::Never
            }
        }
    }

    /// A domain, or its origin.
    fn authkit_domain(&mut self) -> Option<String> {
        let given = self.optional("WORKOS_AUTHKIT_DOMAIN")?;
        let origin = if given.contains("://") { given } else { format!("https://{given}") };
        let origin = Url::parse(&origin).ok().filter(is_origin);
        if origin.is_none() {
            self.fault(
                "WORKOS_AUTHKIT_DOMAIN must be a domain such as auth.example.com, without a path",
            );
        }
        Some(origin?.origin().ascii_serialization())
    }

    fn public_url(&mut self, listen: SocketAddr) -> Option<String> {
        let Some(given) = self.optional("KEYPORT_PUBLIC_URL") else {
            if !listen.ip().is_loopback() {
                self.fault(format!(
                    "KEYPORT_PUBLIC_URL is missing; it may be left out only when listening on \
                     loopback, and {listen} is not"
                ));
            }
            return None;
        };
        let origin = Url::parse(&given).ok().filter(is_origin);
        let Some(origin) = origin else {
            self.fault(format!(
                "KEYPORT_PUBLIC_URL is {given:?}; it must be an https origin such as \
                 https://sign-in.example.com (http only on loopback), without a path"
            ));
            return None;
        };
        Some(origin.origin().ascii_serialization())
    }

    /// There is one audience so far.
    fn check_audiences(&mut self, servers: &[ResourceServer], public_url: Option<&str>) {
        for server in servers.iter().filter(|it| public_url.is_some_and(|url| url != it.audience)) {
            self.fault(format!(
                "KEYPORT_CLIENTS: resource server {:?}: audience must be that of the access \
                 tokens, which is KEYPORT_PUBLIC_URL",
                server.id
            ));
        }
    }

    fn log_filter(&mut self) {
        let filter = self.optional("RUST_LOG").unwrap_or_default();
        if let Err(part) = log_filter::parse(&filter) {
            self.fault(format!(
                "RUST_LOG holds {part:?}, which is neither a level (error, warn, info, debug, \
                 trace, off) nor TARGET=LEVEL with a target such as keyport_companion::oauth"
            ));
        }
    }

    fn trusted_proxies(&mut self) -> TrustedProxies {
        let items = self.list("KEYPORT_TRUSTED_PROXIES");
        TrustedProxies::parse(&items).unwrap_or_else(|item| {
            self.fault(format!(
                "KEYPORT_TRUSTED_PROXIES holds {item:?}, which is neither an address nor a \
                 network such as 10.0.0.0/8; a network of every address (/0) would believe every \
                 caller"
            ));
            TrustedProxies::default()
        })
    }

    fn lifetimes(&mut self) -> Lifetimes {
        let absolute = self.days("KEYPORT_SESSION_DAYS", ABSOLUTE_DAYS);
        let idle = self.days("KEYPORT_SESSION_IDLE_DAYS", IDLE_DAYS.min(absolute));
        if idle > absolute {
            self.fault(format!(
                "KEYPORT_SESSION_IDLE_DAYS is more than KEYPORT_SESSION_DAYS ({absolute}): a \
                 session ends after those in any case"
            ));
        }
        let days = |days| Duration::from_secs(days * DAY);
        Lifetimes {
            session_idle: days(idle),
            session_absolute: days(absolute),
            ..Lifetimes::default()
        }
    }
}

/// Scheme, host and port of an address that is private enough, and nothing else.
fn is_origin(url: &Url) -> bool {
    is_private_enough(url)
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

/// https, or http that never leaves this machine.
fn is_private_enough(url: &Url) -> bool {
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => is_loopback_host(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
