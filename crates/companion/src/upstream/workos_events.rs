//! What the events of WorkOS mean, the same whether they come as webhooks or from its list. Pure;
//! `raw_attributes` are never looked at.

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::events::{Meaning, ReceivedEvent};
use crate::domain::{
    PersonFacts, ProviderMillis, SubjectKind, SubjectReport, SubjectState, UpstreamEvent,
};

/// The kinds of events that mean something here.
pub const NAMES: [&str; 13] = [
    "dsync.user.created",
    "dsync.user.updated",
    "dsync.user.deleted",
    "dsync.deleted",
    "connection.activated",
    "connection.deactivated",
    "connection.deleted",
    "organization.deleted",
    "user.deleted",
    "organization_membership.created",
    "organization_membership.updated",
    "organization_membership.deleted",
    "session.revoked",
];

/// An event on the wire, as far as it is read.
#[derive(Deserialize)]
struct Envelope {
    id: String,
    event: String,
    data: Value,
    created_at: Option<String>,
}

/// Reads the body of a webhook; `None` if it is no event.
pub fn read(body: &[u8]) -> Option<ReceivedEvent> {
    let Envelope { id, event, data, created_at } = serde_json::from_slice(body).ok()?;
    (!id.is_empty() && !event.is_empty())
        .then(|| received(id, event, created_at.as_deref().unwrap_or_default(), &data))
}

/// What an event of this name with this data means.
pub(in crate::upstream) fn received(
    id: String,
    name: String,
    created_at: &str,
    data: &Value,
) -> ReceivedEvent {
    let meaning = match subject_of(&name, data) {
        _ if name == "dsync.deleted" => UpstreamEvent::directory_deleted(&id),
        Some((kind, state)) => about(&id, kind, state, created_at, data),
        None => return ReceivedEvent { id, name, meaning: Meaning::Nothing },
    };
    ReceivedEvent { id, name, meaning: meaning.map_or(Meaning::Unreadable, Meaning::Event) }
}

fn subject_of(name: &str, data: &Value) -> Option<(SubjectKind, SubjectState)> {
    use SubjectKind::{Connection, DirectoryUser, Membership, Organization, Session, User};
    use SubjectState::{Active, Deleted, Suspended};
    let is = |key: &str, word: &str| data[key].as_str().is_none_or(|state| state == word);
    let active_if = |is_active| if is_active { Active } else { Suspended };
    Some(match name {
        "dsync.user.created" | "dsync.user.updated" => {
            (DirectoryUser, active_if(is("state", "active")))
        }
        "dsync.user.deleted" => (DirectoryUser, Deleted),
        "connection.activated" => (Connection, Active),
        "connection.deactivated" => (Connection, Suspended),
        "connection.deleted" => (Connection, Deleted),
        "organization.deleted" => (Organization, Deleted),
        "user.deleted" => (User, Deleted),
        "organization_membership.created" | "organization_membership.updated" => {
            (Membership, active_if(is("status", "active")))
        }
        "organization_membership.deleted" => (Membership, Deleted),
        "session.revoked" => (Session, Deleted),
        _ => return None,
    })
}

fn about(
    event: &str,
    kind: SubjectKind,
    state: SubjectState,
    created_at: &str,
    data: &Value,
) -> Option<UpstreamEvent> {
    let (told, created) = (data["updated_at"].as_str().and_then(millis), millis(created_at));
    let updated_at = match state {
        // What is deleted is told as it was before.
        SubjectState::Deleted => told.max(created)?,
        SubjectState::Active | SubjectState::Suspended => told.or(created)?,
    };
    let (person, facts) = match kind {
        SubjectKind::DirectoryUser => (data["idp_id"].as_str(), facts(data)),
        SubjectKind::Membership => (Some(data["user_id"].as_str()?), PersonFacts::default()),
        _ => (None, PersonFacts::default()),
    };
    let report = SubjectReport {
        event,
        kind,
        id: data["id"].as_str()?,
        state,
        updated_at,
        organization: data["organization_id"].as_str(),
        person,
    };
    UpstreamEvent::about(&report, facts)
}

fn facts(data: &Value) -> PersonFacts {
    let emails = data["emails"].as_array().map(Vec::as_slice).unwrap_or_default();
    let primary = emails.iter().find(|email| email["primary"] == true).or(emails.first());
    let email = data["email"].as_str().or(primary.and_then(|email| email["value"].as_str()));
    let part = |key: &str| data[key].as_str().map(str::trim).filter(|name| !name.is_empty());
    let parts: Vec<&str> = [part("first_name"), part("last_name")].into_iter().flatten().collect();
    let joined = (!parts.is_empty()).then(|| parts.join(" "));
    PersonFacts::keep(email, part("name").or(joined.as_deref()))
}

fn millis(text: &str) -> Option<ProviderMillis> {
    let instant = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(instant.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

#[cfg(test)]
#[path = "workos_events_tests.rs"]
mod tests;
