//! What still stands between a sign-in and its session: the one decision of AuthKit, a function of
//! the rows.

use super::{AuthKit, Method, SignedIn};
use crate::environment::Environment;
use crate::seed::OrganizationSelection;
use crate::users::User;

/// The next step, or the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    VerifyEmail,
    EnrollFactor,
    ChallengeFactor,
    SelectOrganization,
    UseSso { connection_ids: Vec<String> },
    NotAMember,
    Done { organization_id: Option<String> },
}

impl AuthKit {
    /// Verification of the address comes before the second factor, the organization last.
    #[must_use]
    pub fn next_step(&self, environment: &Environment, user: &User, signed_in: &SignedIn) -> Step {
        if signed_in.method != Method::Sso {
            let connection_ids = environment.required_sso_of_email(&user.email);
            if !connection_ids.is_empty() {
                return Step::UseSso { connection_ids };
            }
        }
        if !user.email_verified {
            return Step::VerifyEmail;
        }
        if user.mfa_required && !signed_in.mfa_passed {
            let enrolled = self.factors.of_user(&user.id).next().is_some();
            return if enrolled { Step::ChallengeFactor } else { Step::EnrollFactor };
        }
        self.organization_step(environment, user, signed_in)
    }

    fn organization_step(
        &self,
        environment: &Environment,
        user: &User,
        signed_in: &SignedIn,
    ) -> Step {
        let asks = user.organization_selection == OrganizationSelection::Always
            && !signed_in.organization_chosen;
        let named = signed_in.organization_id.as_deref().filter(|_| !asks);
        let mut memberships = self.users.active_memberships(&user.id);
        let organization_id = match (named, memberships.next(), memberships.next()) {
            (Some(id), ..) => {
                if !self.users.is_active_member(&user.id, id) {
                    return Step::NotAMember;
                }
                Some(id)
            }
            (None, None, _) => None,
            (None, Some(only), None) if !asks => Some(only.organization_id.as_str()),
            (None, Some(_), _) => return Step::SelectOrganization,
        };
        let connection_ids = organization_id
            .map(|id| environment.required_sso(id))
            .filter(|required| {
                !required.iter().any(|id| Some(id) == signed_in.connection_id.as_ref())
            })
            .unwrap_or_default();
        match connection_ids.is_empty() {
            false => Step::UseSso { connection_ids },
            true => Step::Done { organization_id: organization_id.map(str::to_owned) },
        }
    }
}
