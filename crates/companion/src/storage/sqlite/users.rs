//! Users and their device keys: provisioned just in time, found by (issuer, connection, id at the
//! provider) only.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Context, audit};
use crate::domain::{
    AuditEvent, AuditSubject, Connection as SsoConnection, Organization, Thumbprint, Timestamp,
    UpstreamIdentity, User, UserId,
};

pub(super) const COLUMNS: &str = "users.id, users.email, users.name, users.organization_id, \
     users.organization_name, users.connection_id, users.connection_type";

/// Reads [`COLUMNS`], the first of them at `at`.
pub(super) fn read(row: &Row<'_>, at: usize) -> rusqlite::Result<User> {
    let (organization, name): (Option<String>, _) = (row.get(at + 3)?, row.get(at + 4)?);
    let organization = organization.map(|id| Organization { id, name });
    Ok(User {
        id: row.get(at)?,
        email: row.get(at + 1)?,
        name: row.get(at + 2)?,
        organization,
        connection: SsoConnection { id: row.get(at + 5)?, kind: row.get(at + 6)? },
    })
}

pub(super) fn find(db: &Connection, user: UserId) -> rusqlite::Result<Option<User>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE id = ?1"))?
        .query_row([user], |row| read(row, 0))
        .optional()
}

/// Finds the user of an identity and brings the facts up to date, or provisions one under `fresh`.
/// An organization whose name came too late this time keeps the one that is known.
pub(super) fn provision(
    db: &Connection,
    context: &Context,
    identity: &UpstreamIdentity,
    fresh: UserId,
    now: Timestamp,
) -> rusqlite::Result<UserId> {
    let (connection, organization) = (identity.connection(), identity.organization());
    let user: UserId = db
        .prepare_cached(
            "INSERT INTO users (id, issuer, connection_id, idp_id, connection_type, email, name,
                                organization_id, organization_name, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)
             ON CONFLICT (issuer, connection_id, idp_id) DO UPDATE SET
                 connection_type = excluded.connection_type, email = excluded.email,
                 name = excluded.name, organization_id = excluded.organization_id,
                 organization_name = CASE WHEN organization_id IS excluded.organization_id
                     THEN coalesce(excluded.organization_name, organization_name)
                     ELSE excluded.organization_name END,
                 updated_at = excluded.updated_at
             RETURNING id",
        )?
        .query_row(
            params![
                fresh,
                identity.issuer(),
                connection.id,
                identity.idp_id(),
                connection.kind,
                identity.email(),
                identity.name(),
                organization.map(|o| &o.id),
                organization.and_then(|o| o.name.as_ref()),
                now
            ],
            |row| row.get(0),
        )?;
    if user == fresh {
        let subject = AuditSubject { user: Some(user), ..AuditSubject::default() };
        audit::write(db, context, &AuditEvent::UserProvisioned, &subject, now)?;
    }
    Ok(user)
}

pub(super) fn knows_key(
    db: &Connection,
    context: &Context,
    user: UserId,
    jkt: Thumbprint,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let last_seen: Option<Timestamp> = db
        .prepare_cached("SELECT last_seen FROM device_keys WHERE jkt = ?1 AND user_id = ?2")?
        .query_row(params![jkt, user], |row| row.get(0))
        .optional()?;
    let family = context.settings.family;
    Ok(last_seen.is_some_and(|last_seen| family.trusts_device_key(last_seen, now)))
}

/// The key is not trusted any more, and a hand-off that is waiting asks for *Continue*. False if it
/// was not trusted before.
pub(super) fn forget_key(db: &Connection, user: UserId, jkt: Thumbprint) -> rusqlite::Result<bool> {
    let forgotten = db
        .prepare_cached("DELETE FROM device_keys WHERE jkt = ?1 AND user_id = ?2")?
        .execute(params![jkt, user])?;
    db.prepare_cached(
        "UPDATE grants SET device_known = 0
         WHERE user_id = ?2 AND jkt = ?1 AND stage = 'fulfilled'",
    )?
    .execute(params![jkt, user])?;
    Ok(forgotten > 0)
}

/// A device key becomes known to a user when it redeems a code, not before: until then anybody may
/// name it.
pub(super) fn remember_key(
    db: &Connection,
    user: UserId,
    jkt: Thumbprint,
    device_name: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO device_keys (jkt, user_id, device_name, first_seen, last_seen)
         VALUES (?1, ?2, ?3, ?4, ?4)
         ON CONFLICT (jkt, user_id) DO UPDATE SET
             device_name = excluded.device_name, last_seen = excluded.last_seen",
    )?
    .execute(params![jkt, user, device_name, now])
    .map(drop)
}
