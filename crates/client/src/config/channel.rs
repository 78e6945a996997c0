//! Which app this is on the device: where its keychain items stand and which scheme its links have.

use std::borrow::Cow;

use thiserror::Error;

/// Longest redirect URI that the companion registers, in bytes.
const LONGEST_URI: usize = 255;

/// One app in one build channel: its own keychain items and its own scheme, so that a development
/// build never takes a release's links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    service: Cow<'static, str>,
    link: Cow<'static, str>,
}

/// Why an app cannot be reached at a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RedirectUriError {
    /// Not a private-use scheme (RFC 8252 §7.1): another program could have the same one.
    #[error("its scheme is not a reversed domain of yours, such as com.example.notes")]
    Scheme,
    /// Not a scheme and a path, written so that no reader changes it.
    #[error("it is not written SCHEME:/PATH")]
    Form,
}

impl Channel {
    /// An app of your own: the service name of its keychain items, and the redirect URI of its deep
    /// link exactly as the client record has it, such as `com.example.notes:/callback`.
    ///
    /// # Errors
    /// [`RedirectUriError`] when no companion would take the redirect URI.
    pub fn of_app(
        service: impl Into<String>,
        redirect_uri: impl Into<String>,
    ) -> Result<Self, RedirectUriError> {
        let link = redirect_uri.into();
        check(&link)?;
        Ok(Self { service: service.into().into(), link: link.into() })
    }

    /// What people install.
    #[must_use]
    pub const fn release() -> Self {
        Self::of_keyport("dev.keyport.desktop", "dev.keyport.desktop:/callback")
    }

    /// What developers run.
    #[must_use]
    pub const fn development() -> Self {
        Self::of_keyport("dev.keyport.desktop.dev", "dev.keyport.desktop.dev:/callback")
    }

    /// The channel of this build.
    #[must_use]
    pub const fn of_build() -> Self {
        if cfg!(debug_assertions) { Self::development() } else { Self::release() }
    }

    const fn of_keyport(service: &'static str, link: &'static str) -> Self {
        Self { service: Cow::Borrowed(service), link: Cow::Borrowed(link) }
    }

    /// The service name of the keychain items.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The redirect URI of the deep link, exactly as it is pushed and as it comes back.
    #[must_use]
    pub fn link(&self) -> &str {
        &self.link
    }
}

fn check(uri: &str) -> Result<(), RedirectUriError> {
    let (scheme, path) = uri.split_once(':').ok_or(RedirectUriError::Form)?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(plain);
    let is_reversed_domain = scheme.contains('.')
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.split('.').all(is_label);
    if !is_reversed_domain {
        return Err(RedirectUriError::Scheme);
    }
    let is_path = path.len() > 1 && path.starts_with('/') && !path.starts_with("//");
    let is_plain = |b: u8| b.is_ascii_graphic() && !b"#*?\\@\"<>^`{|}".contains(&b);
    let stays = path.split('/').all(|segment| segment != "." && segment != "..");
    if is_path && stays && path.bytes().all(is_plain) && uri.len() <= LONGEST_URI {
        Ok(())
    } else {
        Err(RedirectUriError::Form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_reached_by_a_private_use_scheme_and_a_path() {
        let notes = Channel::of_app("com.acme.notes", "com.acme.notes:/callback").unwrap();
        assert_eq!((notes.service(), notes.link()), ("com.acme.notes", "com.acme.notes:/callback"));
        for channel in [Channel::release(), Channel::development()] {
            assert_eq!(check(channel.link()), Ok(()));
        }
    }

    #[test]
    fn a_wrong_redirect_uri_is_named_by_what_is_wrong() {
        for uri in ["notes:/callback", "https://acme.test/callback", "Com.acme:/x", "a..b:/x"] {
            assert_eq!(Channel::of_app("notes", uri), Err(RedirectUriError::Scheme), "{uri}");
        }
        for uri in [
            "com.acme.notes",
            "com.acme.notes:",
            "com.acme.notes:/",
            "com.acme.notes:callback",
            "com.acme.notes://callback",
            "com.acme.notes:/a/../callback",
            "com.acme.notes:/call back",
            "com.acme.notes:/callback?x",
            "com.acme.notes:/callback#x",
            "com.acme.notes:/<callback>",
            "com.acme.notes:/a|b",
            &format!("com.acme.notes:/{}", "a".repeat(LONGEST_URI)),
        ] {
            assert_eq!(Channel::of_app("notes", uri), Err(RedirectUriError::Form), "{uri}");
        }
    }
}
