//! The users of AuthKit and their memberships, as WorkOS shows them (`user`,
//! `organization_membership`). Only rows and their shapes; what a sign-in asks of a user is decided
//! in `authkit`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::ids::derived;
use crate::profile::full_name;
use crate::seed::{MembershipStatus, Mfa, OrganizationSelection, Seed, SeedUser};
use crate::timestamp::{SEEDED, Timestamp};

#[derive(Debug, Clone)]
pub struct User {
    pub id: String,
    pub email: String,
    pub email_verified: bool,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub external_id: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub locale: Option<String>,
    /// Whether a sign-in asks for a second factor.
    pub mfa_required: bool,
    pub organization_selection: OrganizationSelection,
    pub last_sign_in_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct Membership {
    pub id: String,
    pub user_id: String,
    pub organization_id: String,
    pub role: String,
    pub status: MembershipStatus,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// In the order of their creation.
#[derive(Debug, Clone, Default)]
pub struct Users {
    pub users: Vec<User>,
    pub memberships: Vec<Membership>,
}

impl User {
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "object": "user",
            "id": self.id,
            "email": self.email,
            "email_verified": self.email_verified,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "name": full_name(self.first_name.as_deref(), self.last_name.as_deref()),
            "profile_picture_url": null,
            "external_id": self.external_id,
            "metadata": self.metadata,
            "last_sign_in_at": self.last_sign_in_at,
            "locale": self.locale,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }
}

impl Membership {
    /// Whether this is its status, as a filter of the list names it.
    #[must_use]
    pub fn has_status(&self, name: &str) -> bool {
        json!(self.status) == name
    }

    /// With the user and the organization's name, as the API answers.
    #[must_use]
    pub fn json(&self, user: &User, organization_name: &str) -> Value {
        let mut membership = self.event_json();
        membership["organization_name"] = json!(organization_name);
        membership["user"] = user.json();
        membership
    }

    /// As events carry it.
    #[must_use]
    pub fn event_json(&self) -> Value {
        json!({
            "object": "organization_membership",
            "id": self.id,
            "user_id": self.user_id,
            "organization_id": self.organization_id,
            "status": self.status,
            "directory_managed": false,
            "custom_attributes": {},
            "role": { "slug": self.role },
            "roles": [{ "slug": self.role }],
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }
}

impl From<&SeedUser> for User {
    fn from(seed: &SeedUser) -> Self {
        let email = seed.email.to_lowercase();
        Self {
            id: seed.id.clone().unwrap_or_else(|| derived("user_", &[&email])),
            email: seed.email.clone(),
            email_verified: seed.email_verified,
            first_name: seed.first_name.clone(),
            last_name: seed.last_name.clone(),
            external_id: seed.external_id.clone(),
            metadata: seed.metadata.clone(),
            locale: seed.locale.clone(),
            mfa_required: seed.mfa != Mfa::Off,
            organization_selection: seed.organization_selection,
            last_sign_in_at: None,
            created_at: SEEDED,
            updated_at: SEEDED,
        }
    }
}

impl Users {
    #[must_use]
    pub fn new(seed: &Seed) -> Self {
        let users: Vec<User> = seed.users.iter().map(User::from).collect();
        let memberships = seed.memberships.iter().filter_map(|it| {
            let user = users.iter().find(|user| user.email.eq_ignore_ascii_case(&it.user))?;
            let id = it.id.clone();
            Some(Membership {
                id: id.unwrap_or_else(|| derived("om_", &[&user.id, &it.organization_id])),
                user_id: user.id.clone(),
                organization_id: it.organization_id.clone(),
                role: it.role.clone(),
                status: it.status,
                created_at: SEEDED,
                updated_at: SEEDED,
            })
        });
        Self { memberships: memberships.collect(), users }
    }

    #[must_use]
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub fn user_mut(&mut self, id: &str) -> Option<&mut User> {
        self.users.iter_mut().find(|user| user.id == id)
    }

    #[must_use]
    pub fn by_email(&self, email: &str) -> Option<&User> {
        self.users.iter().find(|user| user.email.eq_ignore_ascii_case(email))
    }

    #[must_use]
    pub fn membership(&self, user_id: &str, organization_id: &str) -> Option<&Membership> {
        let mut all = self.memberships.iter();
        all.find(|it| it.user_id == user_id && it.organization_id == organization_id)
    }

    #[must_use]
    pub fn is_active_member(&self, user_id: &str, organization_id: &str) -> bool {
        let found = self.membership(user_id, organization_id);
        found.is_some_and(|it| it.status == MembershipStatus::Active)
    }

    /// The user who was removed, with their memberships.
    pub fn remove_user(&mut self, id: &str) -> Option<User> {
        let index = self.users.iter().position(|user| user.id == id)?;
        self.memberships.retain(|it| it.user_id != id);
        Some(self.users.remove(index))
    }

    /// The membership that was removed.
    pub fn remove_membership(&mut self, id: &str) -> Option<Membership> {
        let index = self.memberships.iter().position(|it| it.id == id)?;
        Some(self.memberships.remove(index))
    }

    /// In the order of their creation.
    pub fn active_memberships(&self, user_id: &str) -> impl Iterator<Item = &Membership> {
        self.memberships
            .iter()
            .filter(move |it| it.user_id == user_id && it.status == MembershipStatus::Active)
    }
}
