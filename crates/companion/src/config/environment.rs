//! Reading single variables and collecting what is wrong with them. Not here: what they mean together.

use std::collections::BTreeMap;

use super::Unusable;
use super::variables::VARIABLES;
use crate::keys::SecretText;

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
        let ours = |name: &str| VARIABLES.iter().any(|known| known.name == name);
        let file_of = |name: &str| {
            let secret = name.strip_suffix("_FILE");
            secret.is_some_and(|name| VARIABLES.iter().any(|v| v.is_secret && v.name == name))
        };
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

    /// `true` or `false`; unset is false.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.optional(name).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.fault(format!("{name} is {other:?}; it must be true or false"));
                false
            }
        }
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
