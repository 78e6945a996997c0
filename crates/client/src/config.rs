//! What this client is told: which companion, which build channel, where its locks go. Layers as in
//! the design: a policy (none is read yet) over the flag and `KEYPORT_COMPANION`, over the settings
//! file, over the build's default. The one file that reads the environment and settings; nothing
//! here is a secret.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use keyport_messages::Messages;
use serde::Deserialize;
use serde_json::error::Category;
use thiserror::Error;
use url::Url;

use crate::browser::CompanionOrigin;

mod channel;

pub use channel::{Channel, RedirectUriError};

/// The environment variable that names the companion.
pub const COMPANION_VARIABLE: &str = "KEYPORT_COMPANION";
const SETTINGS_FILE: &str = "settings.json";
const DEVELOPMENT_COMPANION: &str = "http://127.0.0.1:8788";

/// The client record of Keyport's own app and command-line tool.
pub const DEFAULT_CLIENT_ID: &str = "keyport-desktop";

/// Everything a client needs to be told. [`Config::of`] has a good default for all but the
/// companion.
#[derive(Clone, Debug)]
pub struct Config {
    /// From [`companion`].
    pub companion: Url,
    /// The id of the client record at the companion (RFC 6749 §2.2).
    pub client_id: String,
    /// The app and its build channel.
    pub channel: Channel,
    /// What the confirm page calls this device; at most 64 characters of it are sent.
    pub device_name: String,
    /// The words that a person reads in the browser, where a callback receiver shows a page.
    pub words: Messages,
}

impl Config {
    /// Keyport's own client of this companion, on this device, in English.
    #[must_use]
    pub fn of(companion: Url) -> Self {
        Self {
            companion,
            client_id: DEFAULT_CLIENT_ID.to_owned(),
            channel: Channel::of_build(),
            device_name: device_name(),
            words: Messages::english(),
        }
    }
}

/// What this device calls itself; empty where it does not say.
#[must_use]
pub fn device_name() -> String {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").unwrap_or_default();
    name
}

/// Why the settings cannot be used. Says where, and never the rest of the file.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// Not a URL, or neither https nor http on this machine, or with more than scheme, host, port
    /// and path.
    #[error("{0} does not name a companion: {1}")]
    NotACompanion(Source, CompanionUrlError),
    /// The file is there and cannot be read.
    #[error("{} cannot be read: {}", .0.display(), .1.kind())]
    Unreadable(PathBuf, #[source] io::Error),
    /// The file is not what it should be, or has a setting that this version does not know.
    #[error("{} is not a settings file of this version: {}", .0.display(), reason(.1))]
    Malformed(PathBuf, #[source] serde_json::Error),
    /// A release build has no companion of its own.
    #[error("no companion is set: use --companion, {COMPANION_VARIABLE} or {}", .0.display())]
    NothingSet(PathBuf),
}

/// Why a setting names no companion. It never says the setting itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CompanionUrlError {
    /// Not UTF-8.
    #[error("it is not text")]
    NotText,
    /// Not an absolute URL.
    #[error("it is not a URL such as https://sign-in.example.com")]
    NotAUrl,
    /// With a user name, a password, a query or a fragment.
    #[error("it may only have a scheme, a host, a port and a path")]
    TooMuch,
    /// Neither https nor http on this machine.
    #[error("it must begin with https://, or with http:// on this machine")]
    Insecure,
}

/// The place and the kind of the fault. What the file says is not repeated: control characters of
/// it would reach the terminal.
fn reason(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let what = match error.classify() {
        Category::Io => "it cannot be read",
        Category::Syntax => "it is not JSON",
        Category::Eof => "it ends too early",
        Category::Data => "a setting is unknown or has the wrong type",
    };
    format!("{what} (line {line}, column {column})")
}

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `--companion`.
    Flag,
    /// [`COMPANION_VARIABLE`].
    Environment,
    /// This settings file.
    File(PathBuf),
    /// The build.
    Build,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("--companion"),
            Self::Environment => f.write_str(COMPANION_VARIABLE),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Build => f.write_str("the build"),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    companion: Option<String>,
}

/// The companion to use; `cli` is the value of the flag.
///
/// # Errors
/// [`SettingsError`]. A layer that is set wrongly is an error, never a reason to look at the next
/// one.
pub fn companion(cli: Option<&str>) -> Result<Url, SettingsError> {
    let environment = set(std::env::var_os(COMPANION_VARIABLE))?;
    layered(cli, environment.as_deref(), &config_dir().join(SETTINGS_FILE), default_companion())
}

/// Empty is as good as not set.
fn set(environment: Option<OsString>) -> Result<Option<String>, SettingsError> {
    let unreadable =
        |_| SettingsError::NotACompanion(Source::Environment, CompanionUrlError::NotText);
    environment
        .filter(|value| !value.is_empty())
        .map(|value| value.into_string().map_err(unreadable))
        .transpose()
}

/// Where the settings file is.
#[must_use]
pub fn config_dir() -> PathBuf {
    config_dir_in(directories().as_ref())
}

/// Without a home folder the machine's, which only an administrator writes: never the folder that a
/// command happens to run in.
fn config_dir_in(directories: Option<&ProjectDirs>) -> PathBuf {
    directories.map_or_else(|| PathBuf::from("/etc/keyport"), |dirs| dirs.config_dir().to_owned())
}

fn directories() -> Option<ProjectDirs> {
    ProjectDirs::from("dev", "", "keyport")
}

fn default_companion() -> Option<&'static str> {
    cfg!(debug_assertions).then_some(DEVELOPMENT_COMPANION)
}

fn layered(
    flag: Option<&str>,
    environment: Option<&str>,
    file: &Path,
    build: Option<&str>,
) -> Result<Url, SettingsError> {
    if let Some(flag) = flag {
        return checked(flag, Source::Flag);
    }
    if let Some(environment) = environment {
        return checked(environment, Source::Environment);
    }
    if let Some(set) = read(file)?.companion {
        return checked(&set, Source::File(file.to_owned()));
    }
    match build {
        Some(build) => checked(build, Source::Build),
        None => Err(SettingsError::NothingSet(file.to_owned())),
    }
}

fn read(file: &Path) -> Result<Settings, SettingsError> {
    match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| SettingsError::Malformed(file.to_owned(), error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Settings::default()),
        Err(error) => Err(SettingsError::Unreadable(file.to_owned(), error)),
    }
}

fn checked(companion: &str, source: Source) -> Result<Url, SettingsError> {
    companion_url(companion).map_err(|unfit| SettingsError::NotACompanion(source, unfit))
}

/// Reads the address of a companion.
///
/// # Errors
/// [`CompanionUrlError`].
pub fn companion_url(companion: &str) -> Result<Url, CompanionUrlError> {
    let url = Url::parse(companion).map_err(|_| CompanionUrlError::NotAUrl)?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.query().is_some() || url.fragment().is_some() {
        return Err(CompanionUrlError::TooMuch);
    }
    CompanionOrigin::of(&url).map_err(|_| CompanionUrlError::Insecure)?;
    Ok(url)
}

#[cfg(test)]
mod tests;
