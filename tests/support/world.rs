//! Emulator and companion as real processes on free ports, with folders that vanish afterwards:
//! what every test of the system needs. NOT the desktop and no browser: see `desktop` and
//! `browser`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result};
use tempfile::TempDir;
use url::Url;

use crate::{Process, binaries, offspring};

/// The organization, domain and people that the emulator's default seed knows.
pub const ACME: &str = "org_01EMULATORACME";
/// The connection of [`ACME`].
pub const ACME_CONNECTION: &str = "conn_01EMULATOROKTA";
/// The API key that the emulator accepts.
pub const API_KEY: &str = "sk_test_emulator";
/// The client id that the emulator accepts.
pub const CLIENT_ID: &str = "client_emulator";

/// Says how a [`World`] differs from the usual one.
pub struct Settings {
    companion: BTreeMap<String, Option<String>>,
    emulator_arguments: Vec<String>,
    emulator: BTreeMap<String, String>,
    folder: Option<PathBuf>,
    logs: Option<PathBuf>,
    log: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            companion: BTreeMap::new(),
            emulator_arguments: Vec::new(),
            emulator: BTreeMap::new(),
            folder: None,
            logs: None,
            log: "info".to_owned(),
        }
    }
}

impl Settings {
    /// Sets one environment variable of the companion.
    #[must_use]
    pub fn companion(mut self, name: &str, value: &str) -> Self {
        self.companion.insert(name.to_owned(), Some(value.to_owned()));
        self
    }

    /// Takes one of the usual variables away from the companion.
    #[must_use]
    pub fn companion_without(mut self, name: &str) -> Self {
        self.companion.insert(name.to_owned(), None);
        self
    }

    /// One more argument of `keyport-emulator serve`.
    #[must_use]
    pub fn emulator_argument(mut self, argument: &str) -> Self {
        self.emulator_arguments.push(argument.to_owned());
        self
    }

    /// Sets one environment variable of the emulator.
    #[must_use]
    pub fn emulator(mut self, name: &str, value: &str) -> Self {
        self.emulator.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Keeps the logs here instead of beside the data.
    #[must_use]
    pub fn logs(mut self, folder: &Path) -> Self {
        self.logs = Some(folder.to_path_buf());
        self
    }

    /// Keeps data and logs here instead of in a folder that vanishes.
    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_path_buf());
        self
    }

    /// `RUST_LOG` of both services; "info" unless said.
    #[must_use]
    pub fn log(mut self, filter: &str) -> Self {
        filter.clone_into(&mut self.log);
        self
    }

    /// Starts emulator and companion and waits until both are ready.
    ///
    /// # Errors
    /// When one of them is not built, does not start, or does not get ready in time.
    pub fn start(self) -> Result<World> {
        let temporary = tempfile::Builder::new().prefix("world-").tempdir()?;
        offspring::remove_afterwards(temporary.path());
        let folder = self.folder.clone().unwrap_or_else(|| temporary.path().to_path_buf());
        std::fs::create_dir_all(&folder)?;
        let mut command = binaries::command("keyport-emulator")?;
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(&self.emulator_arguments)
            .envs(&self.emulator)
            .env("RUST_LOG", &self.log)
            .current_dir(&folder);
        let emulator = Process::spawn("emulator", command, &self.logs_in(&folder))?;
        let emulator_url = emulator.ready()?;
        let command = self.companion_command(&emulator_url, &folder, "127.0.0.1:0")?;
        let companion = Process::spawn("companion", command, &self.logs_in(&folder))?;
        let companion_url = companion.ready()?;
        Ok(World {
            settings: self,
            folder,
            _temporary: temporary,
            emulator,
            emulator_url,
            companion,
            companion_url,
        })
    }

    fn logs_in(&self, folder: &Path) -> PathBuf {
        self.logs.clone().unwrap_or_else(|| folder.join("logs"))
    }

    fn companion_command(&self, emulator: &Url, folder: &Path, listen: &str) -> Result<Command> {
        let mut command = self.companion_environment(emulator, folder)?;
        command.args(["serve", "--listen", listen]);
        Ok(command)
    }

    /// The program without arguments, with its settings.
    fn companion_environment(&self, emulator: &Url, folder: &Path) -> Result<Command> {
        let mut command = binaries::command("keyport-companion")?;
        let database = format!("sqlite:{}", folder.join("companion.db").display());
        command
            .env("WORKOS_API_KEY", API_KEY)
            .env("WORKOS_CLIENT_ID", CLIENT_ID)
            .env("WORKOS_BASE_URL", emulator.as_str().trim_end_matches('/'))
            .env("KEYPORT_ORGANIZATIONS", ACME)
            .env("KEYPORT_DEFAULT_ORGANIZATION", ACME)
            .env("DATABASE_URL", database)
            .env("RUST_LOG", &self.log)
            .current_dir(folder);
        for (name, value) in &self.companion {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Ok(command)
    }
}

/// A running emulator and a running companion that uses it.
pub struct World {
    settings: Settings,
    folder: PathBuf,
    _temporary: TempDir,
    /// The stand-in for WorkOS.
    pub emulator: Process,
    emulator_url: Url,
    /// The service under test.
    pub companion: Process,
    companion_url: Url,
}

impl World {
    /// The usual world: organization Acme is admitted and the default.
    ///
    /// # Errors
    /// As [`Settings::start`].
    pub fn start() -> Result<Self> {
        Settings::default().start()
    }

    /// A world that differs from the usual one.
    #[must_use]
    pub fn with() -> Settings {
        Settings::default()
    }

    /// Where the emulator listens; ends with a slash.
    #[must_use]
    pub fn emulator_url(&self) -> &Url {
        &self.emulator_url
    }

    /// Where the companion listens; ends with a slash.
    #[must_use]
    pub fn companion_url(&self) -> &Url {
        &self.companion_url
    }

    /// The issuer: the companion's address as its metadata says it, without a slash at the end.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.companion_url.as_str().trim_end_matches('/')
    }

    /// The folder with the companion's database, its key file and the logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The companion's database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.folder.join("companion.db")
    }

    /// Starts the companion again on its former address with its former data, after it was ended or
    /// killed.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start_companion_again(&mut self) -> Result<()> {
        self.companion.kill();
        let host = self.companion_url.host_str().context("an address")?;
        let port = self.companion_url.port().context("a port")?;
        let listen = format!("{host}:{port}");
        let command = self.settings.companion_command(&self.emulator_url, &self.folder, &listen)?;
        self.companion =
            Process::spawn("companion", command, &self.settings.logs_in(&self.folder))?;
        self.companion.ready()?;
        Ok(())
    }

    /// Starts one more companion with the same settings, on an address of its own.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn start_another_companion(&self) -> Result<(Process, Url)> {
        let command =
            self.settings.companion_command(&self.emulator_url, &self.folder, "127.0.0.1:0")?;
        let other =
            Process::spawn("other-companion", command, &self.settings.logs_in(&self.folder))?;
        let url = other.ready()?;
        Ok((other, url))
    }

    /// A command of the operator, with the settings of the companion.
    ///
    /// # Errors
    /// When the companion is not built.
    pub fn operator(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = self.settings.companion_environment(&self.emulator_url, &self.folder)?;
        command.args(arguments).stdin(std::process::Stdio::null());
        Ok(command)
    }

    /// Asks the companion to stop (SIGTERM) and waits for its end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub fn stop_companion(&mut self) -> Result<ExitStatus> {
        self.companion.terminate(crate::wait::WAIT_TIMEOUT)
    }
}
