//! Another process that takes locks: this test program, started again.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use keyport_client::locks::{LockError, Locks};

use crate::{SERVICE, WAIT_TIMEOUT, locks_in};

const TASK: &str = "KEYPORT_TEST_LOCKS";
/// The folder of the lock file; without it the lock is a name on the session bus.
const FOLDER: &str = "KEYPORT_TEST_FOLDER";
const COUNT: &str = "KEYPORT_TEST_COUNT";
const ANSWER: &str = "=> ";

pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Returns once the lock is held; it is until the process is killed.
    pub fn holding(folder: &Path) -> Self {
        let mut process = Self::start("hold", |command| {
            command.env(FOLDER, folder);
        });
        assert_eq!(process.hears(), "taken");
        process
    }

    /// Adds one to the number in the file `count`, so many times, each under the lock.
    pub fn counting(times: u32, folder: &Path) -> Self {
        Self::start(&format!("count {times}"), |command| {
            command.env(FOLDER, folder).env(COUNT, folder.join("count"));
        })
    }

    /// As [`counting`](Self::counting), with the lock of the session bus at this address.
    pub fn counting_on_bus(times: u32, count: &Path, address: &str) -> Self {
        Self::start(&format!("count {times}"), |command| {
            command.env(COUNT, count).env("DBUS_SESSION_BUS_ADDRESS", address);
        })
    }

    /// A process whose folders are all below `home` and whose session bus is at this address.
    pub fn on_bus(task: &str, address: &str, home: &Path) -> Self {
        Self::start(task, |command| {
            for name in ["HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "TMPDIR"] {
                command.env(name, home);
            }
            command.env("DBUS_SESSION_BUS_ADDRESS", address);
        })
    }

    fn start(task: &str, surroundings: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "process::the_other_process", "--nocapture"]).env(TASK, task);
        surroundings(&mut command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { input: child.stdin.take(), child, lines }
    }

    /// The next thing it says.
    pub fn hears(&mut self) -> String {
        loop {
            let line = self.lines.next().expect("the process answers").unwrap();
            // The test harness prints on the same stream.
            if let Some((_, said)) = line.split_once(ANSWER) {
                return said.to_owned();
            }
        }
    }

    /// A process that holds a lock gives it up when its input ends, and lives on.
    pub fn gives_up(&mut self) {
        self.input = None;
        assert_eq!(self.hears(), "given up");
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Without a chance to tidy up: SIGKILL where there are signals.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program that goes on for a while, given a number of seconds.
pub fn long_running() -> &'static str {
    if cfg!(windows) { "timeout" } else { "sleep" }
}

/// Not a test: the other process. Does nothing unless a [`Process`] started it.
#[tokio::test]
async fn the_other_process() {
    let Ok(task) = std::env::var(TASK) else { return };
    let locks = match std::env::var_os(FOLDER) {
        Some(folder) => locks_in(Path::new(&folder)),
        None => on_session_bus(),
    };
    let (task, number) = task.split_once(' ').unwrap_or((&task, "0"));
    match task {
        "hold" => {
            let held = locks.take(WAIT_TIMEOUT).await.unwrap();
            println!("{ANSWER}taken");
            tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await.unwrap();
            drop(held);
            println!("{ANSWER}given up");
            std::future::pending::<()>().await;
        }
        "try" => println!("{ANSWER}{}", named(&locks.take(Duration::ZERO).await.map(drop))),
        "wait" => println!("{ANSWER}{}", named(&locks.take(WAIT_TIMEOUT).await.map(drop))),
        "check" => println!("{ANSWER}{}", named(&locks.check().await)),
        "count" => {
            let count = PathBuf::from(std::env::var_os(COUNT).unwrap());
            for _ in 0..number.parse::<u32>().unwrap() {
                let _held = locks.take(WAIT_TIMEOUT).await.unwrap();
                let number: u32 = fs::read_to_string(&count).unwrap().parse().unwrap();
                tokio::task::yield_now().await;
                fs::write(&count, (number + 1).to_string()).unwrap();
            }
            println!("{ANSWER}counted");
        }
        other => panic!("unknown: {other:?}"),
    }
}

fn named(taken: &Result<(), LockError>) -> &'static str {
    match taken {
        Ok(()) => "taken",
        Err(LockError::Busy) => "busy",
        Err(LockError::Refused) => "refused",
        Err(LockError::Absent) => "absent",
        Err(error) => panic!("{error}"),
    }
}

#[cfg(target_os = "linux")]
fn on_session_bus() -> Locks {
    Locks::on_session_bus(SERVICE)
}

#[cfg(not(target_os = "linux"))]
fn on_session_bus() -> Locks {
    panic!("{SERVICE} has no session bus here")
}
