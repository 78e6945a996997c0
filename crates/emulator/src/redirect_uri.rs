//! The redirect allow-list: exact strings, and a port wildcard for loopback hosts only (RFC 8252
//! §7.3 as WorkOS offers it: `http://127.0.0.1:*/callback`). Not a URL matcher: no normalisation,
//! no case folding, no default port.

use serde::Deserialize;
use url::{Url, form_urlencoded};

const LOOPBACK: [&str; 3] = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];

/// One registered redirect URI.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum RedirectPattern {
    Exact(String),
    /// `origin` ends with the colon before the port, `path` begins with its slash.
    AnyPort {
        origin: String,
        path: String,
    },
}

impl TryFrom<String> for RedirectPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("redirect URI {text:?}: only ASCII without spaces"));
        }
        if let Some((origin, rest)) = loopback(&text)
            && let Some(path) = rest.strip_prefix('*')
        {
            let whole = path.starts_with('/') && !path.contains(['*', '#']);
            return match whole {
                true => Ok(Self::AnyPort { origin: origin.to_owned(), path: path.to_owned() }),
                false => Err(format!(
                    "redirect URI {text:?}: after the port must come a path without `*` or `#`"
                )),
            };
        }
        if text.contains('*') {
            return Err(format!(
                "redirect URI {text:?}: `*` may only stand for the port of a loopback host"
            ));
        }
        match Url::parse(&text) {
            Ok(url) if url.fragment().is_none() => Ok(Self::Exact(text)),
            Ok(_) => Err(format!("redirect URI {text:?}: a fragment is not allowed")),
            Err(cause) => Err(format!("redirect URI {text:?}: {cause}")),
        }
    }
}

impl std::fmt::Display for RedirectPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(uri) => f.write_str(uri),
            Self::AnyPort { origin, path } => write!(f, "{origin}*{path}"),
        }
    }
}

impl RedirectPattern {
    /// The URI, if this is one and no pattern.
    #[must_use]
    pub fn uri(&self) -> Option<&str> {
        match self {
            Self::Exact(uri) => Some(uri),
            Self::AnyPort { .. } => None,
        }
    }

    #[must_use]
    pub fn allows(&self, uri: &str) -> bool {
        match self {
            Self::Exact(registered) => registered == uri,
            Self::AnyPort { origin, path } => uri
                .strip_prefix(origin)
                .and_then(|rest| rest.strip_suffix(path.as_str()))
                .is_some_and(is_port),
        }
    }
}

fn loopback(text: &str) -> Option<(&'static str, &str)> {
    LOOPBACK.iter().find_map(|origin| text.strip_prefix(origin).map(|rest| (*origin, rest)))
}

fn is_port(text: &str) -> bool {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    canonical && text.parse::<u16>().is_ok()
}

/// The redirect URI with the answer in its query. The registered text itself is kept byte for byte,
/// so that a private-use scheme (`dev.example.app:/callback`) is not rewritten.
#[must_use]
pub fn with_query(redirect_uri: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{separator}{query}")
}

#[cfg(test)]
mod tests {
    use super::{RedirectPattern, with_query};

    fn pattern(text: &str) -> RedirectPattern {
        RedirectPattern::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_port_wildcard_takes_nothing_but_a_port() {
        let registered = pattern("http://127.0.0.1:*/callback");
        for foreign in [
            "http://127.0.0.1:/callback",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:080/callback",
            "http://127.0.0.1:+80/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:1@evil.test/callback",
            "http://127.0.0.1:1/x/callback",
            "http://127.0.0.1:1/callback/",
            "http://127.0.0.1:1/callback?x=1",
            "http://127.0.0.1:1/CALLBACK",
            "http://127.0.0.1.evil.test:1/callback",
            "http://localhost:1/callback",
            "https://127.0.0.1:1/callback",
        ] {
            assert!(!registered.allows(foreign), "{foreign}");
        }
        assert!(registered.allows("http://127.0.0.1:1/callback"));
        assert!(registered.allows("http://127.0.0.1:65535/callback"));
    }

    #[test]
    fn an_exact_uri_matches_byte_for_byte() {
        let registered = pattern("https://app.example/callback");
        assert!(registered.allows("https://app.example/callback"));
        for foreign in [
            "https://app.example/callback/",
            "https://APP.example/callback",
            "https://app.example:443/callback",
        ] {
            assert!(!registered.allows(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_wildcard_elsewhere_cannot_be_registered() {
        for text in [
            "http://example.test:*/callback",
            "https://127.0.0.1:*/callback",
            "http://127.0.0.1:*",
            "http://127.0.0.1:*/*",
            "http://*.example.test/callback",
            "http://127.0.0.1:*/callback#x",
            "https://app.example/callback#x",
            "callback",
            "https://app.example/callbäck",
            "https://app.example/call back",
        ] {
            assert!(RedirectPattern::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_answer_is_appended_and_nothing_rewritten() {
        assert_eq!(
            with_query("dev.example.app:/callback", &[("code", "a b")]),
            "dev.example.app:/callback?code=a+b"
        );
        assert_eq!(
            with_query("https://app.example/cb?x=1", &[("state", "&=")]),
            "https://app.example/cb?x=1&state=%26%3D"
        );
    }
}
