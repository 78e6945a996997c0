//! The person's browser and clipboard, for the client. The one file of the app that reads an
//! address with a secret in it, and only to hand it to another program; the page never sees one.

use std::sync::{Mutex, PoisonError};

use arboard::Clipboard as SystemClipboard;
use keyport_client::browser::{Browser, BrowserError, Opening, PermittedUrl};
use keyport_client::platform::{Clipboard, ClipboardError};
use keyport_core::secret::AuthorizationUrl;
use tokio::sync::broadcast;

/// The browser that the desktop has set, opened by Tauri's opener from here; the page has no right
/// to open anything.
pub struct DesktopBrowser;

impl Browser for DesktopBrowser {
    fn open<'a>(&'a self, url: &'a PermittedUrl) -> Opening<'a> {
        Box::pin(async move {
            let url = url.clone();
            let opening = tauri::async_runtime::spawn_blocking(move || {
                tauri_plugin_opener::open_url(url.expose(), None::<&str>)
            });
            match opening.await {
                Ok(Ok(())) => Ok(()),
                // The plugin's error would name the program and what it was given.
                Ok(Err(_)) | Err(_) => Err(BrowserError::Failed(None)),
            }
        })
    }
}

/// The desktop's clipboard. Opened with the first link and kept: on X11 and Wayland the one who
/// copied has to serve the paste.
pub struct DesktopClipboard {
    system: Mutex<Option<SystemClipboard>>,
    said: broadcast::Sender<&'static str>,
}

impl DesktopClipboard {
    /// Says on `said` how each copy went.
    #[must_use]
    pub fn new(said: broadcast::Sender<&'static str>) -> Self {
        Self { system: Mutex::default(), said }
    }

    fn put(&self, url: &AuthorizationUrl) -> Result<(), arboard::Error> {
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = match system.take() {
            Some(open) => open,
            None => SystemClipboard::new()?,
        };
        let copied = put(&mut open, url.expose());
        *system = Some(open);
        copied
    }
}

impl Clipboard for DesktopClipboard {
    fn copy(&self, url: &AuthorizationUrl) -> Result<(), ClipboardError> {
        let copied = self.put(url).map_err(|_| ClipboardError);
        // Listening is optional.
        let _ = self.said.send(if copied.is_ok() { "copied" } else { "not-copied" });
        copied
    }
}

/// Who has the link can start this sign-in, so clipboard histories are asked to leave it out.
#[cfg(target_os = "linux")]
fn put(clipboard: &mut SystemClipboard, text: &str) -> Result<(), arboard::Error> {
    use arboard::SetExtLinux;

    clipboard.set().exclude_from_history().text(text)
}

#[cfg(not(target_os = "linux"))]
fn put(clipboard: &mut SystemClipboard, text: &str) -> Result<(), arboard::Error> {
    clipboard.set_text(text)
}
