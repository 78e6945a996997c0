//! A page driven through WebDriver: find, read, click, type, run a script. Chromium and the app's
//! webview alike. NOT a way into an app that does not allow it: a release build ignores
//! `TAURI_WEBVIEW_AUTOMATION`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;

use crate::{Process, wait};

/// A WebDriver session and the driver process behind it.
pub struct Driver {
    /// The session itself, for what is not offered here.
    pub client: Client,
    process: Process,
}

impl Driver {
    /// Opens a session at the driver that listens on `port`.
    ///
    /// # Errors
    /// When the driver refuses the session.
    pub async fn join(process: Process, port: u16, capabilities: Value) -> Result<Self> {
        let Value::Object(capabilities) = capabilities else {
            anyhow::bail!("capabilities are an object");
        };
        let address = format!("http://127.0.0.1:{port}");
        wait::until("the driver's port", wait::WAIT_TIMEOUT, || {
            Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok())
        })?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connecting = builder.capabilities(capabilities).connect(&address);
        // A program that dies while it starts is never answered for.
        let client = tokio::time::timeout(wait::WAIT_TIMEOUT, connecting)
            .await
            .with_context(|| format!("the driver does not answer\n{}", process.log()))?
            .with_context(|| format!("no WebDriver session\n{}", process.log()))?;
        Ok(Self { client, process })
    }

    /// Waits until an element for the CSS selector is displayed.
    ///
    /// # Errors
    /// When it is not within the usual timeout; the error shows the page's text.
    pub async fn find(&self, selector: &str) -> Result<Element> {
        let found = wait::until_async(selector, wait::WAIT_TIMEOUT, async || {
            // The page may be replaced between two questions.
            let Ok(element) = self.client.find(Locator::Css(selector)).await else {
                return Ok(None);
            };
            let shown = element.is_displayed().await.unwrap_or(false);
            Ok(shown.then_some(element))
        });
        match found.await {
            Ok(element) => Ok(element),
            Err(error) => Err(error.context(format!("the page says: {}", self.page_text().await))),
        }
    }

    /// Is there such an element now?
    pub async fn has(&self, selector: &str) -> bool {
        self.client.find(Locator::Css(selector)).await.is_ok()
    }

    /// Waits for the element and clicks it, as soon as it takes clicks: the companion's buttons
    /// take none for a moment.
    ///
    /// # Errors
    /// As [`Driver::find`].
    pub async fn click(&self, selector: &str) -> Result<()> {
        let element = self.find(selector).await?;
        let what = format!("{selector} to take clicks");
        wait::until_async(&what, wait::WAIT_TIMEOUT, async || {
            let events = element.css_value("pointer-events").await?;
            Ok((events != "none").then_some(()))
        })
        .await?;
        Ok(element.click().await?)
    }

    /// Waits for the field and types into it.
    ///
    /// # Errors
    /// As [`Driver::find`].
    pub async fn fill(&self, selector: &str, text: &str) -> Result<()> {
        let field = self.find(selector).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Waits for the element and answers with its visible text.
    ///
    /// # Errors
    /// As [`Driver::find`].
    pub async fn text(&self, selector: &str) -> Result<String> {
        Ok(self.find(selector).await?.text().await?)
    }

    /// The visible text of the whole page, empty when it cannot be read.
    pub async fn page_text(&self) -> String {
        let script = "return document.body ? document.body.innerText : ''";
        let text = self.client.execute(script, Vec::new()).await;
        text.ok().and_then(|text| Some(text.as_str()?.to_owned())).unwrap_or_default()
    }

    /// Waits until the page's visible text contains this.
    ///
    /// # Errors
    /// When it does not within `limit`; the error shows the text there is.
    pub async fn says(&self, text: &str, limit: Duration) -> Result<()> {
        let heard = wait::until_async(text, limit, async || {
            Ok(self.page_text().await.contains(text).then_some(()))
        });
        match heard.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(format!("the page says: {}", self.page_text().await))),
        }
    }

    /// Runs a script in the page.
    ///
    /// # Errors
    /// When the script fails.
    pub async fn script(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Saves a picture of the page alone.
    ///
    /// # Errors
    /// When it cannot be taken or written.
    pub async fn picture(&self, file: &Path) -> Result<()> {
        Ok(std::fs::write(file, self.client.screenshot().await?)?)
    }

    /// The driver's process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Closes the session (WebKit's driver ends the app with it), then the driver.
    ///
    /// # Errors
    /// When the session cannot be closed.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }
}
