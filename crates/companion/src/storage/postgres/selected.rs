//! Reading and ending the sessions that a selector means.

use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::types::ToSql;

use super::columns::{read_grant, read_listed, read_session};
use super::failure::Done;
use super::operations::Operation;
use super::rows::limit;
use super::statement::Values;
use super::turns::Row;
use crate::domain::{EndedBecause, ListedSession, SessionId, SessionSelector, Timestamp};
use crate::storage::select::{
    TOO_NEW, UPSTREAM_SESSIONS, grants_to_end, sessions_to_end, sessions_to_list,
};
use crate::storage::transitions::{self, Decision, EndRows, Rules};
use crate::storage::{EndedSessions, SessionsPage, UpstreamSessions};

/// The value of a selector.
fn value_of(selector: &SessionSelector) -> &(dyn ToSql + Sync) {
    match selector {
        SessionSelector::Session(id) => id,
        SessionSelector::User(id) | SessionSelector::Everywhere { user: id, .. } => id,
        SessionSelector::DeviceKey(jkt) => jkt,
        SessionSelector::Organization(id)
        | SessionSelector::Connection(id)
        | SessionSelector::UpstreamSession(id) => id,
        SessionSelector::All => &"",
    }
}

/// Those of sign-ins before `before`. Locked in the order of their ids, so that two of these do not
/// wait for each other; and grants first, as where a code is redeemed: what that has made of a
/// grant is seen among the sessions.
pub(super) async fn for_end(
    db: &impl GenericClient,
    selector: &SessionSelector,
    before: Timestamp,
) -> Done<EndRows> {
    let most = limit(EndRows::MOST);
    let values: Values<'_> = &[value_of(selector), &before, &most];
    let grants = match grants_to_end(selector) {
        None => Vec::new(),
        Some(sql) => {
            let statement = db.prepare_cached(&format!("{sql} FOR UPDATE")).await?;
            let rows = db.query(&statement, values).await?;
            rows.iter().map(read_grant).collect::<Done<_>>()?
        }
    };
    let sql = format!("{} FOR UPDATE OF sessions", sessions_to_end(selector));
    let rows = db.query(&db.prepare_cached(&sql).await?, values).await?;
    let sessions = rows.iter().map(read_session).collect::<Done<_>>()?;
    Ok(EndRows { sessions, grants })
}

pub(super) async fn of_upstream(
    db: &impl GenericClient,
    upstream: &str,
    issuer: &str,
    after: &str,
    now: Timestamp,
) -> Done<Option<UpstreamSessions>> {
    let statement = db.prepare_cached(UPSTREAM_SESSIONS).await?;
    let begun_before = now.seconds() - TOO_NEW;
    let values: Values<'_> = &[&issuer, &upstream, &after, &now, &begun_before];
    let rows = db.query(&statement, values).await?;
    let rows = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    Ok(UpstreamSessions::of(rows.collect::<Done<Vec<(String, String)>>>()?))
}

pub(super) async fn listed(
    db: &impl GenericClient,
    selector: &SessionSelector,
    page: SessionsPage,
    now: Timestamp,
) -> Done<Vec<ListedSession>> {
    let after = page.after.unwrap_or(SessionId::from_bytes([0; 16]));
    let statement = db.prepare_cached(&sessions_to_list(selector)).await?;
    let values: Values<'_> = &[value_of(selector), &after, &now, &limit(page.limit)];
    db.query(&statement, values).await?.iter().map(read_listed).collect()
}

pub(super) struct EndSessions {
    pub(super) selector: SessionSelector,
    pub(super) because: EndedBecause,
}

impl Operation for EndSessions {
    type Answer = EndedSessions;

    fn row(&self) -> Row {
        Row::Selected
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        _: &Rules,
        now: Timestamp,
    ) -> Done<Decision<EndedSessions>> {
        let rows = for_end(db, &self.selector, Timestamp::MAX).await?;
        Ok(transitions::end_all(rows, &self.selector, self.because, now))
    }
}
