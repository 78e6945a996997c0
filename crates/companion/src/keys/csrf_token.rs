//! The value in the form of a hand-off page: a MAC over grant and browser, so that nothing has to
//! be stored. It is in the page and nowhere else; who has not been shown the page cannot answer it.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Keys;
use crate::domain::SecretText;
use crate::domain::{BrowserHash, GrantId};

impl Keys {
    /// The value for the page of this grant in this browser; base64url, 43 characters.
    pub fn csrf_token(&self, grant: GrantId, browser: BrowserHash) -> SecretText {
        let tag = hmac::sign(&self.csrf_mac, &content(grant, browser));
        SecretText::new(URL_SAFE_NO_PAD.encode(tag))
    }

    /// Whether this value came from that page. In constant time.
    pub fn check_csrf_token(&self, token: &str, grant: GrantId, browser: BrowserHash) -> bool {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(token) else { return false };
        hmac::verify(&self.csrf_mac, &content(grant, browser), &tag).is_ok()
    }
}

fn content(grant: GrantId, browser: BrowserHash) -> [u8; 48] {
    let mut content = [0; 48];
    content[..16].copy_from_slice(grant.as_bytes());
    content[16..].copy_from_slice(browser.as_bytes());
    content
}
