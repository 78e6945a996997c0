//! Taking the provider's events: what one concerns is read and decided in one transaction; and how
//! far the provider's list has been read.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::SqliteStorage;
use super::apply::apply;
use super::columns::read_user;
use super::selected::for_end;
use super::subjects::{subject, subjects_of};
use super::worker::Done;
use crate::domain::{FeedHolder, SessionSelector, Timestamp, Told, UpstreamEvent};
use crate::storage::select::user_columns;
use crate::storage::transitions::{
    self, EventRows, FEED_HELD, MOST_PEOPLE, MatchKeys, PersonRow, SubjectChange,
};
use crate::storage::{EventTaken, FeedPosition, Reply, StorageError, UpstreamEvents};

/// `?1` organization, if it counts; `?2` the person's id, `?3` the email.
const PEOPLE: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", users.idp_id FROM users
     WHERE (users.idp_id = ?2 OR lower(users.email) = ?3)
           AND (?1 IS NULL OR users.organization_id = ?1) ORDER BY users.id LIMIT ?4"
);

fn people(db: &Connection, keys: &MatchKeys) -> Done<Vec<PersonRow>> {
    let MatchKeys { organization, person, email } = keys;
    let mut found = db.prepare_cached(PEOPLE)?;
    let rows = found.query_map(params![organization, person, email, MOST_PEOPLE], |row| {
        Ok(PersonRow { user: read_user(row, 0)?, idp_id: row.get(7)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn for_event<'a>(db: &Connection, event: &'a UpstreamEvent, now: Timestamp) -> Done<EventRows<'a>> {
    let taken = "SELECT 1 FROM upstream_events WHERE id = ?1";
    let is_taken = db.prepare_cached(taken)?.exists([&event.id])?;
    let mut rows = EventRows { is_taken, ..EventRows::default() };
    let Told::Subject { subject: told, .. } = &event.told else { return Ok(rows) };
    if is_taken {
        return Ok(rows);
    }
    let known = subject(db, told.kind, &told.id)?;
    let Some(change) = SubjectChange::of(known, event) else { return Ok(rows) };
    if let Some((selector, before)) = change.whole() {
        rows.ends.push(for_end(db, &selector, before)?);
    }
    let mut found: Vec<PersonRow> = Vec::new();
    for keys in change.people() {
        found.extend(people(db, &keys)?);
    }
    found.sort_by_key(|row| row.user.id);
    found.dedup();
    for row in found {
        let person = change.person(&row, subjects_of(db, &change.keys(&row))?, now);
        if let Some(before) = person.ends_before {
            rows.ends.push(for_end(db, &SessionSelector::User(row.user.id), before)?);
        }
        rows.people.push(person);
    }
    rows.change = Some(change);
    Ok(rows)
}

fn hold(
    db: &Connection,
    holder: FeedHolder,
    now: Timestamp,
) -> Result<Option<FeedPosition>, StorageError> {
    let sql = "UPDATE upstream_feed SET holder = ?1, held_until = ?2
               WHERE holder = ?1 OR held_until IS NULL OR held_until <= ?3 RETURNING position";
    let values = params![holder, now.plus(FEED_HELD), now];
    let read = |row: &Row<'_>| Ok(FeedPosition { after: row.get(0)? });
    Ok(db.prepare_cached(sql)?.query_row(values, read).optional()?)
}

fn advance(
    db: &Connection,
    holder: FeedHolder,
    position: &FeedPosition,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let sql = "UPDATE upstream_feed SET position = ?2, held_until = ?3 WHERE holder = ?1";
    let values = params![holder, position.after, now.plus(FEED_HELD)];
    Ok(db.prepare_cached(sql)?.execute(values)? == 1)
}

impl UpstreamEvents for SqliteStorage {
    fn take_part_of_event(&self, event: UpstreamEvent, now: Timestamp) -> Reply<'_, EventTaken> {
        self.write_anyway(now, move |db, rules| {
            let rows = for_event(db, &event, now)?;
            apply(db, rules, transitions::take_event(rows, &event, now))
        })
    }

    fn hold_feed(&self, holder: FeedHolder, now: Timestamp) -> Reply<'_, Option<FeedPosition>> {
        self.write(now, move |db, _| hold(db, holder, now))
    }

    fn advance_feed(
        &self,
        holder: FeedHolder,
        position: FeedPosition,
        now: Timestamp,
    ) -> Reply<'_, bool> {
        self.write(now, move |db, _| advance(db, holder, &position, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_what_concerns_them_are_found_by_indexes() {
        let db = Connection::open_in_memory().unwrap();
        for migration in super::super::schema::MIGRATIONS {
            db.execute_batch(migration).unwrap();
        }
        for sql in [super::super::subjects::OF_PERSON, PEOPLE] {
            let plan = super::super::rows::plan(&db, sql);
            assert!(plan.contains("USING INDEX") && !plan.contains("SCAN"), "{plan}");
        }
    }
}
