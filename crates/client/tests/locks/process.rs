//! Another process that takes locks: this test program, started again.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use keyport_client::config::state_dir;
use keyport_client::locks::{LockTrouble, Locks};

use crate::{PATIENCE, SERVICE, locks_in};

const TASK: &str = "KEYPORT_TEST_LOCKS";
const FOLDER: &str = "KEYPORT_TEST_FOLDER";
const ANSWER: &str = "=> ";

pub struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Returns once the lock is held; it is until the process is killed.
    pub fn holding(name: &str, folder: &Path) -> Self {
        let mut process = Self::start(&format!("hold {name}"), |command| {
            command.env(FOLDER, folder);
        });
        assert_eq!(process.hears(), "taken");
        process
    }

    /// Adds one to the number in the file `count`, so many times, each under the lock.
    pub fn counting(times: u32, folder: &Path) -> Self {
        Self::start(&format!("count {times}"), |command| {
            command.env(FOLDER, folder);
        })
    }

    /// As [`holding`](Self::holding), in the folder that the environment leads to.
    pub fn holding_at_home(name: &str, home: &Path, runtime: Option<&Path>) -> Self {
        let mut process = Self::at_home(&format!("hold {name}"), home, runtime);
        assert_eq!(process.hears(), "taken");
        process
    }

    /// Says whether the lock is `taken` or `busy`.
    pub fn trying_at_home(name: &str, home: &Path, runtime: Option<&Path>) -> Self {
        Self::at_home(&format!("try {name}"), home, runtime)
    }

    fn at_home(task: &str, home: &Path, runtime: Option<&Path>) -> Self {
        Self::start(task, |command| {
            command.env("HOME", home).env_remove("XDG_STATE_HOME");
            match runtime {
                Some(folder) => command.env("XDG_RUNTIME_DIR", folder),
                None => command.env_remove("XDG_RUNTIME_DIR"),
            };
        })
    }

    fn start(task: &str, surroundings: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "process::the_other_process", "--nocapture"]).env(TASK, task);
        surroundings(&mut command);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
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
    let folder = std::env::var_os(FOLDER).map(PathBuf::from);
    let locks = match &folder {
        Some(folder) => locks_in(folder),
        None => Locks::in_folder(state_dir(), SERVICE),
    };
    match task.split_once(' ').unwrap() {
        ("hold", name) => {
            let _held = locks.take(name, PATIENCE).await.unwrap();
            println!("{ANSWER}taken");
            std::future::pending::<()>().await;
        }
        ("try", name) => match locks.take(name, Duration::ZERO).await {
            Ok(_) => println!("{ANSWER}taken"),
            Err(LockTrouble::Busy) => println!("{ANSWER}busy"),
            Err(trouble) => panic!("{trouble}"),
        },
        ("count", times) => {
            let count = folder.unwrap().join("count");
            for _ in 0..times.parse::<u32>().unwrap() {
                let _held = locks.take("count", PATIENCE).await.unwrap();
                let number: u32 = fs::read_to_string(&count).unwrap().parse().unwrap();
                tokio::task::yield_now().await;
                fs::write(&count, (number + 1).to_string()).unwrap();
            }
            println!("{ANSWER}counted");
        }
        other => panic!("unknown: {other:?}"),
    }
}
