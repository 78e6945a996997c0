//! The native apps that may sign in here, as data (RFC 8252 §8.4): id, name, redirect URIs. Public clients:
//! no secret, DPoP required. Not a registration endpoint.

use url::Url;

use crate::issuer::Issuer;

/// One registered app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// `client_id`.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// Where its codes may go.
    pub redirect_uris: Vec<RedirectRule>,
}

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

impl ClientRecord {
    /// The app and the command-line tool of this project.
    pub fn keyport_desktop() -> Self {
        Self {
            id: "keyport-desktop".into(),
            name: "Keyport".into(),
            redirect_uris: vec![
                RedirectRule::Exact("dev.keyport.desktop:/callback".into()),
                RedirectRule::Exact("dev.keyport.desktop.dev:/callback".into()),
                RedirectRule::Loopback { path: "/callback".into() },
            ],
        }
    }

    /// An address that opens the app and asks nothing of it: the app comes to the front. A service
    /// that is reached over http, which is on loopback only, is one of a developer, whose app is a
    /// development build: its scheme ends with `.dev`.
    pub fn opening_address(&self, issuer: &Issuer) -> Option<String> {
        let is_of_developer = !issuer.is_https();
        self.redirect_uris.iter().find_map(|rule| match rule {
            RedirectRule::Exact(uri) => {
                let (scheme, _) = uri.split_once(":/")?;
                let fits = scheme.ends_with(".dev") == is_of_developer;
                fits.then(|| format!("{scheme}:/open"))
            }
            RedirectRule::Loopback { .. } => None,
        })
    }

    /// Whether a code may be sent to `redirect_uri`.
    pub fn allows(&self, redirect_uri: &str) -> bool {
        self.redirect_uris.iter().any(|rule| rule.allows(redirect_uri))
    }
}

impl RedirectRule {
    fn allows(&self, given: &str) -> bool {
        match self {
            Self::Exact(uri) => uri == given,
            Self::Loopback { path } => is_loopback(given, path),
        }
    }
}

/// Rebuilt from its port and compared, so no other spelling of the address gets through.
fn is_loopback(given: &str, path: &str) -> bool {
    Url::parse(given)
        .ok()
        .and_then(|url| url.port_or_known_default())
        .is_some_and(|port| port != 0 && given == format!("http://127.0.0.1:{port}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_opens_the_app_has_the_scheme_of_its_build() {
        let opened_from = |issuer: &str| {
            ClientRecord::keyport_desktop().opening_address(&Issuer::new(issuer).unwrap())
        };
        let released = Some("dev.keyport.desktop:/open".to_owned());
        assert_eq!(opened_from("https://sign-in.acme.test"), released);
        let development = Some("dev.keyport.desktop.dev:/open".to_owned());
        assert_eq!(opened_from("http://127.0.0.1:8788"), development);
    }

    #[test]
    fn its_own_scheme_and_any_loopback_port_are_allowed() {
        let client = ClientRecord::keyport_desktop();
        for uri in [
            "dev.keyport.desktop:/callback",
            "dev.keyport.desktop.dev:/callback",
            "http://127.0.0.1:1/callback",
            "http://127.0.0.1:65535/callback",
        ] {
            assert!(client.allows(uri), "{uri}");
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
            assert!(!client.allows(uri), "{uri}");
        }
    }
}
