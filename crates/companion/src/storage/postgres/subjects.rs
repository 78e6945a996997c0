//! What is known of the provider's subjects, row by row, and which events were taken.

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::Row;

use super::failure::Done;
use super::statement::{Values, execute, one};
use crate::domain::{PersonKeys, SubjectKind, SubjectState, Timestamp, UpstreamSubject};
use crate::storage::StorageError;
use crate::storage::select::select_subject;
use crate::storage::transitions::MOST_SUBJECTS;

/// `$1` connection, `$2` organization, `$3` the person's id, `$4` the email.
const OF_PERSON: &str = select_subject!(
    "(kind = 'connection' AND id = $1) OR (kind = 'organization' AND id = $2)
     OR (kind = 'user' AND id = $3)
     OR (person = $3 AND organization = $2) OR (email = $4 AND organization = $2)
     ORDER BY updated_at DESC LIMIT $5"
);

fn read_subject(row: &Row) -> Done<UpstreamSubject> {
    let damaged = || StorageError::Damaged("a subject of no known kind or state".into());
    Ok(UpstreamSubject {
        kind: SubjectKind::from_stored(row.try_get(0)?).ok_or_else(damaged)?,
        id: row.try_get(1)?,
        state: SubjectState::from_stored(row.try_get(2)?).ok_or_else(damaged)?,
        updated_at: row.try_get(3)?,
        event: row.try_get(4)?,
        withdrawn_at: row.try_get(5)?,
        organization: row.try_get(6)?,
        person: row.try_get(7)?,
        email: row.try_get(8)?,
    })
}

pub(super) async fn subject(
    db: &impl GenericClient,
    kind: SubjectKind,
    id: &str,
) -> Done<Option<UpstreamSubject>> {
    let row = one(db, select_subject!("kind = $1 AND id = $2"), &[&kind.as_str(), &id]).await?;
    row.as_ref().map(read_subject).transpose()
}

/// What is known of all that may concern a person.
pub(super) async fn subjects_of(
    db: &impl GenericClient,
    keys: &PersonKeys,
) -> Done<Vec<UpstreamSubject>> {
    let PersonKeys { connection, organization, idp_id, email } = keys;
    let values: Values<'_> = &[connection, organization, idp_id, email, &MOST_SUBJECTS];
    let statement = db.prepare_cached(OF_PERSON).await?;
    db.query(&statement, values).await?.iter().map(read_subject).collect()
}

pub(super) async fn put_subject(
    db: &Transaction<'_>,
    subject: &UpstreamSubject,
    seen_at: Timestamp,
) -> Done<()> {
    execute(
        db,
        "INSERT INTO upstream_subjects (kind, id, state, updated_at, event, withdrawn_at,
                                        organization, person, email, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (kind, id) DO UPDATE SET
             state = excluded.state, updated_at = excluded.updated_at, event = excluded.event,
             withdrawn_at = excluded.withdrawn_at, organization = excluded.organization,
             person = excluded.person, email = excluded.email, seen_at = excluded.seen_at",
        &[
            &subject.kind.as_str(),
            &subject.id,
            &subject.state.as_str(),
            &subject.updated_at,
            &subject.event,
            &subject.withdrawn_at,
            &subject.organization,
            &subject.person,
            &subject.email,
            &seen_at,
        ],
    )
    .await
    .map(drop)
}

pub(super) async fn insert_event(db: &Transaction<'_>, id: &str, at: Timestamp) -> Done<()> {
    let sql = "INSERT INTO upstream_events (id, taken_at) VALUES ($1, $2)";
    execute(db, sql, &[&id, &at]).await.map(drop)
}
