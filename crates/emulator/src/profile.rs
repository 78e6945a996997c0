//! The SSO profile as WorkOS sends it, with every field of the reference. Its `id` and `idp_id`
//! follow from connection and person, so that the same person keeps them; on a connection with
//! transient ids both change at each sign-in.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::ids::{Entropy, derived, drawn};
use crate::seed::{Connection, IdpIdFormat, Person};

#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    object: &'static str,
    id: String,
    organization_id: Option<String>,
    connection_id: String,
    connection_type: String,
    idp_id: String,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    name: Option<String>,
    role: Option<Role>,
    roles: Option<Vec<Role>>,
    groups: Vec<String>,
    custom_attributes: Map<String, Value>,
    raw_attributes: Map<String, Value>,
}

#[derive(Debug, Clone, Serialize)]
struct Role {
    slug: String,
}

impl Profile {
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    #[must_use]
    pub fn connection_id(&self) -> &str {
        &self.connection_id
    }

    #[must_use]
    pub fn of(person: &Person, connection: &Connection, entropy: &Entropy) -> Self {
        let idp_id = idp_id(person, connection, entropy);
        let role = person.role.clone().map(|slug| Role { slug });
        Self {
            object: "profile",
            id: derived("prof_", &[&connection.id, &idp_id]),
            organization_id: connection.organization_id.clone(),
            connection_id: connection.id.clone(),
            connection_type: connection.connection_type.clone(),
            email: person.email.clone(),
            first_name: person.first_name.clone(),
            last_name: person.last_name.clone(),
            name: full_name(person.first_name.as_deref(), person.last_name.as_deref()),
            roles: role.clone().map(|role| vec![role]),
            role,
            groups: person.groups.clone(),
            custom_attributes: person.custom_attributes.clone(),
            raw_attributes: raw_attributes(person, &idp_id),
            idp_id,
        }
    }
}

fn idp_id(person: &Person, connection: &Connection, entropy: &Entropy) -> String {
    match (connection.idp_id_format, &person.idp_id) {
        (IdpIdFormat::Transient, _) => format!("_{}", drawn(entropy)),
        (IdpIdFormat::Persistent, Some(id)) => id.clone(),
        (IdpIdFormat::Persistent, None) => {
            derived("00u", &[&connection.id, &person.email.to_lowercase()])
        }
    }
}

/// First and last name as far as they are known.
#[must_use]
pub fn full_name(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = [first, last].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn raw_attributes(person: &Person, idp_id: &str) -> Map<String, Value> {
    let mut raw = Map::new();
    raw.insert("idp_id".into(), json!(idp_id));
    raw.insert("email".into(), json!(person.email));
    raw.insert("firstName".into(), json!(person.first_name));
    raw.insert("lastName".into(), json!(person.last_name));
    raw.insert("groups".into(), json!(person.groups));
    raw.extend(person.raw_attributes.clone());
    raw
}
