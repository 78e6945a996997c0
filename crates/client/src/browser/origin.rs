//! Which URLs may be opened: those of the configured companion, over https, or http on loopback.
//! It says nothing about whether a server answers there. Origin as in RFC 6454.

use keyport_core::secret::AuthorizationUrl;
use keyport_uri::is_loopback_host;
use thiserror::Error;
use url::{Origin, Url};

use super::PermittedUrl;

/// Longest URL that is opened, in bytes: Windows hands no longer one to a program.
const LONGEST: usize = 2048;

/// The scheme, host and port of the companion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanionOrigin(Origin);

/// The URL cannot be a companion's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an https origin, nor an http one on this machine")]
pub struct OriginError;

impl CompanionOrigin {
    /// The origin of the issuer, or of any other URL of the companion.
    ///
    /// # Errors
    /// [`OriginError`] unless it is https, or http on a loopback host ([`is_loopback_host`]).
    pub fn of(url: &Url) -> Result<Self, OriginError> {
        if is_private(url) { Ok(Self(url.origin())) } else { Err(OriginError) }
    }

    /// The URL as it may be opened; `None` if it is not the companion's.
    pub(super) fn permit(&self, url: &AuthorizationUrl) -> Option<PermittedUrl> {
        // Before parsing too: the parser drops tabs and line ends instead of refusing them.
        let raw = url.expose();
        let parsed = Url::parse(raw).ok().filter(|_| is_plain(raw))?;
        let ours = is_private(&parsed) && parsed.origin() == self.0;
        let bare = parsed.username().is_empty()
            && parsed.password().is_none()
            && parsed.fragment().is_none();
        let serialised = String::from(parsed);
        (ours && bare && is_plain(&serialised))
            .then(|| PermittedUrl { url: AuthorizationUrl::new(serialised), short_link: None })
    }
}

fn is_private(url: &Url) -> bool {
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => is_loopback_host(host),
        _ => false,
    }
}

/// Whether the URL holds only characters that a shell, a desktop entry and `cmd` do not change.
/// These are fewer than RFC 3986 allows. A query needs `&`, `=`, `?` and `%`, which are special to
/// some of them; `%` must begin an escape, so that it cannot name a variable.
fn is_plain(url: &str) -> bool {
    let characters =
        url.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?[]&=+%,".contains(&b));
    let escapes = url
        .split('%')
        .skip(1)
        .all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()));
    characters && escapes && url.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Result<CompanionOrigin, OriginError> {
        CompanionOrigin::of(&Url::parse(url).unwrap())
    }

    fn permitted(origin: &CompanionOrigin, url: &str) -> Option<String> {
        origin.permit(&AuthorizationUrl::new(url)).map(|url| url.expose().to_owned())
    }

    #[test]
    fn a_companion_is_reached_over_https_or_on_this_machine() {
        for good in
            ["https://a.test", "http://127.0.0.1:8788", "http://[::1]:1", "http://localhost:1"]
        {
            assert!(origin(good).is_ok(), "{good}");
        }
        for bad in [
            "http://a.test",
            "http://128.0.0.1:1",
            "http://localhost.a.test",
            "ftp://a.test",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:,x",
            "http://0.0.0.0:1",
        ] {
            assert_eq!(origin(bad), Err(OriginError), "{bad}");
        }
    }

    #[test]
    fn only_the_same_scheme_host_and_port_are_opened() {
        let companion = origin("https://sign-in.acme.test").unwrap();
        let good = "https://sign-in.acme.test/oauth/authorize?client_id=a&request_uri=urn:b%3Ac";
        assert_eq!(permitted(&companion, good).as_deref(), Some(good));
        let upper = "HTTPS://Sign-In.Acme.TEST:443/oauth/../oauth/authorize";
        let serialised = permitted(&companion, upper);
        assert_eq!(serialised.as_deref(), Some("https://sign-in.acme.test/oauth/authorize"));
        for bad in [
            "http://sign-in.acme.test/",
            "https://sign-in.acme.test:8443/",
            "https://evil.test/",
            "https://sign-in.acme.test.evil.test/",
            "https://sign-in.acme.test./",
            "https://sign-in.acme.test@evil.test/",
            "https://ada@sign-in.acme.test/",
            "https://ada:pw@sign-in.acme.test/",
            "https://sign-in.acme.test/#code",
            "//sign-in.acme.test/",
            "sign-in.acme.test",
            "",
            "--help",
            "-https://a",
        ] {
            assert_eq!(permitted(&companion, bad), None, "{bad}");
        }
    }

    #[test]
    fn characters_that_another_reader_could_take_as_its_own_are_refused() {
        let companion = origin("https://a.test").unwrap();
        for path in [
            "a\nb",
            "a\rb",
            "a\tb",
            "a b",
            "\0",
            "a\"b",
            "a'b",
            "a`b`",
            "$(calc)",
            "${HOME}",
            "a|b",
            "a;b",
            "a<b",
            "a>b",
            "a^b",
            "a\\b",
            "é",
            "%USERPROFILE%",
            "%",
            "%4",
            "%zz",
            "(a)",
            "!a",
            "*",
            "a#b",
            "\u{202e}",
        ] {
            assert_eq!(permitted(&companion, &format!("https://a.test/{path}")), None, "{path:?}");
        }
        let long = format!("https://a.test/{}", "a".repeat(LONGEST));
        assert_eq!(permitted(&companion, &long), None);
    }

    #[test]
    fn what_looks_like_a_second_command_stays_a_part_of_the_url() {
        let companion = origin("https://a.test").unwrap();
        let url = "https://a.test/?x=1&calc";
        assert_eq!(permitted(&companion, url).as_deref(), Some(url));
    }
}
