//! The browser as the operating system starts it: `xdg-open`, `open`, or the protocol handler of
//! Windows, each exec'd with one argument. The Windows and macOS lines have not been run yet.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;
use tracing::debug;

use super::{Browser, BrowserError, Opening, PermittedUrl};

/// A program that has not failed by then is taken to have opened the page: a browser that was not
/// running yet stays in the foreground for as long as the person browses.
const QUICK: Duration = Duration::from_millis(1500);

/// What there is to show a browser on. The environment, read once, or what a test says.
#[derive(Clone, Debug, Default)]
pub struct Desktop {
    /// Whether there is an X11 or Wayland display.
    pub display: bool,
    /// `BROWSER`, the person's own choice. Used only if it is the plain name of one program.
    pub browser: Option<OsString>,
    /// Another `PATH` to find programs in than that of this process.
    pub path: Option<OsString>,
}

impl Desktop {
    /// As the environment of this process says.
    pub fn of_environment() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        Self {
            display: is_set("DISPLAY") || is_set("WAYLAND_DISPLAY"),
            browser: std::env::var_os("BROWSER"),
            path: None,
        }
    }

    /// `BROWSER` may be a list, have arguments or a `%s`: such a value is for a shell, not for us.
    fn plain_browser(&self) -> Option<&str> {
        let name = self.browser.as_ref()?.to_str()?;
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._+-".contains(&b));
        (plain && !name.is_empty() && !name.starts_with('-')).then_some(name)
    }

    /// The program and what stands before the URL.
    #[cfg(not(any(windows, target_os = "macos")))]
    fn program(&self) -> Option<Command> {
        match self.plain_browser() {
            Some(name) => Some(Command::new(name)),
            None if self.display => {
                let mut command = Command::new("xdg-open");
                // It would give a list or a format with arguments to a shell of its own.
                command.env_remove("BROWSER");
                Some(command)
            }
            None => None,
        }
    }

    #[cfg(target_os = "macos")]
    fn program(&self) -> Option<Command> {
        Some(Command::new(self.plain_browser().unwrap_or("/usr/bin/open")))
    }

    #[cfg(windows)]
    fn program(&self) -> Option<Command> {
        let root = std::env::var_os("SystemRoot")?;
        let mut command = Command::new(std::path::Path::new(&root).join(r"System32\rundll32.exe"));
        command.arg("url.dll,FileProtocolHandler");
        Some(command)
    }
}

/// The person's default browser.
#[derive(Clone, Debug)]
pub struct SystemBrowser {
    desktop: Desktop,
}

impl SystemBrowser {
    /// Opens the browser of this desktop.
    pub fn on(desktop: Desktop) -> Self {
        Self { desktop }
    }

    async fn start(&self, url: &PermittedUrl) -> Result<(), BrowserError> {
        let mut command = self.desktop.program().ok_or(BrowserError::NoBrowser)?;
        command.arg(url.expose());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.kill_on_drop(false);
        if let Some(path) = &self.desktop.path {
            command.env("PATH", path);
        }
        // Ctrl-C in the terminal that waits for the sign-in is not meant for the browser.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(BrowserError::NotStarted)?;
        debug!("browser started");
        match timeout(QUICK, child.wait()).await {
            // Dropping the child leaves it running; the runtime reaps it.
            Err(_) => Ok(()),
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(BrowserError::Failed(status.code())),
            Ok(Err(error)) => Err(BrowserError::NotStarted(error)),
        }
    }
}

impl Browser for SystemBrowser {
    fn open<'a>(&'a self, url: &'a PermittedUrl) -> Opening<'a> {
        Box::pin(self.start(url))
    }
}
