//! The audit table, row by row.

use serde::{Deserialize, Serialize};

use super::instant::instant_text;
use super::{AdminError, Administration, Request};
use crate::domain::{GrantId, SessionId, Thumbprint, Timestamp, UserId};
use crate::storage::{AuditPage, AuditRecord};

/// Rows of one answer.
const PAGE: usize = 1000;

/// The audit table, a page of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExportAudit {
    /// Rows after this number; 0 for the beginning.
    pub after: i64,
    /// Rows that are not older, in seconds since 1970.
    pub since: i64,
}

/// A page of the audit table.
#[derive(Debug, Serialize, Deserialize)]
pub struct AuditLines {
    /// In the order of their numbers.
    pub rows: Vec<AuditLine>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<i64>,
}

/// A row as printed; instants are RFC 3339 in UTC.
#[derive(Debug, Serialize, Deserialize)]
pub struct AuditLine {
    /// The number of the row.
    pub id: i64,
    /// When.
    pub at: String,
    /// When it was repeated for the last time.
    pub last_at: String,
    /// What.
    pub event: String,
    /// Why.
    pub detail: Option<String>,
    /// What it is worth: 0 for what anyone can cause, 1 for a sign-in, 2 for security.
    pub class: i16,
    /// How often it was repeated beyond what has rows of its own.
    pub folded: i64,
    /// The person.
    pub user: Option<UserId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The grant.
    pub grant: Option<GrantId>,
    /// The app.
    pub client_id: Option<String>,
    /// The thumbprint of the device key.
    pub device: Option<Thumbprint>,
}

impl From<AuditRecord> for AuditLine {
    fn from(record: AuditRecord) -> Self {
        Self {
            id: record.id,
            at: instant_text(record.at),
            last_at: instant_text(record.last_at),
            event: record.event,
            detail: record.detail,
            class: record.class,
            folded: record.folded,
            user: record.user,
            session: record.session,
            grant: record.grant,
            client_id: record.client_id,
            device: record.jkt,
        }
    }
}

impl Request for ExportAudit {
    const PATH: &'static str = "/audit/export";
    type Answer = AuditLines;

    async fn carry_out(self, administration: &Administration) -> Result<AuditLines, AdminError> {
        let since = Timestamp::from_seconds(self.since);
        let page = AuditPage { after: self.after, since, limit: PAGE };
        let rows = administration.app.storage.list_audit(page).await?;
        let next = rows.last().filter(|_| rows.len() == PAGE).map(|last| last.id);
        Ok(AuditLines { rows: rows.into_iter().map(AuditLine::from).collect(), next })
    }
}
