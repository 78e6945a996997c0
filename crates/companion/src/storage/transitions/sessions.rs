//! How a session begins, is read and ends. Rotation of its refresh tokens is in `rotation`.

use std::net::IpAddr;

use super::{Decision, EndRows, FamilyRow, Rules, SessionRow, Write, audit, grants};
use crate::domain::{
    AuditEvent, AuditSubject, CancelledBy, EndedBecause, Grant, IssuedSession, Session, SessionId,
    SessionSelector, Thumbprint, Timestamp, User,
};
use crate::keys::RefreshToken;
use crate::storage::{EndedSessions, Revocation};

/// The session, unless it has ended or its deadline has come.
pub(in crate::storage) fn alive(row: Option<SessionRow>, now: Timestamp) -> Option<Session> {
    row.filter(|row| is_alive(row, now)).map(|row| row.session)
}

fn is_alive(row: &SessionRow, now: Timestamp) -> bool {
    row.ended.is_none() && !now.has_reached(row.session.deadline)
}

/// Ends a session, audited; nothing if it was over before. Where the reason says so, the device key
/// is not known for the user any more.
pub(super) fn end(row: &SessionRow, because: EndedBecause, now: Timestamp) -> Vec<Write> {
    if row.ended.is_some() {
        return Vec::new();
    }
    let session = &row.session;
    let subject = AuditSubject { client_id: None, ..audit::of_session(session) };
    let mut writes = vec![
        Write::EndSession { session: session.id, because, at: now },
        audit::entry(AuditEvent::SessionEnded(because), subject, now),
    ];
    if because.forgets_device_key() {
        writes.push(Write::DeleteDeviceKey { jkt: session.jkt, user: session.user.id });
        if row.key_is_known {
            writes.push(audit::entry(AuditEvent::DeviceKeyForgotten, subject, now));
        }
    }
    writes
}

/// RFC 7009: ends the session if it is alive and the client's own, and of this `key` where one is
/// given; a session of another key is audited.
pub(in crate::storage) fn revoke(
    row: Option<SessionRow>,
    client_id: &str,
    key: Option<Thumbprint>,
    now: Timestamp,
) -> Decision<Revocation> {
    let own = row.filter(|row| is_alive(row, now) && row.session.client_id == client_id);
    match (own, key) {
        (Some(other), Some(key)) if other.session.jkt != key => {
            let subject = AuditSubject { jkt: Some(key), ..audit::of_session(&other.session) };
            let tried = audit::entry(AuditEvent::RevocationByForeignKey, subject, now);
            Decision::with(Revocation::NothingToRevoke, vec![tried])
        }
        (Some(own), _) => Decision::with(
            Revocation::Revoked(own.session.id),
            end(&own, EndedBecause::Revoked, now),
        ),
        (None, _) => Decision::only(Revocation::NothingToRevoke),
    }
}

/// Ends sessions, and cancels the grants that could still become one of theirs.
pub(in crate::storage) fn end_all(
    rows: EndRows,
    selector: &SessionSelector,
    because: EndedBecause,
    now: Timestamp,
) -> Decision<EndedSessions> {
    let EndRows { sessions, grants } = rows;
    let answer = EndedSessions {
        ended: sessions.len(),
        may_be_more: sessions.len() == EndRows::MOST || grants.len() == EndRows::MOST,
    };
    let mut writes: Vec<Write> =
        sessions.iter().flat_map(|row| end(row, of_each(row, selector, because), now)).collect();
    for grant in grants {
        writes.extend(grants::cancel(grant, CancelledBy::EndedAccess, now).into_iter().flatten());
    }
    Decision::with(answer, writes)
}

/// The session that the person signs out everywhere from is signed out by itself.
fn of_each(row: &SessionRow, selector: &SessionSelector, because: EndedBecause) -> EndedBecause {
    match selector {
        SessionSelector::Everywhere { from, .. } if row.session.id == *from => {
            EndedBecause::Revoked
        }
        _ => because,
    }
}

impl Rules {
    /// Begins the session of a grant whose code is being redeemed, and ends the `older` one of the
    /// same user, client and device key.
    pub(super) fn begin_session(
        &self,
        grant: &Grant,
        user: User,
        older: Option<&SessionRow>,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> (IssuedSession, Vec<Write>) {
        let is_refreshable = grant.scope.has("offline_access");
        let lifetimes = self.lifetimes();
        let session = Session {
            id: SessionId::draw(self.random()),
            client_id: grant.client_id.clone(),
            jkt: grant.jkt,
            scope: grant.scope.clone(),
            auth_time: grant.fulfilled_at.unwrap_or(now),
            deadline: if is_refreshable {
                lifetimes.session_deadline(now, now)
            } else {
                now.plus(lifetimes.access_token)
            },
            user,
        };
        let mut writes =
            older.map_or_else(Vec::new, |older| end(older, EndedBecause::SignedInAgain, now));
        let subject = AuditSubject { grant: Some(grant.id), ..audit::of_session(&session) };
        writes.extend([
            Write::InsertSession {
                session: Box::new(session.clone()),
                upstream_session: grant.upstream_session.clone(),
                created_at: now,
                address,
            },
            // Not before the code is redeemed: until then any caller may name the key.
            Write::PutDeviceKey {
                jkt: grant.jkt,
                user: session.user.id,
                device_name: grant.device_name.clone(),
                seen_at: now,
            },
            audit::entry(AuditEvent::SessionBegun, subject, now),
        ]);
        let refresh_token = is_refreshable.then(|| {
            let token = RefreshToken::draw_first(self.random());
            let family = FamilyRow {
                id: token.family,
                generation: token.generation,
                token_hash: token.hash(),
                sealed_child: None,
                used_at: now,
            };
            writes.push(Write::InsertFamily { family, session: session.id });
            self.keys().write_refresh_token(&token)
        });
        let access_deadline = lifetimes.access_deadline(session.deadline, now);
        (IssuedSession { session, access_deadline, refresh_token }, writes)
    }
}
