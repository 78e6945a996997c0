//! What the provider tells of those that sessions depend on: people in a company's directory,
//! connections, organizations, memberships, users and sessions of its own. Its events arrive late,
//! twice and in any order; what is kept of a subject is the greatest of all that was told, so the
//! order does not matter.

use super::Timestamp;

/// What kind of thing an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// A person in the directory of an organization (SCIM).
    DirectoryUser,
    /// A connection.
    Connection,
    /// An organization.
    Organization,
    /// The membership of a user in an organization.
    Membership,
    /// A user of the provider.
    User,
    /// A session at the provider.
    Session,
}

impl SubjectKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::DirectoryUser,
        Self::Connection,
        Self::Organization,
        Self::Membership,
        Self::User,
        Self::Session,
    ];

    /// As stored; `None` for a word that is not one of ours.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DirectoryUser => "directory_user",
            Self::Connection => "connection",
            Self::Organization => "organization",
            Self::Membership => "membership",
            Self::User => "user",
            Self::Session => "session",
        }
    }
}

/// How a subject stands at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectState {
    /// It may be used.
    Active,
    /// It may not be used, and can become active again.
    Suspended,
    /// It is no more, for good.
    Deleted,
}

impl SubjectState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Deleted];

    /// As stored; `None` for a word that is not one of ours.
    #[must_use]
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleted => "deleted",
        }
    }
}

/// Milliseconds since the Unix epoch, as the provider's clock shows them.
pub type ProviderMillis = i64;

/// What is known of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSubject {
    /// What it is.
    pub kind: SubjectKind,
    /// The provider's id of it.
    pub id: String,
    /// How it stands.
    pub state: SubjectState,
    /// When it came to stand so.
    pub updated_at: ProviderMillis,
    /// The event that told so; it decides between two of one instant.
    pub event: String,
    /// The last instant from which it was known not to be active.
    pub withdrawn_at: Option<ProviderMillis>,
    /// The organization that it belongs to.
    pub organization: Option<String>,
    /// Of a directory user the identity provider's id of the person; of a membership the user's id.
    pub person: Option<String>,
    /// Of a directory user the email, in lower case.
    pub email: Option<String>,
}

impl UpstreamSubject {
    /// What is known after one more report: the newest wins, a deletion is final. Whatever the
    /// order of reports, and however often one comes, the result is the same.
    #[must_use]
    pub fn latest(known: Option<&Self>, told: &Self) -> Self {
        let Some(known) = known else { return told.clone() };
        let winner = if told.precedence() > known.precedence() { told } else { known };
        Self { withdrawn_at: known.withdrawn_at.max(told.withdrawn_at), ..winner.clone() }
    }

    fn precedence(&self) -> (bool, ProviderMillis, &str) {
        (self.state == SubjectState::Deleted, self.updated_at, &self.event)
    }

    fn is_newer_than(&self, other: &Self) -> bool {
        (self.updated_at, &self.event) > (other.updated_at, &other.event)
    }

    /// Whether a session of this person depends on it.
    fn concerns(&self, person: &PersonKeys) -> Option<Concern> {
        let of_organization =
            self.organization.is_some() && self.organization == person.organization;
        let is_same_id = self.person.as_deref() == Some(&person.idp_id);
        match self.kind {
            SubjectKind::Connection => (self.id == person.connection).then_some(Concern::Whole),
            SubjectKind::Organization => {
                (Some(&self.id) == person.organization.as_ref()).then_some(Concern::Whole)
            }
            SubjectKind::User => (self.id == person.idp_id).then_some(Concern::Whole),
            SubjectKind::Membership => {
                (of_organization && is_same_id).then_some(Concern::Membership)
            }
            SubjectKind::DirectoryUser if !of_organization => None,
            SubjectKind::DirectoryUser if is_same_id => Some(Concern::PersonById),
            SubjectKind::DirectoryUser => {
                (self.email.as_ref() == Some(&person.email)).then_some(Concern::PersonByEmail)
            }
            SubjectKind::Session => None,
        }
    }
}

/// How a subject concerns a person. Of those that are about the person, the newest decides: people
/// leave a directory and come back as another entry of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Concern {
    /// By itself.
    Whole,
    Membership,
    PersonById,
    PersonByEmail,
}

/// What a user is matched by. Ids of people can differ between sign-in and directory, so the email
/// counts where no id fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonKeys {
    /// The connection of the sign-in; empty, as no id is, where the upstream names none.
    pub connection: String,
    /// The organization.
    pub organization: Option<String>,
    /// The identity provider's id of the person.
    pub idp_id: String,
    /// The email, in lower case.
    pub email: String,
}

impl PersonKeys {
    /// Of these facts, as a sign-in tells them.
    pub fn new(connection: &str, organization: Option<&str>, idp_id: &str, email: &str) -> Self {
        Self {
            connection: connection.to_owned(),
            organization: organization.map(str::to_owned),
            idp_id: idp_id.to_owned(),
            email: email.to_ascii_lowercase(),
        }
    }
}

/// What is left of a person's access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamAccess {
    /// Signing in is refused, and every session ends.
    Withdrawn,
    /// The person may sign in. Sessions that began before this instant end: access was withdrawn
    /// in between.
    Granted {
        /// The instant, if there is one.
        since: Option<ProviderMillis>,
    },
}

impl UpstreamAccess {
    /// The access of a person, given all subjects that may concern them.
    pub fn of(person: &PersonKeys, subjects: &[UpstreamSubject]) -> Self {
        let whole = concerning(Concern::Whole, person, subjects).into_iter().map(Self::of_one);
        let newest = [entries(person, subjects), concerning(Concern::Membership, person, subjects)];
        whole.chain(newest.into_iter().filter_map(|of_kind| Self::of_newest(&of_kind))).fold(
            Self::Granted { since: None },
            |access, other| match (access, other) {
                (Self::Granted { since: one }, Self::Granted { since: two }) => {
                    Self::Granted { since: one.max(two) }
                }
                _ => Self::Withdrawn,
            },
        )
    }

    /// What one subject alone decides.
    pub fn of_one(subject: &UpstreamSubject) -> Self {
        match subject.state {
            SubjectState::Active => Self::Granted { since: subject.withdrawn_at },
            SubjectState::Suspended | SubjectState::Deleted => Self::Withdrawn,
        }
    }

    /// The entry of a directory that decides for the person.
    pub fn entry_of<'a>(
        person: &PersonKeys,
        subjects: &'a [UpstreamSubject],
    ) -> Option<&'a UpstreamSubject> {
        newest(&entries(person, subjects))
    }

    fn of_newest(subjects: &[&UpstreamSubject]) -> Option<Self> {
        let newest = newest(subjects)?;
        Some(match newest.state {
            SubjectState::Active => {
                Self::Granted { since: subjects.iter().filter_map(|it| it.withdrawn_at).max() }
            }
            SubjectState::Suspended | SubjectState::Deleted => Self::Withdrawn,
        })
    }

    /// Sessions whose person signed in before this instant end; `None` if none does.
    pub fn ends_before(self) -> Option<Timestamp> {
        match self {
            Self::Withdrawn => Some(Timestamp::MAX),
            Self::Granted { since } => {
                // A session of the same second may be older.
                since.map(|millis| Timestamp::from_seconds(millis.div_euclid(1000) + 1))
            }
        }
    }
}

fn concerning<'a>(
    concern: Concern,
    person: &PersonKeys,
    subjects: &'a [UpstreamSubject],
) -> Vec<&'a UpstreamSubject> {
    subjects.iter().filter(|subject| subject.concerns(person) == Some(concern)).collect()
}

/// The entries of directories that are about the person.
fn entries<'a>(person: &PersonKeys, subjects: &'a [UpstreamSubject]) -> Vec<&'a UpstreamSubject> {
    let by_id = concerning(Concern::PersonById, person, subjects);
    if by_id.is_empty() { concerning(Concern::PersonByEmail, person, subjects) } else { by_id }
}

fn newest<'a>(subjects: &[&'a UpstreamSubject]) -> Option<&'a UpstreamSubject> {
    let newer = |one: &'a UpstreamSubject, two| if one.is_newer_than(two) { one } else { two };
    subjects.iter().copied().reduce(newer)
}

#[cfg(test)]
#[path = "upstream_subject_tests.rs"]
mod tests;
