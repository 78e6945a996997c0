//! Families of refresh tokens: the rows under [`Family::judge`]. One row per family, so there is
//! never a second live upstream authorization.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Context, audit, sessions, worker::Done};
use crate::domain::{
    AuditEvent, AuditSubject, EndedBecause, Family, FamilyId, IssuedSession, Presented,
    RefreshRefusal, SessionId, Thumbprint, Timestamp, Verdict,
};
use crate::keys::RefreshToken;
use crate::storage::{Rotation, StorageError};

struct FamilyRow {
    family: Family,
    session: SessionId,
    client_id: String,
    token_hash: [u8; 32],
    sealed_child: Option<Vec<u8>>,
}

pub(super) fn insert(
    db: &Connection,
    token: &RefreshToken,
    session: SessionId,
    now: Timestamp,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO families (id, session_id, generation, token_hash, used_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![token.family, session, token.generation, token.hash(), now])
    .map(drop)
}

fn find(db: &Connection, family: FamilyId) -> rusqlite::Result<Option<FamilyRow>> {
    db.prepare_cached(
        "SELECT families.session_id, families.generation, families.token_hash,
                families.sealed_child, families.used_at, sessions.client_id, sessions.jkt,
                sessions.created_at, sessions.ended_at IS NOT NULL
         FROM families JOIN sessions ON sessions.id = families.session_id
         WHERE families.id = ?1",
    )?
    .query_row([family], |row| {
        Ok(FamilyRow {
            session: row.get(0)?,
            token_hash: row.get(2)?,
            sealed_child: row.get(3)?,
            client_id: row.get(5)?,
            family: Family {
                generation: row.get(1)?,
                used_at: row.get(4)?,
                jkt: row.get(6)?,
                created_at: row.get(7)?,
                ended: row.get(8)?,
            },
        })
    })
    .optional()
}

pub(super) fn session_of(db: &Connection, family: FamilyId) -> rusqlite::Result<Option<SessionId>> {
    Ok(find(db, family)?.map(|row| row.session))
}

/// An ended family keeps its row, so that a late presentation is recognised, but nothing that
/// opens.
pub(super) fn wipe_seal(db: &Connection, session: SessionId) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE families SET sealed_child = NULL WHERE session_id = ?1")?
        .execute([session])
        .map(drop)
}

/// Presents a token whose MAC has been checked.
pub(super) fn present(
    db: &Connection,
    context: &Context,
    token: &RefreshToken,
    client_id: &str,
    jkt: Thumbprint,
    now: Timestamp,
) -> Done<Rotation> {
    let refuse = |why| Ok(Rotation::Refused(why));
    let Some(row) = find(db, token.family)? else { return refuse(RefreshRefusal::Unknown) };
    if row.client_id != client_id {
        return refuse(RefreshRefusal::WrongClient);
    }
    let presented = Presented { generation: token.generation, jkt };
    let child = match row.family.judge(presented, context.settings.family, now) {
        Verdict::Rotate => rotate(db, context, &row, token)?,
        Verdict::Repeat => repeat(context, &row, token),
        Verdict::Refuse(why) => {
            if why == RefreshRefusal::WrongDeviceKey {
                let (session, jkt) = (Some(row.session), Some(jkt));
                let subject = AuditSubject { session, jkt, ..AuditSubject::default() };
                audit::write(db, context, &AuditEvent::RefreshByForeignKey, &subject, now)?;
            }
            // `invalid_grant` ends the session on the device: a clock in doubt must not say that.
            if why == RefreshRefusal::Expired && !context.clock.is_plausible(now) {
                return Err(StorageError::Unavailable("the clock is in doubt".into()));
            }
            return refuse(why);
        }
        Verdict::End => {
            sessions::end(db, context, row.session, EndedBecause::TokenReplayed, now)?;
            return refuse(RefreshRefusal::Replayed);
        }
    };
    // The generation is right and the secret is not: a token of a history that this database has
    // lost.
    let Some(child) = child else { return refuse(RefreshRefusal::Unknown) };
    touch(db, context, &row, now)?;
    let session = sessions::find_alive(db, row.session, now)?
        .ok_or_else(|| StorageError::Damaged("a family without its session".into()))?;
    let refresh_token = Some(context.keys.write_refresh_token(&child));
    Ok(Rotation::Rotated(Box::new(IssuedSession { session, refresh_token })))
}

/// Makes a child current. Overwriting the seal is what wipes the one that held the presented token.
fn rotate(
    db: &Connection,
    context: &Context,
    row: &FamilyRow,
    token: &RefreshToken,
) -> Done<Option<RefreshToken>> {
    if aws_lc_rs::constant_time::verify_slices_are_equal(&token.hash(), &row.token_hash).is_err() {
        return Ok(None);
    }
    let random = &*context.random;
    let Some(child) = token.draw_child(random) else { return Ok(None) };
    let sealed = context.keys.seal_child(token, &child.secret, random);
    db.prepare_cached(
        "UPDATE families SET generation = ?2, token_hash = ?3, sealed_child = ?4 WHERE id = ?1",
    )?
    .execute(params![token.family, child.generation, child.hash(), sealed])?;
    Ok(Some(child))
}

/// The same child again: the presented parent opens the seal.
fn repeat(context: &Context, row: &FamilyRow, parent: &RefreshToken) -> Option<RefreshToken> {
    let secret = context.keys.open_child(parent, row.sealed_child.as_deref()?).ok()?;
    Some(RefreshToken { family: parent.family, generation: row.family.generation, secret })
}

fn touch(
    db: &Connection,
    context: &Context,
    row: &FamilyRow,
    now: Timestamp,
) -> rusqlite::Result<()> {
    // A clock that went back must not shorten what was promised.
    let used_at = row.family.used_at.max(now);
    let deadline = Family { used_at, ..row.family }.deadline(context.settings.family);
    db.prepare_cached("UPDATE families SET used_at = ?2 WHERE session_id = ?1")?
        .execute(params![row.session, used_at])?;
    db.prepare_cached("UPDATE sessions SET deadline = ?2 WHERE id = ?1")?
        .execute(params![row.session, deadline])
        .map(drop)
}
