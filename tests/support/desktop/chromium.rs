//! Chromium as the default browser: a .desktop file that starts it with a profile of its own, and a
//! chromedriver that joins the running one, however it was started. It resolves no name but
//! 127.0.0.1. NOT started from here: the app, or `xdg-open`, does that.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use super::DesktopSession;
use super::webdriver::Driver;
use crate::{offspring, wait};

const FLAGS: [&str; 12] = [
    "--no-sandbox",
    "--test-type",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--password-store=basic",
    "--remote-debugging-port=0",
    "--host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'",
];

/// Where Chromium 156 draws the button "Open …" of its question, in a window of the size and place
/// above.
const OPEN_APP: [&str; 2] = ["1210", "285"];

const BETWEEN_CLICKS: Duration = Duration::from_millis(1500);

/// The Chromium that runs in the session, driven from outside.
pub struct Browser {
    /// What it shows.
    pub page: Driver,
}

impl DesktopSession {
    fn profile(&self) -> PathBuf {
        self.home().join(".config/browser-of-the-tests")
    }

    /// Beside the app on the usual display, and all of another one.
    fn browser_place(&self) -> String {
        let (width, height) = self.screen;
        if self.screen == super::SCREEN {
            "--window-position=490,10 --window-size=930,870".to_owned()
        } else {
            format!("--window-position=0,0 --window-size={width},{height}")
        }
    }

    fn opened_file(&self) -> PathBuf {
        self.folder.path().join("opened")
    }

    pub(super) fn install_browser(&mut self, arguments: &[String]) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let program = ["chromium", "chromium-browser"]
            .into_iter()
            .find(|name| self.run("which", &[name]).is_ok())
            .context("no Chromium here: `cargo xtask setup` installs it")?;
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{}'\n\
             exec {program} {} {} {} --user-data-dir='{}' \"$@\"\n",
            self.opened_file().display(),
            FLAGS.join(" "),
            arguments.join(" "),
            self.browser_place(),
            self.profile().display(),
        );
        let starter = self.folder.path().join("browser");
        std::fs::write(&starter, script)?;
        std::fs::set_permissions(&starter, std::fs::Permissions::from_mode(0o755))?;
        // No question of Chromium's own may lie over a page.
        let preferences = json!({
            "credentials_enable_service": false,
            "profile": {"password_manager_enabled": false},
        });
        let profile = self.profile().join("Default");
        std::fs::create_dir_all(&profile)?;
        std::fs::write(profile.join("Preferences"), preferences.to_string())?;
        let applications = self.home().join(".local/share/applications");
        std::fs::create_dir_all(&applications)?;
        let entry = format!(
            "[Desktop Entry]\nType=Application\nName=Chromium of the tests\nExec={} %U\n\
             MimeType=text/html;x-scheme-handler/http;x-scheme-handler/https;\n",
            starter.display()
        );
        std::fs::write(applications.join("browser-of-the-tests.desktop"), entry)?;
        self.run(
            "xdg-mime",
            &[
                "default",
                "browser-of-the-tests.desktop",
                "x-scheme-handler/http",
                "x-scheme-handler/https",
                "text/html",
            ],
        )?;
        Ok(())
    }

    /// Writes the managed policy that lets pages of these origins open the app; not root: nothing,
    /// the dialog is clicked then.
    pub(super) fn trust(&mut self, origins: &[String]) -> Result<()> {
        if origins.is_empty() || !rustix::process::geteuid().is_root() {
            return Ok(());
        }
        let policy = json!({"AutoLaunchProtocolsFromOrigins": [
            {"protocol": "dev.keyport.desktop", "allowed_origins": origins},
            {"protocol": "dev.keyport.desktop.dev", "allowed_origins": origins},
        ]});
        let folder = Path::new("/etc/chromium/policies/managed");
        let file = folder.join(format!("keyport-tests-{}.json", std::process::id()));
        std::fs::create_dir_all(folder)?;
        offspring::remove_afterwards(&file);
        std::fs::write(&file, policy.to_string())?;
        self.policy = Some(file);
        Ok(())
    }

    /// Every command line that the default browser was started with (its arguments, one start per
    /// entry).
    #[must_use]
    pub fn opened(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.opened_file()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until Chromium runs, whoever started it, and joins it.
    ///
    /// # Errors
    /// When no Chromium comes up.
    pub async fn browser(&self) -> Result<Browser> {
        let announced = self.profile().join("DevToolsActivePort");
        let port = wait::until("Chromium", wait::WAIT_TIMEOUT, || {
            let text = std::fs::read_to_string(&announced).unwrap_or_default();
            Ok(text.lines().next().and_then(|line| line.parse::<u16>().ok()))
        })?;
        let options = json!({"debuggerAddress": format!("127.0.0.1:{port}")});
        let capabilities = json!({"goog:chromeOptions": options});
        let mut command = self.command("chromedriver");
        command.arg("--port=0");
        let process = self.spawn("chromedriver", command)?;
        let port = process.line(wait::WAIT_TIMEOUT, |line| {
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        })?;
        let driver = Driver::join(process, port, capabilities).await?;
        Ok(Browser { page: driver })
    }

    /// Ends Chromium as a crash would.
    pub fn kill_browser(&self) {
        // The lock is a link to HOST-PID.
        let lock = std::fs::read_link(self.profile().join("SingletonLock"));
        let pid = lock.ok().and_then(|lock| {
            let (_, pid) = lock.to_str()?.rsplit_once('-')?;
            rustix::process::Pid::from_raw(pid.parse().ok()?)
        });
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }

    /// Answers Chromium's question whether a page may open the app with "Open", until `arrived`
    /// says that the link came through. The question is drawn inside the browser's window and is
    /// deaf for its first half second, and to a click that follows another too soon, so it is
    /// clicked now and then until it helps. Nothing is clicked where a policy answers it (see
    /// [`super::Settings::trusting`]).
    ///
    /// # Errors
    /// When the link does not arrive.
    pub async fn allow_app(&self, mut arrived: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
        let asked = self.policy.is_none();
        let mut next = Instant::now();
        wait::until_async("the link through Chromium", wait::WAIT_TIMEOUT, async || {
            if arrived().await? {
                return Ok(Some(()));
            }
            if asked && Instant::now() >= next {
                next = Instant::now() + BETWEEN_CLICKS;
                self.xdotool(&["mousemove", OPEN_APP[0], OPEN_APP[1], "click", "1"])?;
            }
            Ok(None)
        })
        .await
    }
}

impl Browser {
    /// Waits for a tab whose address begins so, and makes it the driven one.
    ///
    /// # Errors
    /// When there is none within `limit`; the error names the tabs that there are.
    pub async fn tab(&self, beginning: &str, limit: Duration) -> Result<()> {
        let mut seen = Vec::new();
        let found = wait::until_async(beginning, limit, async || {
            seen.clear();
            for tab in self.page.client.windows().await? {
                // A tab may close while we look at it.
                if self.page.client.switch_to_window(tab).await.is_err() {
                    continue;
                }
                if let Ok(url) = self.page.client.current_url().await {
                    if url.as_str().starts_with(beginning) {
                        return Ok(Some(()));
                    }
                    seen.push(url.to_string());
                }
            }
            Ok(None)
        });
        found.await.with_context(|| format!("tabs: {seen:?}"))
    }
}
