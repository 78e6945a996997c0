//! Opens the person's browser at the companion, and nothing else anywhere else.
//!
//! A URL that a server sent is handed to a program here, so it is checked first and handed over as
//! one argument, without a shell. It is not a general opener: not for help pages, not for files.

mod origin;
mod system;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;

use keyport_core::Problem;
use keyport_core::secret::AuthorizationUrl;
use thiserror::Error;

use crate::receivers::loopback::ShortLink;

pub use origin::{CompanionOrigin, OriginError};
pub use system::{Desktop, SystemBrowser};

/// What [`Browser::open`] gives back.
pub type Opening<'a> = Pin<Box<dyn Future<Output = Result<(), BrowserError>> + Send + 'a>>;

/// Something that can show a page in the person's own browser.
pub trait Browser: Send + Sync {
    /// Hands the URL to the browser. `Ok` means that it was handed over, not that a page is shown.
    fn open<'a>(&'a self, url: &'a PermittedUrl) -> Opening<'a>;
}

/// A URL of the companion, in the characters that no program reads as anything but a URL.
#[derive(Clone)]
pub struct PermittedUrl {
    url: AuthorizationUrl,
    short_link: Option<ShortLink>,
}

impl PermittedUrl {
    /// The URL as serialised by the `url` crate. To be given to a program as one argument.
    pub fn expose(&self) -> &str {
        self.url.expose()
    }

    /// A short link that leads there from a browser on this machine, while the sign-in waits. For a
    /// person to copy; none where no loopback listener waits for the browser.
    pub fn short_link(&self) -> Option<&str> {
        self.short_link.as_ref().map(ShortLink::expose)
    }
}

impl fmt::Debug for PermittedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PermittedUrl[redacted]")
    }
}

/// Why no browser was opened. Never says which URL.
#[derive(Debug, Error)]
pub enum BrowserError {
    /// The URL is not one of the companion's, or has characters that a URL has no need of.
    #[error("the address is not one to open")]
    NotPermitted,
    /// There is no display to show a browser on, and no browser named. Found before anything
    /// starts.
    #[error("there is no browser here")]
    NoBrowser,
    /// The program could not be started.
    #[error("the browser could not be started: {}", .0.kind())]
    NotStarted(#[source] io::Error),
    /// The program ended at once and said that it failed; the exit code where there is one.
    #[error("the browser did not open")]
    Failed(Option<i32>),
}

impl From<&BrowserError> for Problem {
    fn from(error: &BrowserError) -> Self {
        match error {
            BrowserError::NotPermitted => Self::UnexpectedAnswer,
            BrowserError::NoBrowser | BrowserError::NotStarted(_) | BrowserError::Failed(_) => {
                Self::BrowserNotOpened
            }
        }
    }
}

/// Opens `url` in `browser` if it belongs to the companion; `short_link` leads there from then on.
///
/// # Errors
/// [`BrowserError::NotPermitted`] before the browser hears of it; otherwise what the browser
/// says.
pub async fn open(
    browser: &dyn Browser,
    url: &AuthorizationUrl,
    companion: &CompanionOrigin,
    short_link: Option<ShortLink>,
) -> Result<(), BrowserError> {
    let mut permitted = companion.permit(url).ok_or(BrowserError::NotPermitted)?;
    if let Some(link) = &short_link {
        link.leads_to(&permitted);
    }
    permitted.short_link = short_link;
    browser.open(&permitted).await
}
