//! The second judgement: of the profile that came back, and of a user at each later refresh.

use keyport_problems::Problem;

use super::{AdmissionPolicy, AllowedOrganizations, UpstreamSelector};
use crate::domain::User;

/// What the profile says about where the person came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnedProfile<'a> {
    /// The connection used.
    pub connection: &'a str,
    /// Its type, such as `OktaSAML` or, for a social provider, the provider's own name.
    pub connection_type: &'a str,
    /// Whether connections of this type are a social provider's.
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
                if came.connection != id {
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
            UpstreamSelector::Provider(name) => {
                if came.connection_type != name {
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
            connection: &user.connection.id,
            connection_type: &user.connection.kind,
            is_social: is_social(&user.connection.kind),
            organization: user.organization.as_ref().map(|organization| organization.id.as_str()),
        })
    }

    /// Where the person belongs, whatever was asked for.
    fn admit_origin(&self, came: &ReturnedProfile<'_>) -> Result<(), Problem> {
        let is_listed = self.providers.iter().any(|name| name == came.connection_type);
        match came.organization {
            Some(id) if self.organizations.allows(id) => Ok(()),
            Some(_) => Err(Problem::OrganizationNotAllowed),
            None if !self.people_without_organization => Err(Problem::WithoutOrganization),
            None if is_listed => Ok(()),
            None if came.is_social => Err(Problem::ProviderNotAllowed),
            None if self.organizations == AllowedOrganizations::Every => Ok(()),
            None => Err(Problem::OrganizationNotAllowed),
        }
    }
}
