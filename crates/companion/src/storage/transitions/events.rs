//! What an event of the provider does: the newest report of a subject is kept, and what depends on
//! one that is not active ends. An engine asks here what to read, step by step.

use super::{Decision, EndRows, Write, sessions};
use crate::domain::{
    EndedBecause, PersonFacts, PersonKeys, SessionSelector, SubjectKind, Timestamp, Told,
    UpstreamAccess, UpstreamEvent, UpstreamSubject, User, UserId,
};
use crate::storage::EventTaken;

/// A local user that may be the person of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::storage) struct PersonRow {
    pub(in crate::storage) user: User,
    pub(in crate::storage) idp_id: String,
}

/// What local users are looked up by: the organization, and one of the other two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::storage) struct MatchKeys {
    pub(in crate::storage) organization: Option<String>,
    pub(in crate::storage) person: Option<String>,
    pub(in crate::storage) email: Option<String>,
}

/// A report, beside what was known of its subject.
#[derive(Debug)]
pub(in crate::storage) struct SubjectChange<'a> {
    known: Option<UpstreamSubject>,
    latest: UpstreamSubject,
    /// What the directory says, if it is the newest word.
    facts: Option<&'a PersonFacts>,
}

/// What becomes of one local user.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::storage) struct PersonChange {
    /// Sessions that began before this instant end.
    pub(in crate::storage) ends_before: Option<Timestamp>,
    /// New email and name.
    update: Option<Write>,
}

/// For an event.
#[derive(Debug, Default)]
pub(in crate::storage) struct EventRows<'a> {
    /// It was taken before.
    pub(in crate::storage) is_taken: bool,
    pub(in crate::storage) change: Option<SubjectChange<'a>>,
    pub(in crate::storage) people: Vec<PersonChange>,
    pub(in crate::storage) ends: Vec<EndRows>,
}

impl<'a> SubjectChange<'a> {
    pub(in crate::storage) fn of(
        known: Option<UpstreamSubject>,
        event: &'a UpstreamEvent,
    ) -> Option<Self> {
        let Told::Subject { subject, facts } = &event.told else { return None };
        let latest = UpstreamSubject::latest(known.as_ref(), subject);
        let facts = (latest.event == subject.event).then_some(facts);
        Some(Self { known, latest, facts })
    }

    /// The sessions that depend on the subject by themselves, and from when on they stay.
    pub(in crate::storage) fn whole(&self) -> Option<(SessionSelector, Timestamp)> {
        let id = self.latest.id.clone();
        let selector = match self.latest.kind {
            SubjectKind::Connection => SessionSelector::Connection(id),
            SubjectKind::Organization => SessionSelector::Organization(id),
            _ => return None,
        };
        Some((selector, UpstreamAccess::of_one(&self.latest).ends_before()?))
    }

    /// How to find the local users whom it may be about: as it is told now, and as it was known.
    pub(in crate::storage) fn people(&self) -> Vec<MatchKeys> {
        let all = [Some(&self.latest), self.known.as_ref()];
        let mut keys: Vec<_> = all.into_iter().flatten().filter_map(keys_of).collect();
        keys.dedup();
        keys
    }

    /// What the person goes by after this event: an email that the directory has changed is
    /// changed here too.
    pub(in crate::storage) fn keys(&self, row: &PersonRow) -> PersonKeys {
        let User { email, organization, connection, .. } = &row.user;
        let organization = organization.as_ref().map(|it| &*it.id);
        let connection = connection.as_ref().map_or("", |connection| &connection.id);
        let mut keys = PersonKeys::new(connection, organization, &row.idp_id, email);
        let was = self.known.as_ref().and_then(|known| known.email.as_ref());
        if was == Some(&keys.email)
            && let Some(email) = &self.latest.email
        {
            keys.email.clone_from(email);
        }
        keys
    }

    /// `others`: what is known of all that may concern the person.
    pub(in crate::storage) fn person(
        &self,
        row: &PersonRow,
        mut others: Vec<UpstreamSubject>,
        now: Timestamp,
    ) -> PersonChange {
        let is_other =
            |it: &UpstreamSubject| (it.kind, &it.id) != (self.latest.kind, &self.latest.id);
        others.retain(is_other);
        others.push(self.latest.clone());
        let keys = self.keys(row);
        let entry = UpstreamAccess::entry_of(&keys, &others);
        let is_entry = entry.is_some_and(|entry| !is_other(entry));
        PersonChange {
            ends_before: UpstreamAccess::of(&keys, &others).ends_before(),
            update: self.facts.filter(|_| is_entry).and_then(|facts| update(row, facts, now)),
        }
    }
}

fn keys_of(subject: &UpstreamSubject) -> Option<MatchKeys> {
    let UpstreamSubject { kind, id, organization, person, email, .. } = subject;
    let (organization, person, email) = match kind {
        SubjectKind::DirectoryUser | SubjectKind::Membership => {
            (Some(organization.clone()?), person.clone(), email.clone())
        }
        SubjectKind::User => (None, Some(id.clone()), None),
        SubjectKind::Connection | SubjectKind::Organization | SubjectKind::Session => return None,
    };
    Some(MatchKeys { organization, person, email })
}

fn update(row: &PersonRow, facts: &PersonFacts, now: Timestamp) -> Option<Write> {
    let User { id, email, name, .. } = &row.user;
    let new_email = facts.email.as_ref().unwrap_or(email);
    let new_name = facts.name.as_ref().or(name.as_ref());
    (new_email != email || new_name != name.as_ref()).then(|| Write::UpdatePerson {
        user: UserId::clone(id),
        email: new_email.clone(),
        name: new_name.cloned(),
        updated_at: now,
    })
}

/// The event is kept as taken in the commit that leaves nothing more to end.
pub(in crate::storage) fn take_event(
    rows: EventRows<'_>,
    event: &UpstreamEvent,
    now: Timestamp,
) -> Decision<EventTaken> {
    let EventRows { is_taken, change, people, ends } = rows;
    if is_taken {
        return Decision::only(EventTaken::default());
    }
    let mut writes = Vec::new();
    if let Some(SubjectChange { known, latest, .. }) = change
        && known.as_ref() != Some(&latest)
    {
        writes.push(Write::PutSubject { subject: Box::new(latest), seen_at: now });
    }
    writes.extend(people.into_iter().filter_map(|person| person.update));
    let mut taken = EventTaken { is_new: true, ..EventTaken::default() };
    for rows in ends {
        let Decision { answer, writes: ended } =
            sessions::end_all(rows, &SessionSelector::All, EndedBecause::AccessWithdrawn, now);
        taken.ended += answer.ended;
        taken.may_be_more |= answer.may_be_more;
        writes.extend(ended);
    }
    if !taken.may_be_more {
        writes.push(Write::InsertEvent { id: event.id.clone(), at: now });
    }
    Decision::with(taken, writes)
}
