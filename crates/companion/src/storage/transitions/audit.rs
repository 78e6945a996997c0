//! What becomes of an audit event: a row of its own, or one more in the count of an earlier row.

use std::time::Duration;

use super::{Rules, Write};
use crate::domain::{AuditClass, AuditEvent, AuditSubject, Grant, Session, Timestamp};
use crate::domain::{GrantId, SessionId, Thumbprint, UserId};

/// Within this long, repetitions of an event are counted in its newest row.
const WINDOW: Duration = Duration::from_secs(3600);

/// An audit event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::storage) struct AuditEntry {
    pub(in crate::storage) at: Timestamp,
    pub(in crate::storage) event: &'static str,
    pub(in crate::storage) detail: Option<String>,
    pub(in crate::storage) class: AuditClass,
    pub(in crate::storage) source: Vec<u8>,
    pub(in crate::storage) user: Option<UserId>,
    pub(in crate::storage) session: Option<SessionId>,
    pub(in crate::storage) grant: Option<GrantId>,
    pub(in crate::storage) client_id: Option<String>,
    pub(in crate::storage) jkt: Option<Thumbprint>,
}

/// What the engine looks at before it writes an entry: rows of the same source, event and detail
/// that are younger than `since`, counted up to `limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::storage) struct AuditWindow {
    pub(in crate::storage) since: Timestamp,
    pub(in crate::storage) limit: usize,
}

/// Where an entry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::storage) enum AuditPlace {
    /// A row of its own.
    Insert,
    /// One more in the count of this row.
    CountIn(i64),
}

impl Rules {
    pub(in crate::storage) fn audit_window(&self, entry: &AuditEntry) -> AuditWindow {
        AuditWindow { since: entry.at.minus(WINDOW), limit: self.limits().audit.per_hour }
    }
}

impl AuditWindow {
    /// Given how many rows there are in the window, and the newest of them.
    pub(in crate::storage) const fn place(self, rows: usize, newest: Option<i64>) -> AuditPlace {
        match newest {
            Some(newest) if rows >= self.limit => AuditPlace::CountIn(newest),
            _ => AuditPlace::Insert,
        }
    }
}

impl AuditEntry {
    fn new(event: AuditEvent<'_>, subject: AuditSubject<'_>, at: Timestamp) -> Self {
        Self {
            at,
            event: event.as_str(),
            detail: event.detail().map(str::to_owned),
            class: event.class(),
            source: subject.source(&event),
            user: subject.user,
            session: subject.session,
            grant: subject.grant,
            client_id: subject.client_id.map(str::to_owned),
            jkt: subject.jkt,
        }
    }

    /// Exchanges were in flight when the service stopped.
    pub(in crate::storage) fn interrupted(at: Timestamp) -> Self {
        Self::new(AuditEvent::ExchangesInterrupted, AuditSubject::default(), at)
    }
}

/// The write of an event.
pub(super) fn entry(event: AuditEvent<'_>, subject: AuditSubject<'_>, at: Timestamp) -> Write {
    Write::Audit(AuditEntry::new(event, subject, at))
}

pub(super) fn of_grant(grant: &Grant) -> AuditSubject<'_> {
    AuditSubject {
        user: grant.stage.user(),
        grant: Some(grant.id),
        client_id: Some(&grant.client_id),
        jkt: Some(grant.jkt),
        session: None,
    }
}

pub(super) fn of_session(session: &Session) -> AuditSubject<'_> {
    AuditSubject {
        user: Some(session.user.id),
        session: Some(session.id),
        client_id: Some(&session.client_id),
        jkt: Some(session.jkt),
        grant: None,
    }
}
