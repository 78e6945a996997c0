//! The settings that say who may sign in, and with which apps.

use super::environment::Environment;
use super::files;
use crate::admission::{AdmissionPolicy, AllowedOrganizations};
use crate::clients::{self, ClientRecord, Records};

/// What the upstream's ids and names look like, and what a fault says of one that does not.
#[derive(Debug, Clone, Copy)]
pub struct IdRules {
    /// Whether this can be the id of an organization.
    pub is_organization: fn(&str) -> bool,
    /// What is said of one that cannot.
    pub organization_fault: &'static str,
    /// Whether the upstream knows a social provider of this name.
    pub is_provider: fn(&str) -> bool,
    /// What is said of one that it does not know.
    pub provider_fault: &'static str,
}

impl<R: Fn(&str) -> std::io::Result<String>> Environment<R> {
    pub(super) fn policy(&mut self, ids: &IdRules) -> AdmissionPolicy {
        let policy = AdmissionPolicy::new(
            self.organizations(),
            self.list("KEYPORT_PROVIDERS"),
            self.optional("KEYPORT_DEFAULT_ORGANIZATION"),
        )
        .with_people_without_organization(self.flag("KEYPORT_ALLOW_PEOPLE_WITHOUT_ORGANIZATION"))
        .with_authkit(self.authkit());
        let listed = match &policy.organizations {
            AllowedOrganizations::These(ids) => ids.as_slice(),
            AllowedOrganizations::Every => &[],
        };
        if listed.iter().any(|id| id == "*") {
            self.fault("KEYPORT_ORGANIZATIONS holds * beside ids: write * alone, or ids alone");
        }
        self.check_ids(&policy, ids);
        if let Some(default) = &policy.default_organization
            && !policy.organizations.allows(default)
        {
            self.fault(format!(
                "KEYPORT_DEFAULT_ORGANIZATION is {default}, which KEYPORT_ORGANIZATIONS does not \
                 allow"
            ));
        }
        policy
    }

    /// From the variable or the file; the file may change while the service runs.
    fn organizations(&mut self) -> Vec<String> {
        let listed = self.list("KEYPORT_ORGANIZATIONS");
        let Some(path) = self.optional("KEYPORT_ORGANIZATIONS_FILE") else { return listed };
        if !listed.is_empty() {
            self.fault(
                "KEYPORT_ORGANIZATIONS and KEYPORT_ORGANIZATIONS_FILE are both set; set one",
            );
        }
        match self.read_file(&path) {
            Ok(text) => text.lines().flat_map(ids_of_line).collect(),
            Err(error) => {
                self.fault(format!(
                    "KEYPORT_ORGANIZATIONS_FILE names {path}, which cannot be read: {}",
                    files::why(&error)
                ));
                Vec::new()
            }
        }
    }

    /// A mistyped id or name would admit no account, and nothing would say why.
    fn check_ids(&mut self, policy: &AdmissionPolicy, rules: &IdRules) {
        let is_good = rules.is_organization;
        if let AllowedOrganizations::These(ids) = &policy.organizations {
            for id in ids.iter().filter(|id| *id != "*" && !is_good(id)) {
                self.fault(format!(
                    "KEYPORT_ORGANIZATIONS holds {id:?}, {}",
                    rules.organization_fault
                ));
            }
        }
        if let Some(id) = policy.default_organization.as_ref().filter(|id| !is_good(id)) {
            self.fault(format!(
                "KEYPORT_DEFAULT_ORGANIZATION is {id:?}, {}",
                rules.organization_fault
            ));
        }
        for name in policy.providers.iter().filter(|name| !(rules.is_provider)(name)) {
            self.fault(format!("KEYPORT_PROVIDERS holds {name:?}, {}", rules.provider_fault));
        }
    }

    pub(super) fn records(&mut self) -> Records {
        let Some(path) = self.optional("KEYPORT_CLIENTS") else {
            let clients = vec![ClientRecord::keyport_desktop()];
            return Records { clients, ..Records::default() };
        };
        let faults = match self.read_file(&path) {
            Ok(text) => match clients::read_records(&text) {
                Ok(records) => return records,
                Err(faults) => faults,
            },
            Err(error) => vec![format!("cannot be read: {}", files::why(&error))],
        };
        for fault in faults {
            self.fault(format!("KEYPORT_CLIENTS: {path}: {fault}"));
        }
        Records::default()
    }
}

/// Ids with commas or white space between, up to a `#`.
fn ids_of_line(line: &str) -> Vec<String> {
    let ids = line.split('#').next().unwrap_or_default();
    let ids = ids.split(|between: char| between == ',' || between.is_whitespace());
    ids.filter(|id| !id.is_empty()).map(str::to_owned).collect()
}
