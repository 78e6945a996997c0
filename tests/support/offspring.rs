//! Leaves nothing behind: every process that a test starts, and whatever that one starts in turn, carries a mark in its environment.
//! Process groups are not enough: a desktop app opens the browser in a session of its own. A watchdog shell sweeps when the test
//! process is gone for whatever reason, kill -9 included. NOT for processes that others started: they do not carry the mark.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

const MARK: &str = "STARTED_BY_TEST_RUN";

/// `cat` ends when the test process ends, because only that process holds the other side of the pipe.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
grep -lzxF -- "$1" /proc/[0-9]*/environ 2>/dev/null | while IFS=/ read -r _ _ pid _; do
    kill -KILL "$pid" 2>/dev/null
done
rm -f -- "$2"
"#;

/// The managed policy that a session of this test process may write; the watchdog removes it.
pub fn policy_file() -> PathBuf {
    let name = format!("keyport-tests-{}.json", std::process::id());
    PathBuf::from("/etc/chromium/policies/managed").join(name)
}

fn mark() -> String {
    format!("{}", std::process::id())
}

/// Marks the command, and with it all its descendants, as ours.
pub fn adopt(command: &mut Command) {
    static WATCHDOG_SHELL: OnceLock<Option<Child>> = OnceLock::new();
    WATCHDOG_SHELL.get_or_init(|| {
        Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog", &format!("{MARK}={}", mark())])
            .arg(policy_file())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .ok()
    });
    command.env(MARK, mark());
}

/// Kills every process whose environment has exactly this entry (`NAME=VALUE`).
pub fn sweep(entry: &str) {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return;
    };
    for process in processes.flatten() {
        let pid = process.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) else {
            continue;
        };
        let mut environment = Vec::new();
        let read = std::fs::File::open(process.path().join("environ"))
            .and_then(|mut file| file.read_to_end(&mut environment));
        if read.is_ok() && environment.split(|byte| *byte == 0).any(|one| one == entry.as_bytes()) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}
