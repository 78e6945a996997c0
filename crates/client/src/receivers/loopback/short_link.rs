//! A short link on this machine that sends a browser on to the companion, for a person who copies
//! it out of a terminal. Its path is random, because other users of the machine reach the port too.
//! It leads only where a [`PermittedUrl`] leads.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyport_core::secret::AuthorizationUrl;
use subtle::ConstantTimeEq as _;

use crate::browser::PermittedUrl;

/// Random bytes of the path: 96 bits, 16 characters.
pub const SHORT_LINK_BYTES: usize = 12;

/// The listener's short link: `http://127.0.0.1:PORT/` and 16 random characters, so at most 39
/// characters. It is answered for as long as the listener listens, once
/// [`leads_to`](Self::leads_to) has said where it leads. Clones are the same link. A secret like
/// the URL behind it.
#[derive(Clone, Debug)]
pub struct ShortLink {
    url: AuthorizationUrl,
    target: Arc<Mutex<Option<AuthorizationUrl>>>,
}

impl ShortLink {
    pub(super) fn at(host: &str, random: [u8; SHORT_LINK_BYTES]) -> Self {
        let path = URL_SAFE_NO_PAD.encode(random);
        Self { url: AuthorizationUrl::new(format!("http://{host}/{path}")), target: Arc::default() }
    }

    /// To be shown to the person at this machine.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.url.expose()
    }

    /// Sends browsers there from now on.
    pub fn leads_to(&self, url: &PermittedUrl) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(AuthorizationUrl::new(url.expose()));
    }

    /// Whether this is its request target (RFC 9112 §3.2.1), without telling by the time it takes
    /// how much of it was right.
    pub(super) fn is_asked_for(&self, target: &str) -> bool {
        let url = self.url.expose();
        let path =
            url.find("//").and_then(|at| url[at + 2..].find('/').map(|slash| at + 2 + slash));
        path.is_some_and(|path| bool::from(url.as_bytes()[path..].ct_eq(target.as_bytes())))
    }

    pub(super) fn target(&self) -> Option<AuthorizationUrl> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_short_and_only_its_whole_path_is_it() {
        let link = ShortLink::at("127.0.0.1:65535", [0xfb; SHORT_LINK_BYTES]);
        assert_eq!(link.expose(), "http://127.0.0.1:65535/-_v7-_v7-_v7-_v7");
        assert!(link.is_asked_for("/-_v7-_v7-_v7-_v7"));
        for other in ["", "/", "/-_v7-_v7-_v7-_v", "/-_v7-_v7-_v7-_v7?", "/-_V7-_v7-_v7-_v7"] {
            assert!(!link.is_asked_for(other), "{other}");
        }
        assert!(!format!("{link:?}").contains("v7"), "{link:?}");
    }
}
