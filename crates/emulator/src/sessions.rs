//! Sessions of the identity provider's own: who has signed in with a browser is not asked again
//! there. Off until it is ordered, so that each sign-in shows the form.

use std::collections::HashMap;

use crate::secret::{Fingerprint, Secret};

/// Browsers that have signed in, by the fingerprint of their cookie.
#[derive(Debug, Default)]
pub struct Sessions {
    kept: bool,
    emails: HashMap<Fingerprint, String>,
}

impl Sessions {
    /// Whether sign-ins are kept from now on; `false` ends those that are.
    pub fn keep(&mut self, kept: bool) {
        self.kept = kept;
        if !kept {
            self.emails.clear();
        }
    }

    /// Keeps a sign-in; false if none are kept.
    pub fn begin(&mut self, cookie: &Secret, email: &str) -> bool {
        if self.kept {
            self.emails.insert(cookie.fingerprint(), email.to_owned());
        }
        self.kept
    }

    /// Every browser is asked again; sign-ins are kept as before.
    pub fn end_all(&mut self) {
        self.emails.clear();
    }

    /// Who has signed in with this cookie.
    #[must_use]
    pub fn email(&self, cookie: &Secret) -> Option<&str> {
        self.emails.get(&cookie.fingerprint()).map(String::as_str)
    }
}
