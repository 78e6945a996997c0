//! What a policy admits, in plain words for the operator's log: a combination of settings that lets
//! in more people, or fewer, than the operator expects is read at the start and not found out
//! later.

use super::{AdmissionPolicy, AllowedOrganizations};

/// One line of the log at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLine {
    /// The sentence.
    pub text: String,
    /// Something that is probably not meant so.
    pub is_warning: bool,
}

impl AdmissionPolicy {
    /// What these settings admit together.
    pub fn summary(&self) -> Vec<PolicyLine> {
        if self.admits_no_one() {
            let mut text = "no person may sign in: KEYPORT_ORGANIZATIONS is not set".to_owned();
            if self.providers.is_empty() {
                text.push_str(" and KEYPORT_PROVIDERS is not either");
            } else {
                text.push_str(
                    ", and without KEYPORT_ALLOW_PEOPLE_WITHOUT_ORGANIZATION=true \
                     KEYPORT_PROVIDERS admits people of admitted organizations only",
                );
            }
            return vec![PolicyLine { text, is_warning: true }];
        }
        let mut lines = vec![PolicyLine { text: self.organizations_line(), is_warning: false }];
        lines.extend(self.people_without_organization_line());
        lines
    }

    fn organizations_line(&self) -> String {
        match &self.organizations {
            AllowedOrganizations::Every => {
                "people of every organization of the WorkOS environment may sign in".to_owned()
            }
            AllowedOrganizations::These(ids) if ids.is_empty() => {
                "people of no organization may sign in".to_owned()
            }
            AllowedOrganizations::These(ids) => format!("people of {} may sign in", ids.join(", ")),
        }
    }

    fn people_without_organization_line(&self) -> Option<PolicyLine> {
        let providers = self.providers.join(", ");
        let is_every = self.organizations == AllowedOrganizations::Every;
        let (text, is_warning) = match (self.people_without_organization, providers.is_empty()) {
            (false, true) => return None,
            (false, false) => (
                format!(
                    "{providers}: an account of no organization is refused; it enters only with \
                     KEYPORT_ALLOW_PEOPLE_WITHOUT_ORGANIZATION=true"
                ),
                true,
            ),
            (true, false) => (
                format!(
                    "ANY account of {providers} may sign in, whether it belongs to an organization \
                     or not (KEYPORT_ALLOW_PEOPLE_WITHOUT_ORGANIZATION)"
                ),
                true,
            ),
            (true, true) if is_every => (
                "so may people of connections that belong to no organization \
                 (KEYPORT_ALLOW_PEOPLE_WITHOUT_ORGANIZATION)"
                    .to_owned(),
                false,
            ),
            (true, true) => (
                "KEYPORT_ALLOW_PEOPLE_WITHOUT_ORGANIZATION has no effect: KEYPORT_PROVIDERS names \
                 no provider"
                    .to_owned(),
                true,
            ),
        };
        Some(PolicyLine { text, is_warning })
    }
}
