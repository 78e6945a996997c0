//! Sessions: who is signed in where, and ending them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::instant::instant_text;
use super::{AdminError, Administration, Request};
use crate::domain::{EndedBecause, ListedSession, SessionId, SessionSelector, Thumbprint, UserId};
use crate::storage::SessionsPage;

/// Sessions of one answer.
const PAGE: usize = 500;

/// The sessions that are alive, a page of them.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListSessions {
    /// Which.
    pub of: SessionSelector,
    /// After this one.
    pub after: Option<SessionId>,
}

/// A page of sessions.
#[derive(Debug, Serialize, Deserialize)]
pub struct SessionLines {
    /// In the order of their ids.
    pub sessions: Vec<SessionLine>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<SessionId>,
}

/// A session as it is shown and printed; instants are RFC 3339 in UTC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionLine {
    /// The session.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// Latest email of the person.
    pub email: String,
    /// Latest name of the person.
    pub name: Option<String>,
    /// Latest organization, an upstream id.
    pub organization: Option<String>,
    /// What it is called.
    pub organization_name: Option<String>,
    /// The connection, an upstream id; none for a user of AuthKit.
    pub connection: Option<String>,
    /// The app.
    pub client_id: String,
    /// What the device says of itself.
    pub device_name: Option<String>,
    /// The thumbprint of its key.
    pub device: Thumbprint,
    /// When the person signed in.
    pub signed_in: String,
    /// When a token was last issued.
    pub last_used: String,
    /// The network address of that.
    pub last_address: Option<IpAddr>,
    /// When it ends if it is not used.
    pub ends: String,
}

impl From<ListedSession> for SessionLine {
    fn from(listed: ListedSession) -> Self {
        let ListedSession { session, device_name, created_at, last_used, last_address } = listed;
        let organization = session.user.organization;
        let (organization, organization_name) = match organization {
            Some(organization) => (Some(organization.id), organization.name),
            None => (None, None),
        };
        Self {
            session: session.id,
            user: session.user.id,
            email: session.user.email,
            name: session.user.name,
            organization,
            organization_name,
            connection: session.user.connection.map(|connection| connection.id),
            client_id: session.client_id,
            device_name,
            device: session.jkt,
            signed_in: instant_text(created_at),
            last_used: instant_text(last_used),
            last_address,
            ends: instant_text(session.deadline),
        }
    }
}

impl Request for ListSessions {
    const PATH: &'static str = "/sessions/list";
    type Answer = SessionLines;

    async fn carry_out(self, administration: &Administration) -> Result<SessionLines, AdminError> {
        let app = &administration.app;
        let page = SessionsPage { after: self.after, limit: PAGE };
        let listed = app.storage.list_sessions(self.of, page, app.now()).await?;
        let next = listed.last().filter(|_| listed.len() == PAGE).map(|last| last.session.id);
        Ok(SessionLines { sessions: listed.into_iter().map(SessionLine::from).collect(), next })
    }
}

/// Ends some of these sessions, as many as one transaction ends.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndSessions {
    /// Which.
    pub of: SessionSelector,
}

/// What was ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct SessionsEnded {
    /// How many.
    pub ended: usize,
    /// Ask again.
    pub may_be_more: bool,
}

impl Request for EndSessions {
    const PATH: &'static str = "/sessions/end";
    type Answer = SessionsEnded;

    async fn carry_out(self, administration: &Administration) -> Result<SessionsEnded, AdminError> {
        let app = &administration.app;
        let because = EndedBecause::RevokedByOperator;
        let ended = app.storage.end_some_sessions(self.of.clone(), because, app.now()).await?;
        tracing::info!(of = ?self.of, ended = ended.ended, "the operator has ended sessions");
        Ok(SessionsEnded { ended: ended.ended, may_be_more: ended.may_be_more })
    }
}
