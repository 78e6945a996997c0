//! `keyport` as a process of its own, as a script or a person starts it. NOT a second reader of the
//! protocol: it knows the events of `--json` and the exit codes, nothing else.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod operator;
pub mod pty;
pub mod short_lived_companion;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use keyport_tests::{DesktopSession, Jar, Person, Process, World, binaries, wait};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;
use tempfile::TempDir;

/// A terminal without display and without keychain, with a throw-away home.
pub struct Terminal {
    folder: TempDir,
}

/// `keyport`, running.
pub struct Keyport {
    /// The process.
    pub process: Process,
}

/// How it ended, with all that it wrote.
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

impl Terminal {
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir_all(folder.path().join("home"))?;
        Ok(Self { folder })
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(binaries::path("keyport")?);
        self.set_up(&mut command);
        command.args(arguments);
        Ok(command)
    }

    /// Gives a command, whatever program it is, the environment of this terminal.
    pub fn set_up(&self, command: &mut Command) {
        binaries::without_settings(command);
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "XDG_RUNTIME_DIR"] {
            command.env_remove(name);
        }
        for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"] {
            command.env_remove(name);
        }
        // The one who runs the tests may do so over SSH.
        for name in ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"] {
            command.env_remove(name);
        }
        let home = self.home();
        let nowhere = format!("unix:path={}", self.folder.path().join("no-bus").display());
        command.env("HOME", &home).env("DBUS_SESSION_BUS_ADDRESS", nowhere).current_dir(home);
    }

    /// Writes a program into the home folder, a shell script, and answers with its path.
    pub fn script(&self, name: &str, lines: &str) -> Result<PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let path = self.home().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{lines}\n"))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    pub fn start(&self, arguments: &[&str]) -> Result<Keyport> {
        self.spawn(self.command(arguments)?)
    }

    pub fn spawn(&self, command: Command) -> Result<Keyport> {
        spawn(command, self.folder.path())
    }

    pub fn run(&self, arguments: &[&str]) -> Result<Ended> {
        run(self.command(arguments)?)
    }

    /// Every file below the home folder that holds anything. A lock is an empty file.
    pub fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = files(&self.home())?;
        files.retain(|file| std::fs::metadata(file).is_ok_and(|data| data.len() > 0));
        Ok(files)
    }
}

/// Starts `keyport` in a desktop session, set to this companion.
pub fn start_in(session: &DesktopSession, companion: &str, arguments: &[&str]) -> Result<Keyport> {
    spawn(command_in(session, companion, arguments)?, session.logs())
}

/// As [`start_in`], with folders of its own: as a launcher, a shell or a sandbox would start it.
pub fn start_in_folders(
    session: &DesktopSession,
    companion: &str,
    arguments: &[&str],
    folders: &Path,
) -> Result<Keyport> {
    std::fs::create_dir_all(folders)?;
    let mut command = command_in(session, companion, arguments)?;
    for name in ["HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "TMPDIR"] {
        command.env(name, folders);
    }
    spawn(command, session.logs())
}

/// Runs `keyport` in a desktop session, set to this companion, to its end.
pub fn run_in(session: &DesktopSession, companion: &str, arguments: &[&str]) -> Result<Ended> {
    run(command_in(session, companion, arguments)?)
}

fn command_in(session: &DesktopSession, companion: &str, arguments: &[&str]) -> Result<Command> {
    let mut command = session.our_command("keyport")?;
    command.args(arguments).env("KEYPORT_COMPANION", companion);
    Ok(command)
}

fn spawn(command: Command, logs: &Path) -> Result<Keyport> {
    let logs = tempfile::Builder::new().prefix("keyport-").tempdir_in(logs)?.keep();
    Ok(Keyport { process: Process::spawn("keyport", command, &logs)? })
}

/// Runs a command to its end.
pub fn run(mut command: Command) -> Result<Ended> {
    let output = command.stdin(std::process::Stdio::null()).output()?;
    Ok(Ended {
        code: output.status.code().context("ended by a signal")?,
        output: String::from_utf8(output.stdout)?,
        errors: String::from_utf8(output.stderr)?,
    })
}

impl Keyport {
    /// The next event of this name; the ones before it are dropped.
    pub fn event(&self, name: &str) -> Result<Value> {
        self.process.line(wait::WAIT_TIMEOUT, |line| {
            let event: Value = serde_json::from_str(line).ok()?;
            (event["event"] == name).then_some(event)
        })
    }

    /// The link to open in the browser, from `--json`.
    pub fn authorization_url(&self) -> Result<String> {
        let event = self.event("authorization_url")?;
        event["url"].as_str().map(str::to_owned).context("an URL")
    }

    /// Waits for words on standard error.
    pub fn says(&self, words: &str) -> Result<String> {
        wait::until(&format!("{words:?} from keyport"), wait::WAIT_TIMEOUT, || {
            Ok(Some(self.process.log()).filter(|log| log.contains(words)))
        })
    }

    /// Waits for the end; answers with the exit code.
    pub fn ended(&mut self) -> Result<i32> {
        self.process.wait(wait::WAIT_TIMEOUT)?.code().context("ended by a signal")
    }

    /// Ctrl-C, for this process alone.
    pub fn interrupt(&self) -> Result<()> {
        self.signal(Signal::INT)
    }

    /// A signal for this process alone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(self.pid()?, signal)?)
    }

    /// A signal as a terminal sends it: to all that run there.
    pub fn signal_group(&self, signal: Signal) -> Result<()> {
        Ok(kill_process_group(self.pid()?, signal)?)
    }

    /// Its process id.
    pub fn pid(&self) -> Result<Pid> {
        let pid = i32::try_from(self.process.id())?;
        Pid::from_raw(pid).context("a process")
    }
}

impl Ended {
    /// The events of `--json`, in order.
    pub fn events(&self) -> Result<Vec<Value>> {
        self.output
            .lines()
            .map(|line| serde_json::from_str(line).context(line.to_owned()))
            .collect()
    }

    /// The one problem that was reported.
    pub fn problem(&self) -> Result<String> {
        let events = self.events()?;
        let [problem] = events.as_slice() else {
            anyhow::bail!("not one event: {}", self.output);
        };
        anyhow::ensure!(problem["event"] == "problem", "{problem}");
        problem["code"].as_str().map(str::to_owned).context("a code")
    }
}

/// Ada signs in in her browser, from the link to the callback that the listener answers.
pub async fn ada_signs_in(link: &str) -> Result<Jar> {
    signs_in(Person::ADA, link).await
}

/// As [`ada_signs_in`], for anyone.
pub async fn signs_in(person: Person<'_>, link: &str) -> Result<Jar> {
    let mut browser = Jar::new()?;
    let callback = person.sign_in(&mut browser, link).await?;
    browser.open(&callback).await?;
    Ok(browser)
}

/// The sessions that are alive at the companion.
pub fn live_sessions(world: &World) -> Result<i64> {
    let database = rusqlite::Connection::open_with_flags(
        world.database(),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
    )?;
    let count =
        database.query_row("SELECT count(*) FROM sessions WHERE ended_at IS NULL", [], |row| {
            row.get(0)
        })?;
    Ok(count)
}

/// The service names of our items, in release and development builds.
pub const SERVICES: [&str; 2] = ["dev.keyport.desktop", "dev.keyport.desktop.dev"];

/// Takes the kept access tokens out of the keyring, as if they were due: the next one is renewed.
pub fn forget_access_tokens(session: &DesktopSession) -> Result<()> {
    for service in SERVICES {
        for name in session.secrets(service)?.into_keys() {
            if name.starts_with("access:") {
                let item = ["clear", "service", service, "username", &name];
                session.run("secret-tool", &item)?;
            }
        }
    }
    Ok(())
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}
