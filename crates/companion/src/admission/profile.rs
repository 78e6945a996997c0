//! The second judgement: of the profile that came back, and of a user at each later refresh.

use keyport_problems::Problem;

use super::{AdmissionPolicy, AllowedOrganizations, UpstreamSelector};
use crate::domain::User;

/// What the profile says about where the person came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnedProfile<'a> {
    /// The connection used, if the upstream names one.
    pub connection: Option<&'a str>,
    /// How the person signed in: a connection's type such as `OktaSAML`, an authentication method
    /// such as `Password` or, for a social provider, the provider's own name.
    pub method: &'a str,
    /// Whether this is a social provider's.
    pub is_social: bool,
    /// The organization, if any.
    pub organization: Option<&'a str>,
}

impl AdmissionPolicy {
    /// The second judgement, on the profile: what was asked for or nothing, and never beyond the
    /// rules.
    ///
    /// # Errors
    /// The problem the page and the app show.
    pub fn admit_profile(
        &self,
        asked: &UpstreamSelector,
        came: &ReturnedProfile<'_>,
    ) -> Result<(), Problem> {
        match asked {
            UpstreamSelector::Connection { id, organization } => {
                if came.connection.is_some_and(|came| came != id) {
                    return Err(Problem::WrongOrganization);
                }
                if organization.is_some() && came.organization != organization.as_deref() {
                    return Err(Problem::WrongOrganization);
                }
            }
            UpstreamSelector::Organization(id) if came.organization != Some(id.as_str()) => {
                return Err(Problem::WrongOrganization);
            }
            UpstreamSelector::Organization(_) => {}
            UpstreamSelector::Hosted => {}
            UpstreamSelector::Provider(name) => {
                if came.method != name {
                    return Err(Problem::WrongOrganization);
                }
                if !self.providers.contains(name) {
                    return Err(Problem::ProviderNotAllowed);
                }
            }
        }
        self.admit_origin(came)
    }

    /// A user who has signed in before: whether the rules of now let the person in still.
    ///
    /// # Errors
    /// Why not.
    pub fn admit_user(&self, user: &User, is_social: impl Fn(&str) -> bool) -> Result<(), Problem> {
        self.admit_origin(&ReturnedProfile {
            connection: user.connection.as_ref().map(|connection| connection.id.as_str()),
            method: &user.method,
            is_social: is_social(&user.method),
            organization: user.organization.as_ref().map(|organization| organization.id.as_str()),
        })
    }

    /// Where the person belongs, whatever was asked for. On a page of the upstream's own, people
    /// choose how they sign in: a social provider has to be one that is listed, whoever it is.
    fn admit_origin(&self, came: &ReturnedProfile<'_>) -> Result<(), Problem> {
        let is_listed = self.providers.iter().any(|name| name == came.method);
        let has_no_connection = came.connection.is_none();
        if has_no_connection && came.is_social && !is_listed {
            return Err(Problem::ProviderNotAllowed);
        }
        match came.organization {
            Some(id) if self.organizations.allows(id) => Ok(()),
            Some(_) => Err(Problem::OrganizationNotAllowed),
            None if !self.people_without_organization => Err(Problem::WithoutOrganization),
            None if is_listed || has_no_connection => Ok(()),
            None if came.is_social => Err(Problem::ProviderNotAllowed),
            None if self.organizations == AllowedOrganizations::Every => Ok(()),
            None => Err(Problem::OrganizationNotAllowed),
        }
    }
}
