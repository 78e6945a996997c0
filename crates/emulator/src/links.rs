//! Links that the API gives out for a browser: the sign-out at an identity provider, and the admin
//! portal. Each has a token, serves for a short time, and a sign-out serves once.

use std::collections::HashMap;
use std::time::Duration;

use crate::secret::{Fingerprint, Secret};
use crate::timestamp::Timestamp;

/// Of a link to the portal (workos.com/docs/admin-portal).
const PORTAL_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// Not documented.
const LOGOUT_LIFETIME: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, Default)]
pub struct Links {
    /// Which connection each profile came through.
    profiles: HashMap<String, String>,
    logouts: HashMap<Fingerprint, Timestamp>,
    portals: HashMap<Fingerprint, (String, Timestamp)>,
}

impl Links {
    pub fn remember_profile(&mut self, profile_id: &str, connection_id: &str) {
        self.profiles.insert(profile_id.to_owned(), connection_id.to_owned());
    }

    #[must_use]
    pub fn connection_of(&self, profile_id: &str) -> Option<&str> {
        self.profiles.get(profile_id).map(String::as_str)
    }

    pub fn offer_logout(&mut self, token: &Secret, now: Timestamp) {
        self.logouts.insert(token.fingerprint(), now.plus(LOGOUT_LIFETIME));
    }

    /// Whether the token was right; it is used up.
    pub fn take_logout(&mut self, token: &Secret, now: Timestamp) -> bool {
        self.logouts.remove(&token.fingerprint()).is_some_and(|expires| now < expires)
    }

    pub fn offer_portal(&mut self, token: &Secret, organization_id: &str, now: Timestamp) {
        let expires = now.plus(PORTAL_LIFETIME);
        self.portals.insert(token.fingerprint(), (organization_id.to_owned(), expires));
    }

    /// The organization whose portal opens with this token.
    #[must_use]
    pub fn portal(&self, token: &Secret, now: Timestamp) -> Option<&str> {
        let (organization_id, expires) = self.portals.get(&token.fingerprint())?;
        (now < *expires).then_some(organization_id.as_str())
    }
}
