//! A person who came through a connection or a provider, as a user of AuthKit: found by email or
//! created, and made a member of the connection's organization (just-in-time provisioning).

use serde_json::json;

use super::{AuthKit, Context, Method, SignedIn};
use crate::ids::derived;
use crate::seed::{Connection, MembershipStatus, OrganizationSelection, Person};
use crate::users::{Membership, User};

impl AuthKit {
    /// The sign-in of `person` through `connection`. An address in a domain of the connection's
    /// organization counts as verified.
    pub fn admit(
        &mut self,
        context: &mut Context<'_>,
        person: &Person,
        connection: &Connection,
        client_id: &str,
    ) -> SignedIn {
        let organization = context.environment.organization_of(connection);
        let verified = organization.is_some_and(|it| it.has_domain_of(&person.email));
        let known = self.users.by_email(&person.email).map(|user| user.id.clone());
        let user_id = known.unwrap_or_else(|| self.create_user(context, person, verified));
        if let Some(organization_id) = &connection.organization_id {
            self.join(context, &user_id, organization_id, person.role.as_deref());
        }
        let method = match connection.organization_id {
            Some(_) => Method::Sso,
            None => Method::Social(connection.connection_type.clone()),
        };
        SignedIn {
            connection_id: Some(connection.id.clone()),
            organization_id: connection.organization_id.clone(),
            ..SignedIn::new(&user_id, client_id, method)
        }
    }

    /// A new user with the names of `person`; the id follows from the email, as in the seed.
    pub fn create_user(
        &mut self,
        context: &mut Context<'_>,
        person: &Person,
        email_verified: bool,
    ) -> String {
        let user = User {
            id: derived("user_", &[&person.email.to_lowercase()]),
            email: person.email.clone(),
            email_verified,
            first_name: person.first_name.clone(),
            last_name: person.last_name.clone(),
            external_id: None,
            metadata: std::collections::BTreeMap::new(),
            locale: None,
            mfa_required: false,
            organization_selection: OrganizationSelection::WhenNeeded,
            last_sign_in_at: None,
            created_at: context.now,
            updated_at: context.now,
        };
        let (id, data) = (user.id.clone(), user.json());
        self.users.users.push(user);
        context.record("user.created", data);
        id
    }

    /// Makes the user a member, unless they are or were one.
    fn join(
        &mut self,
        context: &mut Context<'_>,
        user_id: &str,
        organization_id: &str,
        role: Option<&str>,
    ) {
        if self.users.membership(user_id, organization_id).is_some() {
            return;
        }
        let membership = Membership {
            id: derived("om_", &[user_id, organization_id]),
            user_id: user_id.to_owned(),
            organization_id: organization_id.to_owned(),
            role: role.unwrap_or("member").to_owned(),
            status: MembershipStatus::Active,
            created_at: context.now,
            updated_at: context.now,
        };
        let data = membership.event_json();
        self.users.memberships.push(membership);
        context.record("organization_membership.created", json!(data));
    }
}
