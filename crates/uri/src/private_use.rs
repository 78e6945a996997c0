//! Redirect URIs of a private-use scheme (RFC 8252 §7.1), as an app sends them and a client record
//! lists them: a scheme and a path, written so that no reader changes it.

use std::error::Error;
use std::fmt;

/// Longest redirect URI of an app, in bytes.
pub const LONGEST_REDIRECT_URI: usize = 255;

/// Why a URI is no redirect URI of an app. It reads on after the URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectUriError {
    /// More than [`LONGEST_REDIRECT_URI`] bytes.
    TooLong,
    /// A character that is not printable ASCII.
    NotPrintable,
    /// Has a fragment (RFC 6749 §3.1.2).
    Fragment,
    /// Stands for more than one (RFC 9700 §2.1).
    Wildcard,
    /// Has a query, user information, or a backslash, which some readers take for a slash.
    MoreThanAPath,
    /// A character that RFC 3986 §2 does not have.
    NoUriCharacter,
    /// Has no scheme.
    NoScheme,
    /// Its scheme is not a reversed domain: another program could have the same one.
    Scheme,
    /// Names a host.
    Host,
    /// Has no path, or one that readers change.
    Path,
}

impl RedirectUriError {
    /// The fault, to be read after the URI.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "is too long",
            Self::NotPrintable => "holds a blank, a control character or one that is not ASCII",
            Self::Fragment => "has a fragment, which no redirect URI may have",
            Self::Wildcard => "holds a wildcard: every redirect URI is written out",
            Self::MoreThanAPath => "holds one of ? \\ @: it is a scheme and a path, nothing else",
            Self::NoUriCharacter => "holds a character that no URI has (RFC 3986 §2)",
            Self::NoScheme => "has no scheme",
            Self::Scheme => "has a scheme that is not a reversed domain, such as com.example.notes",
            Self::Host => "has two slashes: a private-use scheme names no host, write SCHEME:/PATH",
            Self::Path => "has no path: write SCHEME:/PATH",
        }
    }
}

impl fmt::Display for RedirectUriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error for RedirectUriError {}

/// Checks what holds for every redirect URI of an app, whatever its scheme.
///
/// # Errors
/// The first rule that does not hold, up to [`RedirectUriError::NoUriCharacter`].
pub fn check_characters(uri: &str) -> Result<(), RedirectUriError> {
    if uri.len() > LONGEST_REDIRECT_URI {
        return Err(RedirectUriError::TooLong);
    }
    if !uri.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(RedirectUriError::NotPrintable);
    }
    let holds = |characters: &[char]| uri.contains(characters);
    for (characters, error) in [
        (&['#'][..], RedirectUriError::Fragment),
        (&['*'], RedirectUriError::Wildcard),
        (&['?', '\\', '@'], RedirectUriError::MoreThanAPath),
        (&['"', '<', '>', '^', '`', '{', '|', '}'], RedirectUriError::NoUriCharacter),
    ] {
        if holds(characters) {
            return Err(error);
        }
    }
    Ok(())
}

/// Checks a redirect URI of a private-use scheme: a reversed domain in lower case, and a path.
///
/// ```
/// use keyport_uri::{RedirectUriError, check_private_use};
///
/// assert_eq!(check_private_use("com.example.notes:/callback"), Ok(()));
/// assert_eq!(check_private_use("notes:/callback"), Err(RedirectUriError::Scheme));
/// ```
///
/// # Errors
/// The first rule that does not hold.
pub fn check_private_use(uri: &str) -> Result<(), RedirectUriError> {
    check_characters(uri)?;
    let (scheme, path) = uri.split_once(':').ok_or(RedirectUriError::NoScheme)?;
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_plain);
    let is_reversed_domain = scheme.contains('.')
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.split('.').all(is_label);
    if !is_reversed_domain {
        return Err(RedirectUriError::Scheme);
    }
    if path.starts_with("//") {
        return Err(RedirectUriError::Host);
    }
    let is_dots = |segment: &str| segment == "." || segment == "..";
    if path.len() < 2 || !path.starts_with('/') || path.split('/').any(is_dots) {
        return Err(RedirectUriError::Path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reversed_domain_and_a_path_are_a_redirect_uri() {
        for uri in [
            "com.acme.notes:/callback",
            "com.acme-2.notes:/cb/1",
            &format!("com.acme:/{}", "a".repeat(LONGEST_REDIRECT_URI - "com.acme:/".len())),
        ] {
            assert_eq!(check_private_use(uri), Ok(()), "{uri}");
        }
    }

    #[test]
    fn every_other_uri_is_refused_by_what_is_wrong() {
        for (uri, error) in [
            (&*"x".repeat(LONGEST_REDIRECT_URI + 1), RedirectUriError::TooLong),
            ("com.acme.notes:/call back", RedirectUriError::NotPrintable),
            ("com.acme.notes:/call\nback", RedirectUriError::NotPrintable),
            ("com.acme.notes:/caf\u{e9}", RedirectUriError::NotPrintable),
            ("com.acme.notes:/callback#x", RedirectUriError::Fragment),
            ("com.acme.*:/callback", RedirectUriError::Wildcard),
            ("com.acme.notes:/callback?x", RedirectUriError::MoreThanAPath),
            ("com.acme.notes:/a\\b", RedirectUriError::MoreThanAPath),
            ("com.acme.notes:/a@b", RedirectUriError::MoreThanAPath),
            ("com.acme.notes:/<callback>", RedirectUriError::NoUriCharacter),
            ("com.acme.notes:/a|b", RedirectUriError::NoUriCharacter),
            ("", RedirectUriError::NoScheme),
            ("com.acme.notes", RedirectUriError::NoScheme),
            ("notes:/callback", RedirectUriError::Scheme),
            ("https://acme.test/callback", RedirectUriError::Scheme),
            ("Com.acme:/callback", RedirectUriError::Scheme),
            ("com..notes:/callback", RedirectUriError::Scheme),
            ("1com.acme:/callback", RedirectUriError::Scheme),
            ("com.acme.notes://callback", RedirectUriError::Host),
            ("com.acme.notes:", RedirectUriError::Path),
            ("com.acme.notes:/", RedirectUriError::Path),
            ("com.acme.notes:callback", RedirectUriError::Path),
            ("com.acme.notes:/a/../callback", RedirectUriError::Path),
            ("com.acme.notes:/./callback", RedirectUriError::Path),
        ] {
            assert_eq!(check_private_use(uri), Err(error), "{uri}");
        }
    }
}
