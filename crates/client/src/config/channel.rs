//! Which app this is on the device: where its keychain items stand and which scheme its links have.

use std::borrow::Cow;

pub use keyport_uri::RedirectUriError;
use keyport_uri::check_private_use;

/// One app in one build channel: its own keychain items and its own scheme, so that a development
/// build never takes a release's links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    service: Cow<'static, str>,
    link: Cow<'static, str>,
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
        check_private_use(&link)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_reached_by_a_private_use_scheme_and_a_path() {
        let notes = Channel::of_app("com.acme.notes", "com.acme.notes:/callback").unwrap();
        assert_eq!((notes.service(), notes.link()), ("com.acme.notes", "com.acme.notes:/callback"));
        for channel in [Channel::release(), Channel::development()] {
            assert_eq!(check_private_use(channel.link()), Ok(()));
        }
    }

    #[test]
    fn a_redirect_uri_that_no_companion_takes_is_refused() {
        for (uri, error) in [
            ("notes:/callback", RedirectUriError::Scheme),
            ("com.acme.notes://callback", RedirectUriError::Host),
            ("com.acme.notes:/callback?x", RedirectUriError::MoreThanAPath),
        ] {
            assert_eq!(Channel::of_app("notes", uri), Err(error), "{uri}");
        }
    }
}
