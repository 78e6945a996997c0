//! Users, as the companion keeps them.

use serde::{Deserialize, Serialize};

use super::instant::instant_text;
use super::{AdminError, Administration, Request};
use crate::domain::UserId;
use crate::storage::{ListedUser, UserSelector, UsersPage};

/// Users of one answer.
const PAGE: usize = 500;

/// The users, a page of them.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListUsers {
    /// Which.
    pub of: UserSelector,
    /// After this one.
    pub after: Option<UserId>,
}

/// A page of users.
#[derive(Debug, Serialize, Deserialize)]
pub struct UserLines {
    /// In the order of their ids.
    pub users: Vec<UserLine>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<UserId>,
}

/// A user as shown and printed; instants are RFC 3339 in UTC.
#[derive(Debug, Serialize, Deserialize)]
pub struct UserLine {
    /// Our id.
    pub user: UserId,
    /// Latest email.
    pub email: String,
    /// Latest name.
    pub name: Option<String>,
    /// Latest organization, an upstream id.
    pub organization: Option<String>,
    /// What it is called.
    pub organization_name: Option<String>,
    /// The connection, an upstream id; none for a user of AuthKit.
    pub connection: Option<String>,
    /// How the person signed in last: the connection's type or an authentication method.
    pub method: String,
    /// Sessions that are alive.
    pub sessions: usize,
    /// The first sign-in.
    pub first_signed_in: String,
    /// The latest sign-in.
    pub last_signed_in: String,
}

impl From<ListedUser> for UserLine {
    fn from(listed: ListedUser) -> Self {
        let ListedUser { user, created_at, signed_in_at, sessions } = listed;
        let (organization, organization_name) = match user.organization {
            Some(organization) => (Some(organization.id), organization.name),
            None => (None, None),
        };
        Self {
            user: user.id,
            email: user.email,
            name: user.name,
            organization,
            organization_name,
            connection: user.connection.map(|connection| connection.id),
            method: user.method,
            sessions,
            first_signed_in: instant_text(created_at),
            last_signed_in: instant_text(signed_in_at),
        }
    }
}

impl Request for ListUsers {
    const PATH: &'static str = "/users/list";
    type Answer = UserLines;

    async fn carry_out(self, administration: &Administration) -> Result<UserLines, AdminError> {
        let app = &administration.app;
        let page = UsersPage { after: self.after, limit: PAGE };
        let listed = app.storage.list_users(self.of, page, app.now()).await?;
        let next = listed.last().filter(|_| listed.len() == PAGE).map(|last| last.user.id);
        Ok(UserLines { users: listed.into_iter().map(UserLine::from).collect(), next })
    }
}
