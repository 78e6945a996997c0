//! A person who signs in with a browser: fills the provider's page, reads the companion's page and
//! continues. NOT a shortcut: every step is a page that was really served.

use anyhow::{Context, Result, bail};

use super::{Jar, Page};

/// Who signs in.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// The address they type at the provider.
    pub email: &'a str,
    /// Their password.
    pub password: &'a str,
}

impl Person<'static> {
    /// `ada@acme.test`, whom the emulator knows.
    pub const ADA: Self = Self { email: "ada@acme.test", password: "keyport" };
    /// `grace@acme.test`, whom the emulator knows too.
    pub const GRACE: Self = Self { email: "grace@acme.test", password: "keyport" };
    /// `linus@acme.test`, whom the emulator knows too and of whom it says no name.
    pub const LINUS: Self = Self { email: "linus@acme.test", password: "keyport" };
}

impl Person<'_> {
    /// From the address that an app opened to the companion's page after the provider: the hand-off
    /// page, or its page with an error.
    ///
    /// # Errors
    /// When the provider shows no form, or a server does not answer.
    pub async fn sign_in_at_provider(self, browser: &mut Jar, authorize: &str) -> Result<Page> {
        let page = browser.open(authorize).await?;
        let fields = [("email", self.email), ("password", self.password)];
        let form = page.form(None).with_context(|| format!("no sign-in form at {}", page.url))?;
        let form = form.filled(&fields)?;
        browser.send(&form).await
    }

    /// The whole way: provider, confirmation when it is asked for, and the callback that the
    /// browser is sent to in the end (which is not opened).
    ///
    /// # Errors
    /// When a page on the way is not the expected one; the error shows its text.
    pub async fn sign_in(self, browser: &mut Jar, authorize: &str) -> Result<String> {
        let page = self.sign_in_at_provider(browser, authorize).await?;
        Self::come_back(browser, page).await
    }

    /// From the hand-off page to the callback.
    ///
    /// # Errors
    /// When the page offers no way on; the error shows its text.
    pub async fn come_back(browser: &mut Jar, page: Page) -> Result<String> {
        let page = if page.has_button("continue") {
            browser.submit(&page, Some("continue"), &[]).await?
        } else {
            page
        };
        if let Some(callback) = page.leaves_to.clone().or_else(|| page.refresh()) {
            return Ok(callback);
        }
        match page.link("Open Keyport") {
            Ok(callback) => Ok(callback),
            Err(_) => bail!("{} {}: {}", page.status, page.url, page.text()),
        }
    }
}
