//! Taking the provider's events, and how far its list has been read. Events are taken one after the
//! other, and a sign-in is finished before or after one of them: else a grant could be fulfilled
//! that neither of the two has seen.

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::Row;

use super::PostgresStorage;
use super::advisory::AdvisoryLock;
use super::columns::read_user;
use super::failure::Done;
use super::operations::Operation;
use super::selected::for_end;
use super::statement::{execute, one};
use super::subjects::{subject, subjects_of};
use super::turns::Row as Locked;
use crate::domain::{FeedHolder, SessionSelector, Timestamp, Told, UpstreamEvent};
use crate::storage::select::user_columns;
use crate::storage::transitions::{
    self, Decision, EventRows, FEED_HELD, MOST_PEOPLE, MatchKeys, PersonRow, Rules, SubjectChange,
};
use crate::storage::{EventTaken, FeedPosition, Reply, UpstreamEvents};

/// `$1` organization, if it counts; `$2` the person's id, `$3` the email.
const PEOPLE: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", users.idp_id FROM users
     WHERE (users.idp_id = $2 OR lower(users.email COLLATE \"C\") = $3)
           AND (CAST($1 AS TEXT) IS NULL OR users.organization_id = $1)
     ORDER BY users.id LIMIT $4 FOR NO KEY UPDATE OF users"
);

async fn people(db: &impl GenericClient, keys: &MatchKeys) -> Done<Vec<PersonRow>> {
    let MatchKeys { organization, person, email } = keys;
    let statement = db.prepare_cached(PEOPLE).await?;
    let rows = db.query(&statement, &[organization, person, email, &MOST_PEOPLE]).await?;
    let read = |row: &Row| Ok(PersonRow { user: read_user(row, 0)?, idp_id: row.try_get(7)? });
    rows.iter().map(read).collect()
}

async fn for_event<'a>(
    db: &impl GenericClient,
    event: &'a UpstreamEvent,
    now: Timestamp,
) -> Done<EventRows<'a>> {
    AdvisoryLock::Events.hold(db).await?;
    let taken = "SELECT 1 FROM upstream_events WHERE id = $1";
    let is_taken = one(db, taken, &[&event.id]).await?.is_some();
    let mut rows = EventRows { is_taken, ..EventRows::default() };
    let Told::Subject { subject: told, .. } = &event.told else { return Ok(rows) };
    if is_taken {
        return Ok(rows);
    }
    let known = subject(db, told.kind, &told.id).await?;
    let Some(change) = SubjectChange::of(known, event) else { return Ok(rows) };
    if let Some((selector, before)) = change.whole() {
        rows.ends.push(for_end(db, &selector, before).await?);
    }
    let mut found: Vec<PersonRow> = Vec::new();
    for keys in change.people() {
        found.extend(people(db, &keys).await?);
    }
    found.sort_by_key(|row| row.user.id);
    found.dedup();
    for row in found {
        let subjects = subjects_of(db, &change.keys(&row)).await?;
        let person = change.person(&row, subjects, now);
        if let Some(before) = person.ends_before {
            rows.ends.push(for_end(db, &SessionSelector::User(row.user.id), before).await?);
        }
        rows.people.push(person);
    }
    rows.change = Some(change);
    Ok(rows)
}

struct TakeEvent(UpstreamEvent);

impl Operation for TakeEvent {
    type Answer = EventTaken;

    fn row(&self) -> Locked {
        Locked::Events
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        _: &Rules,
        now: Timestamp,
    ) -> Done<Decision<EventTaken>> {
        Ok(transitions::take_event(for_event(db, &self.0, now).await?, &self.0, now))
    }
}

struct HoldFeed(FeedHolder);

impl Operation for HoldFeed {
    type Answer = Option<FeedPosition>;

    fn row(&self) -> Locked {
        Locked::Feed
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        _: &Rules,
        _: Timestamp,
    ) -> Done<Decision<Option<FeedPosition>>> {
        let sql = "UPDATE upstream_feed
                   SET holder = $1, held_until = extract(epoch FROM clock_timestamp())::bigint + $2
                   WHERE holder = $1 OR held_until IS NULL
                         OR held_until <= extract(epoch FROM clock_timestamp())::bigint
                   RETURNING position";
        let row = one(db, sql, &[&self.0, &held_seconds()]).await?;
        let position = row.map(|row| row.try_get(0)).transpose()?;
        let answer = position.map(|after| FeedPosition { after });
        Ok(Decision { answer, writes: Vec::new() })
    }
}

struct AdvanceFeed(FeedHolder, FeedPosition);

impl Operation for AdvanceFeed {
    type Answer = bool;

    fn row(&self) -> Locked {
        Locked::Feed
    }

    async fn decide(&self, db: &Transaction<'_>, _: &Rules, _: Timestamp) -> Done<Decision<bool>> {
        let sql = "UPDATE upstream_feed
                   SET position = $2,
                       held_until = extract(epoch FROM clock_timestamp())::bigint + $3
                   WHERE holder = $1";
        let answer = execute(db, sql, &[&self.0, &self.1.after, &held_seconds()]).await? == 1;
        Ok(Decision { answer, writes: Vec::new() })
    }
}

fn held_seconds() -> i64 {
    i64::try_from(FEED_HELD.as_secs()).unwrap_or(i64::MAX)
}

impl UpstreamEvents for PostgresStorage {
    fn take_part_of_event(&self, event: UpstreamEvent, now: Timestamp) -> Reply<'_, EventTaken> {
        self.write_anyway(TakeEvent(event), now)
    }

    fn hold_feed(&self, holder: FeedHolder, now: Timestamp) -> Reply<'_, Option<FeedPosition>> {
        self.write(HoldFeed(holder), now)
    }

    fn advance_feed(
        &self,
        holder: FeedHolder,
        position: FeedPosition,
        now: Timestamp,
    ) -> Reply<'_, bool> {
        self.write(AdvanceFeed(holder, position), now)
    }
}
