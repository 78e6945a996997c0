//! The issuer identifier and the addresses under it (RFC 8414 §2). Every answer spells it the same
//! way, and no request header has a say in it.

use url::Url;

/// Scheme, host and port of this service as people reach it, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    text: String,
    base: Url,
}

impl Issuer {
    /// From an origin such as `https://sign-in.example.com`; `None` if it is not one.
    pub fn new(origin: &str) -> Option<Self> {
        let base = Url::parse(origin).ok()?;
        let text = base.origin().ascii_serialization();
        (base.has_host() && text == origin).then_some(Self { text, base })
    }

    /// `iss`, byte-equal everywhere.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address of a path that starts with a slash.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// The same, to compare with.
    pub fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    /// Whether browsers reach it over TLS, so that cookies can be held to it.
    pub fn is_https(&self) -> bool {
        self.base.scheme() == "https"
    }
}
