//! Sign-ins that wait for a step: each under a `pending_authentication_token` that lives ten
//! minutes and goes with the step that succeeds.

use std::collections::HashMap;
use std::time::Duration;

use super::SignedIn;
use crate::secret::{Fingerprint, Secret};
use crate::timestamp::Timestamp;

const LIFETIME: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
pub struct PendingAuthentications(HashMap<Fingerprint, (SignedIn, Timestamp)>);

impl PendingAuthentications {
    pub fn keep(&mut self, token: &Secret, signed_in: SignedIn, now: Timestamp) {
        self.0.retain(|_, (_, expires)| now < *expires);
        self.0.insert(token.fingerprint(), (signed_in, now.plus(LIFETIME)));
    }

    /// The sign-in of `client_id` that waits under this token.
    #[must_use]
    pub fn find(&self, token: &Secret, client_id: &str, now: Timestamp) -> Option<&SignedIn> {
        let (signed_in, expires) = self.0.get(&token.fingerprint())?;
        (now < *expires && signed_in.client_id == client_id).then_some(signed_in)
    }

    pub fn forget(&mut self, token: &Secret) {
        self.0.remove(&token.fingerprint());
    }
}
