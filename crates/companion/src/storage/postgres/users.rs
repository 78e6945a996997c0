//! Writing users and their device keys.

use deadpool_postgres::Transaction;

use super::failure::Done;
use super::statement::execute;
use crate::domain::{Thumbprint, Timestamp, UserId};
use crate::storage::transitions::UserRow;

pub(super) async fn put(db: &Transaction<'_>, row: &UserRow) -> Done<()> {
    let UserRow { user, identity, attributes, updated_at } = row;
    let organization = user.organization.as_ref();
    execute(
        db,
        "INSERT INTO users (id, issuer, connection_id, idp_id, connection_type, email, name,
                            organization_id, organization_name, created_at, updated_at, profile_id,
                            attributes, upstream)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12,
                 $13)
         ON CONFLICT (id) DO UPDATE SET
             connection_type = excluded.connection_type, email = excluded.email,
             name = excluded.name, organization_id = excluded.organization_id,
             organization_name = excluded.organization_name, updated_at = excluded.updated_at,
             profile_id = excluded.profile_id, attributes = excluded.attributes",
        &[
            &user.id,
            &identity.issuer(),
            &user.connection.as_ref().map(|connection| &connection.id),
            &identity.idp_id(),
            &user.method,
            &user.email,
            &user.name,
            &organization.map(|organization| &organization.id),
            &organization.and_then(|organization| organization.name.as_ref()),
            &updated_at,
            &identity.profile_id(),
            &attributes,
            &identity.upstream(),
        ],
    )
    .await
    .map(drop)
}

pub(super) async fn put_key(
    db: &Transaction<'_>,
    jkt: Thumbprint,
    user: UserId,
    device_name: Option<&str>,
    seen_at: Timestamp,
) -> Done<()> {
    execute(
        db,
        "INSERT INTO device_keys (jkt, user_id, device_name, first_seen, last_seen)
         VALUES ($1, $2, $3, $4, $4)
         ON CONFLICT (jkt, user_id) DO UPDATE SET
             device_name = excluded.device_name, last_seen = excluded.last_seen",
        &[&jkt, &user, &device_name, &seen_at],
    )
    .await
    .map(drop)
}

pub(super) async fn delete_key(db: &Transaction<'_>, jkt: Thumbprint, user: UserId) -> Done<()> {
    let delete = "DELETE FROM device_keys WHERE jkt = $1 AND user_id = $2";
    execute(db, delete, &[&jkt, &user]).await?;
    let ask = "UPDATE grants SET device_known = FALSE
               WHERE user_id = $2 AND jkt = $1 AND stage = 'fulfilled'";
    execute(db, ask, &[&jkt, &user]).await.map(drop)
}
