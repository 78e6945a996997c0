//! Redirect URIs of a client: which are allowed, and the short form in which one that was chosen
//! travels in sealed requests.

use keyport_uri::{RedirectUriError, check_characters, check_private_use};
use serde::{Deserialize, Serialize};
use url::Url;

/// A redirect URI that is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectRule {
    /// Compared byte by byte (RFC 9700 §2.1).
    Exact(String),
    /// `http://127.0.0.1` with this path and any port (RFC 8252 §7.3).
    Loopback {
        /// The path, with its slash.
        path: String,
    },
}

/// One redirect URI of a client, as the place of its rule in the record, and its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectChoice {
    pub(super) index: u8,
    /// Of a loopback URI.
    pub(super) port: Option<u16>,
}

const LOOPBACK: &str = "http://127.0.0.1";

impl RedirectRule {
    /// The rule that a URI in a record describes: a private-use scheme of reverse-domain form
    /// (RFC 8252 §7.1), or loopback http without a port.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(uri: &str) -> Result<Self, &'static str> {
        check_characters(uri).map_err(RedirectUriError::as_str)?;
        match uri.split_once(':') {
            Some(("http", _)) => loopback(uri),
            Some(("https", _)) => {
                Err("is https: a native app is reached by its own scheme or by loopback")
            }
            _ => check_private_use(uri)
                .map(|()| Self::Exact(uri.to_owned()))
                .map_err(RedirectUriError::as_str),
        }
    }

    pub(super) fn choice(&self, index: u8, uri: &str) -> Option<RedirectChoice> {
        let port = match self {
            Self::Exact(_) => None,
            Self::Loopback { path } => {
                let port = uri.strip_prefix(LOOPBACK)?.strip_prefix(':')?.strip_suffix(&**path)?;
                Some(port.parse().ok().filter(|port| *port != 0)?)
            }
        };
        // Rebuilt and compared, so no other spelling gets through.
        (self.uri(port)? == uri).then_some(RedirectChoice { index, port })
    }

    pub(super) fn uri(&self, port: Option<u16>) -> Option<String> {
        match (self, port) {
            (Self::Exact(uri), None) => Some(uri.clone()),
            (Self::Loopback { path }, Some(port)) => Some(format!("{LOOPBACK}:{port}{path}")),
            _ => None,
        }
    }
}

fn loopback(uri: &str) -> Result<RedirectRule, &'static str> {
    let url = Url::parse(uri).map_err(|_| "is no URI")?;
    if url.host_str() != Some("127.0.0.1") {
        return Err("is http and not on 127.0.0.1: http is for loopback only (RFC 8252 §8.3)");
    }
    if url.port().is_some() || uri.starts_with("http://127.0.0.1:") {
        return Err("names a port: leave it out, the app may take any (RFC 8252 §7.3)");
    }
    match uri.strip_prefix(LOOPBACK) {
        Some(path) if path.len() > 1 && path == url.path() => {
            Ok(RedirectRule::Loopback { path: path.to_owned() })
        }
        _ => Err("has no path, or one that browsers write in another way"),
    }
}

#[cfg(test)]
mod tests {
    use crate::clients::ClientRecord;

    #[test]
    fn its_own_scheme_and_any_loopback_port_are_allowed() {
        let client = ClientRecord::keyport_desktop();
        for uri in [
            "dev.keyport.desktop:/callback",
            "dev.keyport.desktop.dev:/callback",
            "http://127.0.0.1:1/callback",
            "http://127.0.0.1:65535/callback",
        ] {
            let choice = client.choose(uri).expect(uri);
            assert_eq!(client.redirect_uri(choice).as_deref(), Some(uri));
        }
    }

    #[test]
    fn everything_that_only_looks_like_it_is_refused() {
        let client = ClientRecord::keyport_desktop();
        for uri in [
            "",
            "dev.keyport.desktop:/callback/",
            "dev.keyport.desktop://callback",
            "DEV.keyport.desktop:/callback",
            "dev.keyport.desktop.evil:/callback",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:80a/callback",
            "http://127.0.0.1:0080/callback",
            "http://127.0.0.1:8000/callback?x=1",
            "http://127.0.0.1:8000/callback#x",
            "http://127.0.0.1:8000/x/../callback",
            "http://127.0.0.1:8000\\@evil.test/callback",
            "http://127.0.0.1:8000@evil.test/callback",
            "http://user@127.0.0.1:8000/callback",
            "http://localhost:8000/callback",
            "http://[::1]:8000/callback",
            "http://0x7f.1:8000/callback",
            "https://127.0.0.1:8000/callback",
            "http://127.0.0.1.evil.test:8000/callback",
            "javascript:alert(1)",
        ] {
            assert!(client.choose(uri).is_none(), "{uri}");
        }
    }
}
