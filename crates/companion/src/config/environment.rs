//! Reading single variables and collecting what is wrong with them. Not here: what they mean together.

use std::collections::BTreeMap;

use super::Unusable;
use crate::keys::SecretText;

/// Every variable the service obeys, and what `--help` says of it. A name that starts with `KEYPORT_` and is
/// not here is an error: a mistyped rule must not fail open.
pub const VARIABLES: &[(&str, &str)] = &[
    ("WORKOS_API_KEY", "The WorkOS API key (sk_…). Required. Never leaves this service"),
    ("WORKOS_CLIENT_ID", "The WorkOS client id (client_…) of the same environment. Required"),
    ("WORKOS_BASE_URL", "Where WorkOS is [default: https://api.workos.com]"),
    ("WORKOS_WEBHOOK_SECRET", "Accepted; this version receives no webhooks"),
    (
        "KEYPORT_PUBLIC_URL",
        "The issuer: the https origin people reach this service by. May be left out on loopback",
    ),
    ("KEYPORT_UPSTREAM", "How people sign in upstream: sso [default: sso]"),
    (
        "KEYPORT_ORGANIZATIONS",
        "Who may enter: organization ids with commas between, or *. Unset: nobody",
    ),
    ("KEYPORT_PROVIDERS", "Social providers that may be used, such as GoogleOAuth. Unset: none"),
    ("KEYPORT_DEFAULT_ORGANIZATION", "The organization of a sign-in that names none"),
    ("KEYPORT_KEY_FILE", "The key file, made at the first start [default: beside the database]"),
    ("KEYPORT_SESSION_IDLE_DAYS", "Days a session may rest before it ends [default: 30]"),
    ("KEYPORT_SESSION_DAYS", "Days after which a session ends in any case [default: 180]"),
    ("DATABASE_URL", "sqlite:PATH [default: sqlite:keyport-companion.sqlite]"),
];

/// Those that may also be given as `NAME_FILE`.
const SECRETS: &[&str] = &["WORKOS_API_KEY", "WORKOS_WEBHOOK_SECRET"];

/// Read by our other programs; a shell that has it set may start this one too.
const OF_OTHERS: &[&str] = &["KEYPORT_COMPANION"];

/// The variables as found, and the faults so far.
pub(super) struct Environment<R> {
    found: BTreeMap<String, String>,
    read: R,
    faults: Vec<String>,
}

impl<R: Fn(&str) -> std::io::Result<String>> Environment<R> {
    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>, read: R) -> Self {
        let ours = |name: &str| VARIABLES.iter().any(|(known, _)| *known == name);
        let file_of =
            |name: &str| name.strip_suffix("_FILE").is_some_and(|name| SECRETS.contains(&name));
        let mut found = BTreeMap::new();
        let mut faults = Vec::new();
        for (name, value) in variables {
            if ours(&name) || file_of(&name) {
                found.insert(name, value.trim().to_owned());
            } else if name.starts_with("KEYPORT_") && !OF_OTHERS.contains(&name.as_str()) {
                faults.push(format!("{name} is not a setting of this service (see --help)"));
            }
        }
        Self { found, read, faults }
    }

    pub(super) fn fault(&mut self, sentence: impl Into<String>) {
        self.faults.push(sentence.into());
    }

    /// Set and not empty.
    pub(super) fn optional(&self, name: &str) -> Option<String> {
        self.found.get(name).filter(|value| !value.is_empty()).cloned()
    }

    pub(super) fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.fault(format!("{name} is missing"));
            String::new()
        })
    }

    /// Commas and blanks between.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let value = self.optional(name).unwrap_or_default();
        value.split([',', ' ', '\n']).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    pub(super) fn days(&mut self, name: &str, default: u64) -> u64 {
        match self.optional(name).map(|value| value.parse::<u64>()) {
            None => default,
            Some(Ok(days)) if (1..=3650).contains(&days) => days,
            Some(_) => {
                self.fault(format!("{name} must be a whole number of days between 1 and 3650"));
                default
            }
        }
    }

    /// From `NAME` or the file named by `NAME_FILE`.
    pub(super) fn secret(&mut self, name: &str, required: bool) -> SecretText {
        let file = self.optional(&format!("{name}_FILE"));
        let value = match (self.optional(name), file) {
            (Some(_), Some(_)) => {
                self.fault(format!("{name} and {name}_FILE are both set; set one"));
                None
            }
            (Some(value), None) => Some(value),
            (None, Some(path)) => self.secret_file(name, &path),
            (None, None) => {
                if required {
                    self.fault(format!("{name} (or {name}_FILE) is missing"));
                }
                None
            }
        };
        SecretText::new(value.unwrap_or_default())
    }

    fn secret_file(&mut self, name: &str, path: &str) -> Option<String> {
        match (self.read)(path) {
            Ok(content) if !content.trim().is_empty() => Some(content.trim().to_owned()),
            Ok(_) => {
                self.fault(format!("{name}_FILE names {path}, which is empty"));
                None
            }
            Err(error) => {
                self.fault(format!(
                    "{name}_FILE names {path}, which cannot be read: {}",
                    error.kind()
                ));
                None
            }
        }
    }

    pub(super) fn finish(self) -> Result<(), Unusable> {
        if self.faults.is_empty() { Ok(()) } else { Err(Unusable(self.faults)) }
    }
}
