//! Reading single variables and collecting what is wrong with them. Not here: what they mean
//! together.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use super::EnvironmentError;
use super::files;
use super::kubernetes::is_service_link;
use super::variables::VARIABLES;
use crate::domain::SecretText;

/// Read by our other programs; a shell that has it set may start this one too.
const OF_OTHERS: &[&str] = &["KEYPORT_COMPANION", "KEYPORT_RECEIVER"];

/// The variables as found, and the faults so far.
pub(super) struct Environment<R> {
    found: BTreeMap<String, String>,
    /// Set to what is no text.
    unreadable: BTreeSet<String>,
    read: R,
    faults: Vec<String>,
}

impl<R: Fn(&str) -> std::io::Result<String>> Environment<R> {
    pub(super) fn new(variables: impl IntoIterator<Item = (OsString, OsString)>, read: R) -> Self {
        let mut new =
            Self { found: BTreeMap::new(), unreadable: BTreeSet::new(), read, faults: Vec::new() };
        for (name, value) in variables {
            new.take(&name.to_string_lossy(), name.to_str().is_some(), value);
        }
        new
    }

    /// `name` is readable if it is Unicode; if not, it cannot be one of ours, but can be meant to
    /// be.
    fn take(&mut self, name: &str, is_readable: bool, value: OsString) {
        if is_readable && is_setting(name) {
            match value.into_string() {
                Ok(value) => drop(self.found.insert(name.to_owned(), value.trim().to_owned())),
                Err(_) => {
                    self.fault(format!("{name} is not Unicode (UTF-8)"));
                    self.unreadable.insert(name.to_owned());
                }
            }
            return;
        }
        let is_of_others =
            OF_OTHERS.contains(&name) || is_service_link(name, &value.to_string_lossy());
        if name.starts_with("KEYPORT_") && !is_of_others {
            self.fault(format!("{name} is not a setting of this service (see --help)"));
        }
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
            if !self.unreadable.contains(name) {
                self.fault(format!("{name} is missing"));
            }
            String::new()
        })
    }

    /// Commas and white space between.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let value = self.optional(name).unwrap_or_default();
        let items = value.split(|between: char| between == ',' || between.is_whitespace());
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
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
        let file_name = format!("{name}_FILE");
        let file = self.optional(&file_name);
        let value = match (self.optional(name), file) {
            (Some(_), Some(_)) => {
                self.fault(format!("{name} and {name}_FILE are both set; set one"));
                None
            }
            (Some(value), None) => Some(value),
            (None, Some(path)) => self.secret_file(name, &path),
            (None, None) => {
                let is_unreadable =
                    self.unreadable.contains(name) || self.unreadable.contains(&file_name);
                if required && !is_unreadable {
                    self.fault(format!("{name} (or {name}_FILE) is missing"));
                }
                None
            }
        };
        SecretText::new(value.unwrap_or_default())
    }

    pub(super) fn read_file(&self, path: &str) -> std::io::Result<String> {
        (self.read)(path)
    }

    fn secret_file(&mut self, name: &str, path: &str) -> Option<String> {
        match self.read_file(path) {
            Ok(content) if !content.trim().is_empty() => Some(content.trim().to_owned()),
            Ok(_) => {
                self.fault(format!("{name}_FILE names {path}, which is empty"));
                None
            }
            Err(error) => {
                self.fault(format!(
                    "{name}_FILE names {path}, which cannot be read: {}",
                    files::why(&error)
                ));
                None
            }
        }
    }

    pub(super) fn finish(self) -> Result<(), EnvironmentError> {
        if self.faults.is_empty() { Ok(()) } else { Err(EnvironmentError(self.faults)) }
    }
}

/// Whether the service reads it: a variable of the list, or the file of a secret there.
fn is_setting(name: &str) -> bool {
    let secret = name.strip_suffix("_FILE");
    VARIABLES
        .iter()
        .any(|known| known.name == name || known.is_secret && secret == Some(known.name))
}
