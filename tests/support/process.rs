//! One real process: started in a group of its own, its standard error kept in a file, ended with
//! its whole group when dropped. When a test fails, the last lines of that file are printed. NOT a
//! shell: arguments go to the program as they are.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use url::Url;

use crate::{offspring, wait};

/// A running program of a test.
pub struct Process {
    name: String,
    child: Child,
    lines: Mutex<Receiver<String>>,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; its standard error goes to `logs/NAME.log`, its standard output is read
    /// line by line.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn(name: &str, command: Command, logs: &Path) -> Result<Self> {
        Self::spawn_with_input(name, command, logs, None)
    }

    /// As [`Process::spawn`], with `input` on standard input (which is empty otherwise).
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn spawn_with_input(
        name: &str,
        mut command: Command,
        logs: &Path,
        input: Option<&[u8]>,
    ) -> Result<Self> {
        std::fs::create_dir_all(logs)?;
        let log = logs.join(format!("{name}.log"));
        let errors = OpenOptions::new().create(true).append(true).open(&log)?;
        offspring::adopt(&mut command);
        let mut child = command
            .process_group(0)
            .stdin(input.map_or_else(Stdio::null, |_| Stdio::piped()))
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start {name} ({:?})", command.get_program()))?;
        if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
            pipe.write_all(input)?;
        }
        let (send, lines) = channel();
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if send.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Self { name: name.to_owned(), child, lines: Mutex::new(lines), log })
    }

    /// The process id, which is the id of its group too.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it has written to standard error.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The file that standard error goes to.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// The next line of standard output that `wanted` turns into a value; the lines before it are
    /// dropped.
    ///
    /// # Errors
    /// When the output ends or `limit` is over first; the error shows the last line and the end of
    /// standard error.
    pub fn line<T>(&self, limit: Duration, wanted: impl Fn(&str) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + limit;
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut dropped = String::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left) {
                Ok(line) => {
                    if let Some(value) = wanted(&line) {
                        return Ok(value);
                    }
                    dropped = line;
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{} said nothing awaited in {limit:?}\n{}", self.name, self.tail());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let (name, log) = (&self.name, self.tail());
                    bail!("{name} ended before it said what was awaited, after {dropped:?}\n{log}");
                }
            }
        }
    }

    /// Waits for `{"event":"ready","url":…}`, the first line of our services.
    ///
    /// # Errors
    /// As [`Process::line`].
    pub fn ready(&self) -> Result<Url> {
        self.line(wait::WAIT_TIMEOUT, |line| {
            let said: serde_json::Value = serde_json::from_str(line).ok()?;
            (said["event"] == "ready").then(|| said["url"].as_str()?.parse().ok())?
        })
    }

    /// The exit status, if it has ended.
    ///
    /// # Errors
    /// When the system does not know the process.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        wait::until(&what, limit, || Ok(self.child.try_wait()?))
    }

    /// Asks it to stop (SIGTERM to the group) and waits for the end.
    ///
    /// # Errors
    /// When it still runs after `limit`.
    pub fn terminate(&mut self, limit: Duration) -> Result<ExitStatus> {
        self.signal(Signal::TERM);
        self.wait(limit)
    }

    /// Asks it to read its settings again (SIGHUP to the group).
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// kill -9 to the whole group, as a crash or a power cut would.
    pub fn kill(&mut self) -> ExitStatus {
        self.signal(Signal::KILL);
        self.child.wait().unwrap_or_else(|_| ExitStatus::from_raw(Signal::KILL.as_raw()))
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, signal);
        }
    }

    fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(40)..].join("\n");
        format!("--- standard error of {} ---\n{last}", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("{}", self.tail());
        }
    }
}

/// Runs a command to its end and answers with its standard output.
///
/// # Errors
/// When it cannot be started, does not end in time, or ends with another status than 0.
pub fn run(mut command: Command) -> Result<String> {
    run_within(&mut command, wait::WAIT_TIMEOUT)
}

/// As [`run`], for a command that fetches packages: how long that takes is the network's and no
/// matter of ours.
///
/// # Errors
/// As [`run`].
pub fn install(mut command: Command) -> Result<String> {
    run_within(&mut command, wait::INSTALL_TIMEOUT)
}

/// As [`run`], with a limit of its own. Output goes through files, not pipes: a browser that the
/// command leaves running would hold a pipe open for ever.
///
/// # Errors
/// As [`run`].
pub fn run_within(command: &mut Command, limit: Duration) -> Result<String> {
    let (output, errors) = (tempfile::tempfile()?, tempfile::tempfile()?);
    offspring::adopt(command);
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(errors.try_clone()?)
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let what = format!("the end of {program}");
    let status = wait::until(&what, limit, || Ok(child.try_wait()?));
    let status = status.inspect_err(|_| drop(child.kill()))?;
    if !status.success() {
        bail!("{program} ended with {status}: {}", content(errors)?.trim());
    }
    content(output)
}

fn content(mut file: File) -> Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A TCP port on 127.0.0.1 that was free a moment ago, for programs that cannot choose one by
/// themselves.
///
/// # Errors
/// When the system has none.
pub fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}
