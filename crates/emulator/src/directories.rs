//! Directories (SCIM) with their users and groups, as WorkOS shows them. Who is in them changes
//! through the control API, as an administrator of the customer would change it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::ids::derived;
use crate::profile::full_name;
use crate::timestamp::{SEEDED, Timestamp};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    pub id: String,
    pub organization_id: String,
    pub name: String,
    #[serde(default = "okta", rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub domain: Option<String>,
    #[serde(default)]
    pub users: Vec<SeedDirectoryUser>,
}

/// A directory user as the seed or the control API names them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedDirectoryUser {
    #[serde(default)]
    pub id: Option<String>,
    /// Default: derived from directory and email.
    #[serde(default)]
    pub idp_id: Option<String>,
    pub email: String,
    #[serde(default)]
    pub first_name: Option<String>,
    #[serde(default)]
    pub last_name: Option<String>,
    #[serde(default = "active")]
    pub state: String,
    #[serde(default)]
    pub role: Option<String>,
    /// Names of groups; each exists in the directory as soon as a user is in it.
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub custom_attributes: Map<String, Value>,
}

/// What changes of a directory user; absent members stay.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryUserChange {
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub state: Option<String>,
    pub groups: Option<Vec<String>>,
}

#[derive(Debug, Clone)]
pub struct DirectoryUser {
    pub id: String,
    pub directory_id: String,
    pub organization_id: String,
    pub idp_id: String,
    pub seed: SeedDirectoryUser,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Default)]
pub struct Directories {
    pub directories: Vec<Directory>,
    pub users: Vec<DirectoryUser>,
}

pub const STATES: [&str; 3] = ["active", "suspended", "inactive"];

fn okta() -> String {
    "okta scim v2.0".to_owned()
}

fn active() -> String {
    "active".to_owned()
}

impl Directory {
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "object": "directory",
            "id": self.id,
            "organization_id": self.organization_id,
            "external_key": derived("", &[&self.id]),
            "type": self.kind,
            "state": "linked",
            "name": self.name,
            "domain": self.domain,
            "created_at": SEEDED,
            "updated_at": SEEDED,
        })
    }
}

impl DirectoryUser {
    #[must_use]
    pub fn new(directory: &Directory, seed: SeedDirectoryUser, now: Timestamp) -> Self {
        let parts = [directory.id.as_str(), seed.email.as_str()];
        let drawn = |prefix: &str| derived(prefix, &parts);
        Self {
            id: seed.id.clone().unwrap_or_else(|| drawn("directory_user_")),
            directory_id: directory.id.clone(),
            organization_id: directory.organization_id.clone(),
            idp_id: seed.idp_id.clone().unwrap_or_else(|| drawn("00u")),
            seed,
            created_at: now,
            updated_at: now,
        }
    }

    #[must_use]
    pub fn json(&self) -> Value {
        let seed = &self.seed;
        let role = seed.role.as_ref().map(|slug| json!({ "slug": slug }));
        let email = json!([{ "primary": true, "type": "work", "value": seed.email }]);
        json!({
            "object": "directory_user",
            "id": self.id,
            "directory_id": self.directory_id,
            "organization_id": self.organization_id,
            "idp_id": self.idp_id,
            "email": seed.email,
            "first_name": seed.first_name,
            "last_name": seed.last_name,
            "name": full_name(seed.first_name.as_deref(), seed.last_name.as_deref()),
            "emails": email,
            "job_title": null,
            "username": seed.email,
            "state": seed.state,
            "custom_attributes": seed.custom_attributes,
            "raw_attributes": { "userName": seed.email, "active": seed.state == "active" },
            "role": role,
            "roles": role.iter().collect::<Vec<_>>(),
            "groups": seed.groups.iter().map(|name| self.group(name)).collect::<Vec<_>>(),
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        })
    }

    /// The group of this name in the user's directory.
    #[must_use]
    pub fn group(&self, name: &str) -> Value {
        json!({
            "object": "directory_group",
            "id": derived("directory_group_", &[&self.directory_id, name]),
            "idp_id": derived("00g", &[&self.directory_id, name]),
            "directory_id": self.directory_id,
            "organization_id": self.organization_id,
            "name": name,
            "raw_attributes": {},
            "created_at": SEEDED,
            "updated_at": SEEDED,
        })
    }

    /// Applies the change; what was there before, for the event.
    pub fn change(&mut self, change: DirectoryUserChange, now: Timestamp) -> Value {
        let before = self.json();
        let seed = &mut self.seed;
        seed.email = change.email.unwrap_or_else(|| seed.email.clone());
        seed.first_name = change.first_name.or(seed.first_name.take());
        seed.last_name = change.last_name.or(seed.last_name.take());
        seed.state = change.state.unwrap_or_else(|| seed.state.clone());
        seed.groups = change.groups.unwrap_or_else(|| seed.groups.clone());
        self.updated_at = now;
        let after = self.json();
        let members = before.as_object().into_iter().flatten();
        let changed = members.filter(|(name, value)| {
            after[name.as_str()] != **value && name.as_str() != "updated_at"
        });
        changed.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
    }
}

impl Directories {
    #[must_use]
    pub fn new(directories: &[Directory]) -> Self {
        let users = directories.iter().flat_map(|directory| {
            let users = directory.users.iter().cloned();
            users.map(move |user| DirectoryUser::new(directory, user, SEEDED))
        });
        Self { users: users.collect(), directories: directories.to_vec() }
    }

    #[must_use]
    pub fn directory(&self, id: &str) -> Option<&Directory> {
        self.directories.iter().find(|it| it.id == id)
    }
}
