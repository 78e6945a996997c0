//! The audit table: who did what and when, written in the commit of the thing itself. No secret, no email, no code; a plain
//! rotation is not written, it would be most of the table and say nothing.

use rusqlite::{Connection, params};

use crate::domain::{Grant, GrantId, Session, SessionId, Thumbprint, Timestamp, UserId};

/// Whom and what an event is about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry<'a> {
    pub(super) detail: Option<&'a str>,
    pub(super) user: Option<UserId>,
    pub(super) session: Option<SessionId>,
    pub(super) grant: Option<GrantId>,
    pub(super) client_id: Option<&'a str>,
    pub(super) jkt: Option<Thumbprint>,
}

impl<'a> Entry<'a> {
    pub(super) fn of_grant(grant: &'a Grant) -> Self {
        Self {
            grant: Some(grant.id),
            client_id: Some(&grant.client_id),
            jkt: Some(grant.jkt),
            ..Self::default()
        }
    }

    pub(super) fn of_session(session: &'a Session) -> Self {
        Self {
            user: Some(session.user.id),
            session: Some(session.id),
            client_id: Some(&session.client_id),
            jkt: Some(session.jkt),
            ..Self::default()
        }
    }

    pub(super) fn write(
        self,
        db: &Connection,
        event: &str,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        db.prepare_cached(
            "INSERT INTO audit (at, event, detail, user_id, session_id, grant_id, client_id, jkt)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            now,
            event,
            self.detail,
            self.user,
            self.session,
            self.grant,
            self.client_id,
            self.jkt
        ])
        .map(drop)
    }
}
