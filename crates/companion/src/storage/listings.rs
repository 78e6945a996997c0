//! What an operator reads: users and the audit table, in pages, so that memory stays bounded
//! however much there is. Nothing here changes a row.

use super::Reply;
use crate::domain::{GrantId, SessionId, Thumbprint, Timestamp, User, UserId};

/// Which users are meant.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserSelector {
    /// One user.
    Id(UserId),
    /// All with this email, upper and lower case alike; one person can have several connections.
    Email(String),
    /// All whose latest organization this is; an upstream id.
    Organization(String),
    /// All of this connection; an upstream id.
    Connection(String),
    /// Every user there is.
    All,
}

/// A part of a list of users, in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsersPage {
    /// Users after this one; from the beginning if there is none.
    pub after: Option<UserId>,
    /// How many at most.
    pub limit: usize,
}

/// A user as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The user.
    pub user: User,
    /// The first sign-in.
    pub created_at: Timestamp,
    /// The latest sign-in.
    pub signed_in_at: Timestamp,
    /// How many sessions are alive.
    pub sessions: usize,
}

/// A part of the audit table, in the order of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPage {
    /// Rows after the row of this number; 0 for the beginning.
    pub after: i64,
    /// Rows that are not older than this.
    pub since: Timestamp,
    /// How many at most.
    pub limit: usize,
}

/// A row of the audit table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// The number of the row.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// When it was repeated for the last time, or as above.
    pub last_at: Timestamp,
    /// The word of the event.
    pub event: String,
    /// The reason beside it.
    pub detail: Option<String>,
    /// What it is worth: [`AuditClass::number`](crate::domain::AuditClass::number).
    pub class: i16,
    /// Repetitions that were counted in this row.
    pub folded: i64,
    /// The person.
    pub user: Option<UserId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The grant.
    pub grant: Option<GrantId>,
    /// The client.
    pub client_id: Option<String>,
    /// The device key.
    pub jkt: Option<Thumbprint>,
}

/// What an operator reads.
pub trait Listings: Send + Sync {
    /// The users of a selector, a page of them.
    fn list_users(
        &self,
        selector: UserSelector,
        page: UsersPage,
        now: Timestamp,
    ) -> Reply<'_, Vec<ListedUser>>;

    /// The audit table, a page of it.
    fn list_audit(&self, page: AuditPage) -> Reply<'_, Vec<AuditRecord>>;
}
