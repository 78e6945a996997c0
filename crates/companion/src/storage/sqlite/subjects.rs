//! What is known of the provider's subjects, row by row, and which events were taken.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::statement::execute;
use super::worker::Done;
use crate::domain::{PersonKeys, SubjectKind, SubjectState, Timestamp, UpstreamSubject};
use crate::storage::select::select_subject;
use crate::storage::transitions::MOST_SUBJECTS;

const BY_ID: &str = select_subject!("kind = ?1 AND id = ?2");

/// `?1` connection, `?2` organization, `?3` the person's id, `?4` the email.
pub(super) const OF_PERSON: &str = select_subject!(
    "(kind = 'connection' AND id = ?1) OR (kind = 'organization' AND id = ?2)
     OR (kind = 'user' AND id = ?3)
     OR (person = ?3 AND organization = ?2) OR (email = ?4 AND organization = ?2)
     ORDER BY updated_at DESC LIMIT ?5"
);

fn read_subject(row: &Row<'_>) -> rusqlite::Result<UpstreamSubject> {
    let word = |at| row.get::<_, String>(at);
    let unknown = rusqlite::types::FromSqlError::InvalidType;
    Ok(UpstreamSubject {
        kind: SubjectKind::from_stored(&word(0)?).ok_or(unknown)?,
        id: row.get(1)?,
        state: SubjectState::from_stored(&word(2)?)
            .ok_or(rusqlite::types::FromSqlError::InvalidType)?,
        updated_at: row.get(3)?,
        event: row.get(4)?,
        withdrawn_at: row.get(5)?,
        organization: row.get(6)?,
        person: row.get(7)?,
        email: row.get(8)?,
    })
}

pub(super) fn subject(
    db: &Connection,
    kind: SubjectKind,
    id: &str,
) -> rusqlite::Result<Option<UpstreamSubject>> {
    db.prepare_cached(BY_ID)?.query_row(params![kind.as_str(), id], read_subject).optional()
}

/// What is known of all that may concern a person.
pub(super) fn subjects_of(db: &Connection, keys: &PersonKeys) -> Done<Vec<UpstreamSubject>> {
    let PersonKeys { connection, organization, idp_id, email } = keys;
    let values = params![connection, organization, idp_id, email, MOST_SUBJECTS];
    let mut found = db.prepare_cached(OF_PERSON)?;
    Ok(found.query_map(values, read_subject)?.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn put_subject(
    db: &Connection,
    subject: &UpstreamSubject,
    seen_at: Timestamp,
) -> rusqlite::Result<()> {
    execute(
        db,
        "INSERT INTO upstream_subjects (kind, id, state, updated_at, event, withdrawn_at,
                                        organization, person, email, seen_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (kind, id) DO UPDATE SET
             state = excluded.state, updated_at = excluded.updated_at, event = excluded.event,
             withdrawn_at = excluded.withdrawn_at, organization = excluded.organization,
             person = excluded.person, email = excluded.email, seen_at = excluded.seen_at",
        params![
            subject.kind.as_str(),
            subject.id,
            subject.state.as_str(),
            subject.updated_at,
            subject.event,
            subject.withdrawn_at,
            subject.organization,
            subject.person,
            subject.email,
            seen_at
        ],
    )
}

pub(super) fn insert_event(db: &Connection, id: &str, at: Timestamp) -> rusqlite::Result<()> {
    execute(db, "INSERT INTO upstream_events (id, taken_at) VALUES (?1, ?2)", params![id, at])
}
