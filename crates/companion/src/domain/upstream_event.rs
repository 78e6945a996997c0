//! One event of the provider, as far as it is understood here. How it looks on the wire is the
//! provider's implementation's.

use super::identity::{LONGEST_EMAIL, LONGEST_NAME};
use super::text::{cleaned, is_unsafe};
use super::{ProviderMillis, SubjectKind, SubjectState, UpstreamSubject};

/// Longest id in an event, in bytes.
const LONGEST_ID: usize = 255;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamEvent {
    /// Its id, the same however it arrives.
    pub id: String,
    /// What it tells.
    pub told: Told,
}

/// What an event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// How a subject stands, and what a directory says of the person.
    Subject {
        /// The subject.
        subject: Box<UpstreamSubject>,
        /// For local users of the same person.
        facts: PersonFacts,
    },
    /// A whole directory was taken away. It says nothing about any one person.
    DirectoryDeleted,
}

/// What a directory says of a person; what it does not say stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonFacts {
    /// The email.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
}

impl PersonFacts {
    /// Takes over what can be kept, by the rules of a sign-in.
    pub fn keep(email: Option<&str>, name: Option<&str>) -> Self {
        let is_good = |email: &&str| {
            !email.is_empty() && email.len() <= LONGEST_EMAIL && !email.chars().any(is_unsafe)
        };
        Self {
            email: email.filter(is_good).map(str::to_owned),
            name: name.and_then(|name| cleaned(name, LONGEST_NAME)),
        }
    }
}

/// A report about a subject, before its ids are looked at.
#[derive(Clone, Debug)]
pub struct SubjectReport<'a> {
    /// The event.
    pub event: &'a str,
    /// What the subject is.
    pub kind: SubjectKind,
    /// Its id.
    pub id: &'a str,
    /// How it stands.
    pub state: SubjectState,
    /// Since when.
    pub updated_at: ProviderMillis,
    /// The organization that it belongs to.
    pub organization: Option<&'a str>,
    /// Whom it is about, see [`UpstreamSubject::person`].
    pub person: Option<&'a str>,
}

impl UpstreamEvent {
    /// An event about a subject; `None` if an id is none.
    pub fn about(report: &SubjectReport<'_>, facts: PersonFacts) -> Option<Self> {
        let SubjectReport { event, kind, id, state, updated_at, organization, person } = *report;
        let subject = UpstreamSubject {
            kind,
            id: checked(id)?,
            state,
            updated_at,
            event: checked(event)?,
            withdrawn_at: (state != SubjectState::Active).then_some(updated_at),
            organization: organization.and_then(checked),
            person: person.and_then(checked),
            email: facts.email.as_deref().map(str::to_ascii_lowercase),
        };
        let told = Told::Subject { subject: Box::new(subject), facts };
        Some(Self { id: event.to_owned(), told })
    }

    /// An event about a directory; `None` if its id is none.
    pub fn directory_deleted(event: &str) -> Option<Self> {
        Some(Self { id: checked(event)?, told: Told::DirectoryDeleted })
    }
}

fn checked(id: &str) -> Option<String> {
    let is_good = !id.trim().is_empty() && id.len() <= LONGEST_ID && !id.chars().any(is_unsafe);
    is_good.then(|| id.to_owned())
}
