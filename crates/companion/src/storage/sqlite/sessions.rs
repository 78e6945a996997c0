//! Sessions: how one begins, is read and ends. Rotation of its refresh tokens is in `rotation`.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Context, audit, rotation, users, worker::Done};
use crate::domain::{
    AuditEvent, AuditSubject, EndedBecause, Grant, IssuedSession, Session, SessionId, Thumbprint,
    Timestamp, UserId,
};
use crate::keys::RefreshToken;
use crate::storage::{Revocation, StorageError};

/// Begins the session of a grant whose code is being redeemed, and ends the older one of the same device.
pub(super) fn begin(
    db: &Connection,
    context: &Context,
    grant: &Grant,
    user: UserId,
    now: Timestamp,
) -> Done<IssuedSession> {
    end_of_device(db, context, grant, user, now)?;
    let user = users::find(db, user)?
        .ok_or_else(|| StorageError::Damaged("a grant without its user".into()))?;
    let refreshable = grant.scope.has("offline_access");
    let settings = &context.settings;
    let session = Session {
        id: SessionId::draw(&*context.random),
        client_id: grant.client_id.clone(),
        jkt: grant.jkt,
        scope: grant.scope.clone(),
        auth_time: grant.fulfilled_at.unwrap_or(now),
        deadline: if refreshable {
            now.plus(settings.family.idle.min(settings.family.absolute))
        } else {
            now.plus(settings.access_lifetime)
        },
        user,
    };
    insert(db, &session, now)?;
    users::remember_key(db, session.user.id, grant.jkt, grant.device_name.as_deref(), now)?;
    let subject = AuditSubject { grant: Some(grant.id), ..audit::of_session(&session) };
    audit::write(db, context, &AuditEvent::SessionBegun, &subject, now)?;
    let refresh_token = if refreshable {
        let token = RefreshToken::draw_first(&*context.random);
        rotation::insert(db, &token, session.id, now)?;
        Some(context.keys.write_refresh_token(&token))
    } else {
        None
    };
    Ok(IssuedSession { session, refresh_token })
}

fn insert(db: &Connection, session: &Session, now: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO sessions (id, user_id, client_id, jkt, scope, auth_time, created_at, deadline)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        session.id,
        session.user.id,
        session.client_id,
        session.jkt,
        session.scope,
        session.auth_time,
        now,
        session.deadline
    ])
    .map(drop)
}

fn end_of_device(
    db: &Connection,
    context: &Context,
    grant: &Grant,
    user: UserId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let older: Option<SessionId> = db
        .prepare_cached(
            "SELECT id FROM sessions
             WHERE user_id = ?1 AND client_id = ?2 AND jkt = ?3 AND ended_at IS NULL",
        )?
        .query_row(params![user, grant.client_id, grant.jkt], |row| row.get(0))
        .optional()?;
    match older {
        Some(session) => end(db, context, session, EndedBecause::SignedInAgain, now).map(drop),
        None => Ok(()),
    }
}

/// The session, alive or not: one whose deadline or end has come is not.
pub(super) fn find_alive(
    db: &Connection,
    session: SessionId,
    now: Timestamp,
) -> rusqlite::Result<Option<Session>> {
    db.prepare_cached(&format!(
        "SELECT sessions.client_id, sessions.jkt, sessions.scope, sessions.auth_time,
                sessions.deadline, {}
         FROM sessions JOIN users ON users.id = sessions.user_id
         WHERE sessions.id = ?1 AND sessions.ended_at IS NULL AND sessions.deadline > ?2",
        users::COLUMNS
    ))?
    .query_row(params![session, now], |row| {
        Ok(Session {
            id: session,
            client_id: row.get(0)?,
            jkt: row.get(1)?,
            scope: row.get(2)?,
            auth_time: row.get(3)?,
            deadline: row.get(4)?,
            user: users::read(row, 5)?,
        })
    })
    .optional()
}

/// Ends a session, audited; false if it was over before. Its family goes with it: an ended session
/// has no tokens. Where the reason says so, the device key is not trusted for the user any more.
pub(super) fn end(
    db: &Connection,
    context: &Context,
    session: SessionId,
    because: EndedBecause,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let ended: Option<(UserId, Thumbprint)> = db
        .prepare_cached(
            "UPDATE sessions SET ended_at = ?2, ended_because = ?3
             WHERE id = ?1 AND ended_at IS NULL RETURNING user_id, jkt",
        )?
        .query_row(params![session, now, because.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((user, jkt)) = ended else { return Ok(false) };
    rotation::wipe_seal(db, session)?;
    let subject = AuditSubject {
        session: Some(session),
        user: Some(user),
        jkt: Some(jkt),
        ..AuditSubject::default()
    };
    audit::write(db, context, &AuditEvent::SessionEnded(because), &subject, now)?;
    if because.forgets_device_key() && users::forget_key(db, user, jkt)? {
        audit::write(db, context, &AuditEvent::DeviceKeyForgotten, &subject, now)?;
    }
    Ok(true)
}

/// RFC 7009: ends the session if it is the client's own.
pub(super) fn revoke(
    db: &Connection,
    context: &Context,
    session: Option<SessionId>,
    client_id: &str,
    now: Timestamp,
) -> Done<Revocation> {
    let own = match session {
        Some(session) => find_alive(db, session, now)?.filter(|own| own.client_id == client_id),
        None => None,
    };
    match own {
        Some(own) if end(db, context, own.id, EndedBecause::Revoked, now)? => {
            Ok(Revocation::Revoked(own.id))
        }
        _ => Ok(Revocation::NothingToRevoke),
    }
}
