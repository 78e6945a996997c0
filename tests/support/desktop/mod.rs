//! A desktop of its own for one test: a virtual display with a window manager, a session bus, a
//! real Secret Service, and a real Chromium that a real .desktop file makes the default browser.
//! Home and all XDG folders are throw-away. NOT shared: sessions run one at a time (a lock), and
//! nothing of the user's own session is touched.

mod chromium;
mod keyring;
mod screen;
mod webdriver;
mod webview;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;
use url::Url;

use crate::{Process, binaries, offspring, process};

pub use chromium::Browser;
pub use keyring::Keyring;
pub use webdriver::Driver;
pub use webview::App;

/// Says how a [`DesktopSession`] differs from the usual one.
#[derive(Default)]
pub struct Settings {
    keyring: Keyring,
    origins: Vec<String>,
    environment: Vec<(String, String)>,
    logs: Option<PathBuf>,
    is_headless: bool,
    screen: Option<(u16, u16)>,
    without_window_manager: bool,
    browser_arguments: Vec<String>,
}

/// The usual display, in pixels.
const SCREEN: (u16, u16) = (1440, 900);

impl Settings {
    /// Another size of the display, in pixels; the browser's window then fills it.
    #[must_use]
    pub fn screen(mut self, width: u16, height: u16) -> Self {
        self.screen = Some((width, height));
        self
    }

    /// Nothing moves, raises or decorates windows.
    #[must_use]
    pub fn without_window_manager(mut self) -> Self {
        self.without_window_manager = true;
        self
    }

    /// One more argument of every start of Chromium.
    #[must_use]
    pub fn browser_argument(mut self, argument: &str) -> Self {
        self.browser_arguments.push(argument.to_owned());
        self
    }

    /// The state of the Secret Service; unlocked unless said.
    #[must_use]
    pub fn keyring(mut self, keyring: Keyring) -> Self {
        self.keyring = keyring;
        self
    }

    /// Pages of this origin may open the app without Chromium's dialog, as a managed policy of an
    /// enterprise would say. Works only for root, because Chromium reads policies from /etc; others
    /// click the dialog ([`DesktopSession::allow_app`]).
    #[must_use]
    pub fn trusting(mut self, url: &Url) -> Self {
        self.origins.push(url.origin().ascii_serialization());
        self
    }

    /// One more variable of the session's environment.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A bus and a Secret Service alone: nothing to see, no browser.
    #[must_use]
    pub fn without_display(mut self) -> Self {
        self.is_headless = true;
        self
    }

    /// Keeps the logs of all the session's programs here.
    #[must_use]
    pub fn logs(mut self, folder: &Path) -> Self {
        self.logs = Some(folder.to_path_buf());
        self
    }

    /// Starts the session; returns when display, window manager, bus and Secret Service answer.
    ///
    /// # Errors
    /// When a program is missing (`cargo xtask setup` installs them) or does not get ready.
    pub fn start(self) -> Result<DesktopSession> {
        let lock = take_lock()?;
        let folder = tempfile::Builder::new().prefix("desktop-").tempdir()?;
        offspring::remove_afterwards(folder.path());
        let logs = self.logs.clone().unwrap_or_else(|| folder.path().join("logs"));
        let mut session = DesktopSession {
            environment: Vec::new(),
            programs: Vec::new(),
            keyring: None,
            logs,
            policy: None,
            screen: self.screen.unwrap_or(SCREEN),
            has_window_manager: !self.without_window_manager,
            folder,
            _turn: lock,
        };
        session.make_home()?;
        session.environment.extend(self.environment);
        if !self.is_headless {
            session.start_display()?;
        }
        session.start_bus(self.keyring)?;
        session.start_keyring(self.keyring)?;
        if !self.is_headless {
            session.install_browser(&self.browser_arguments)?;
            session.trust(&self.origins)?;
        }
        Ok(session)
    }
}

/// A running desktop session; everything in it ends when it is dropped.
pub struct DesktopSession {
    environment: Vec<(String, String)>,
    programs: Vec<Process>,
    keyring: Option<Process>,
    logs: PathBuf,
    policy: Option<PathBuf>,
    screen: (u16, u16),
    has_window_manager: bool,
    folder: TempDir,
    _turn: File,
}

impl DesktopSession {
    /// The usual session.
    ///
    /// # Errors
    /// As [`Settings::start`].
    pub fn start() -> Result<Self> {
        Settings::default().start()
    }

    /// A session that differs from the usual one.
    #[must_use]
    pub fn with() -> Settings {
        Settings::default()
    }

    /// The throw-away home folder.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The folder with the logs of the session's programs.
    #[must_use]
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// A command that belongs to this session, whatever program it is.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        binaries::without_settings(&mut command);
        for name in ["WAYLAND_DISPLAY", "XAUTHORITY", "DESKTOP_SESSION", "GNOME_KEYRING_CONTROL"] {
            command.env_remove(name);
        }
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home());
        command
    }

    /// One of our programs as a command of this session.
    ///
    /// # Errors
    /// When it was not built.
    pub fn our_command(&self, name: &str) -> Result<Command> {
        Ok(self.command(binaries::path(name)?))
    }

    /// Runs a command of this session to its end; answers with its standard output.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let mut command = self.command(program);
        command.args(arguments);
        process::run(command)
    }

    /// Starts a command in this session.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, name: &str, command: Command) -> Result<Process> {
        Process::spawn(name, command, &self.logs)
    }

    /// Opens an address or a link as the desktop does: with `xdg-open`, so with the program that is
    /// registered for its scheme.
    ///
    /// # Errors
    /// When no program is registered for it.
    pub fn xdg_open(&self, address: &str) -> Result<()> {
        self.run("xdg-open", &[address]).map(drop)
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.push((name.to_owned(), value.into()));
    }

    fn make_home(&mut self) -> Result<()> {
        let (home, runtime) = (self.home(), self.runtime());
        // The toolchain of the caller still works when a test starts cargo.
        for (name, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
            let former = std::env::home_dir().map(|home| home.join(folder));
            let value = std::env::var_os(name).map(PathBuf::from).or(former);
            if let Some(value) = value {
                self.set(name, value.to_string_lossy());
            }
        }
        for (name, folder) in [
            ("HOME", home.clone()),
            ("XDG_CONFIG_HOME", home.join(".config")),
            ("XDG_DATA_HOME", home.join(".local/share")),
            ("XDG_STATE_HOME", home.join(".local/state")),
            ("XDG_CACHE_HOME", home.join(".cache")),
            ("XDG_RUNTIME_DIR", runtime.clone()),
        ] {
            std::fs::create_dir_all(&folder)?;
            self.set(name, folder.to_string_lossy());
        }
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(runtime, std::fs::Permissions::from_mode(0o700))?;
        self.set("XDG_DATA_DIRS", "/usr/local/share:/usr/share");
        self.set("XDG_CONFIG_DIRS", "/etc/xdg");
        // xdg-open then asks gio, as on a real desktop; its generic mode reads Exec lines by rules
        // of its own.
        self.set("XDG_CURRENT_DESKTOP", "GNOME");
        self.set("XDG_SESSION_TYPE", "x11");
        self.set("GDK_BACKEND", "x11");
        self.set("NO_AT_BRIDGE", "1");
        self.set("LANG", "C.UTF-8");
        Ok(())
    }

    fn runtime(&self) -> PathBuf {
        self.folder.path().join("run")
    }
}

impl Drop for DesktopSession {
    fn drop(&mut self) {
        // What detached itself (a browser started by an app) is found by its home folder.
        offspring::sweep(&self.home());
        self.programs.clear();
        if let Some(policy) = &self.policy {
            let _ = std::fs::remove_file(policy);
        }
    }
}

/// Sessions run one at a time: two cores, one policy folder.
fn take_lock() -> Result<File> {
    let path = std::env::temp_dir().join("keyport-desktop-session.lock");
    let lock = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    if lock.try_lock().is_err() {
        eprintln!("waits for another desktop session of the tests to end");
        lock.lock()?;
    }
    Ok(lock)
}
