//! The desktop app started under WebKitWebDriver: its window is real, its page is driven from
//! outside. NOT for the release build, which refuses automation: start that one with
//! [`DesktopSession::spawn`].

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::DesktopSession;
use super::webdriver::Driver;
use crate::{binaries, process, wait};

/// The running app.
pub struct App {
    /// What it shows.
    pub page: Driver,
}

impl DesktopSession {
    /// Starts the app that was built, with these environment variables.
    ///
    /// # Errors
    /// When it is not built or opens no webview.
    pub async fn app(&self, environment: &[(&str, &str)]) -> Result<App> {
        self.app_at(&binaries::path("keyport-desktop")?, &[], environment).await
    }

    /// Starts the app at this path with these arguments and environment variables.
    ///
    /// # Errors
    /// When it opens no webview.
    pub async fn app_at(
        &self,
        binary: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<App> {
        let port = process::free_port()?;
        let mut command: Command = self.command("WebKitWebDriver");
        command
            .arg(format!("--port={port}"))
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .envs(environment.iter().copied());
        // The app is a child of the driver and writes to the same log.
        let process = self.spawn("app", command)?;
        let options = json!({"binary": binary, "args": arguments});
        let capabilities = json!({"webkitgtk:browserOptions": options});
        let driver = Driver::join(process, port, capabilities).await?;
        Ok(App { page: driver })
    }
}

impl App {
    /// The screen that the app shows: `signed_out`, `waiting`, `signed_in` …
    ///
    /// # Errors
    /// When the page does not answer.
    pub async fn screen(&self) -> Result<String> {
        let script = "return document.body ? document.body.dataset.screen || '' : ''";
        let screen = self.page.script(script).await?;
        Ok(screen.as_str().unwrap_or_default().to_owned())
    }

    /// Waits for one of these screens; answers with the one that came.
    ///
    /// # Errors
    /// When none comes within `limit`; the error shows what the app says instead.
    pub async fn awaits<'a>(&self, screens: &[&'a str], limit: Duration) -> Result<&'a str> {
        let what = format!("the screen {screens:?}");
        let shown = wait::until_async(&what, limit, async || {
            let now = self.screen().await?;
            Ok(screens.iter().find(|screen| **screen == now).copied())
        });
        match shown.await {
            Ok(screen) => Ok(screen),
            Err(error) => {
                let now = self.screen().await.unwrap_or_default();
                let text = self.page.page_text().await;
                Err(error.context(format!("the app shows {now:?}: {text}")))
            }
        }
    }

    /// Clicks the button with this intent (`sign-in`, `cancel`, `open-again`, `sign-out` …).
    ///
    /// # Errors
    /// When there is no such button.
    pub async fn intent(&self, intent: &str) -> Result<()> {
        self.page.click(&format!("[data-intent=\"{intent}\"]")).await
    }

    /// Ends the app (and with it the driver).
    ///
    /// # Errors
    /// When the session cannot be closed.
    pub async fn close(self) -> Result<()> {
        self.page.close().await
    }
}
