//! Users are provisioned just in time: the first sign-in of an identity makes one, each further one
//! brings its facts up to date.

use super::{Rules, UserRow, Write, audit};
use crate::domain::{
    AuditEvent, AuditSubject, Organization, Timestamp, UpstreamIdentity, User, UserId,
};
use crate::storage::StorageError;

impl Rules {
    /// The user of the identity and the writes that keep it. `known`: the user with the identity's
    /// key, if there is one.
    pub(super) fn provision(
        &self,
        known: Option<User>,
        identity: &UpstreamIdentity,
        now: Timestamp,
    ) -> Result<(UserId, Vec<Write>), StorageError> {
        let is_new = known.is_none();
        let id = known.as_ref().map_or_else(|| UserId::draw(self.random()), |known| known.id);
        let organization = organization(known.and_then(|known| known.organization), identity);
        let user = User {
            id,
            email: identity.email().to_owned(),
            name: identity.name().map(str::to_owned),
            organization,
            connection: identity.connection().cloned(),
            method: identity.method().to_owned(),
        };
        let attributes = serde_json::to_string(identity.attributes())
            .map_err(|error| StorageError::Damaged(error.to_string()))?;
        let row =
            Box::new(UserRow { user, identity: identity.clone(), attributes, updated_at: now });
        let subject = AuditSubject { user: Some(id), ..AuditSubject::default() };
        let provisioned = || audit::entry(AuditEvent::UserProvisioned, subject, now);
        let writes = [Write::PutUser(row)].into_iter().chain(is_new.then(provisioned));
        Ok((id, writes.collect()))
    }
}

/// An organization whose name came too late this time keeps the one that is known.
fn organization(known: Option<Organization>, identity: &UpstreamIdentity) -> Option<Organization> {
    let organization = identity.organization()?.clone();
    let known = known.filter(|known| known.id == organization.id).and_then(|known| known.name);
    Some(Organization { name: organization.name.or(known), ..organization })
}
