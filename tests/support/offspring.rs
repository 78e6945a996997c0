//! Leaves nothing behind: every process that a test starts, and whatever that one starts in turn,
//! carries a mark in its environment. Process groups are not enough: a desktop app opens the
//! browser in a session of its own. A watchdog shell sweeps when the test process is gone for
//! whatever reason, kill -9 included. NOT for processes that others started: they do not carry the
//! mark.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

const MARK: &str = "STARTED_BY_TEST_RUN";

/// Reads paths until the test process ends, because only that process holds the other side of the
/// pipe; then kills what carries the mark and removes the paths.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
mark=$1
shift
while IFS= read -r path; do set -- "$@" "$path"; done
grep -lzxF -- "$mark" /proc/[0-9]*/environ 2>/dev/null | while IFS=/ read -r _ _ pid _; do
    kill -KILL "$pid" 2>/dev/null
done
[ $# -eq 0 ] || rm -rf -- "$@"
"#;

fn mark() -> String {
    std::process::id().to_string()
}

fn watchdog() -> Option<&'static Mutex<Child>> {
    static SHELL: OnceLock<Option<Mutex<Child>>> = OnceLock::new();
    let shell = SHELL.get_or_init(|| {
        Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog", &format!("{MARK}={}", mark())])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .ok()
            .map(Mutex::new)
    });
    shell.as_ref()
}

/// Marks the command, and with it all its descendants, as ours.
pub fn adopt(command: &mut Command) {
    watchdog();
    command.env(MARK, mark());
}

/// Has a file or folder of ours removed when the test process is gone, if it is still there then.
pub fn remove_afterwards(path: &Path) {
    if let Some(watchdog) = watchdog() {
        let mut watchdog = watchdog.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipe) = &mut watchdog.stdin {
            let _ = writeln!(pipe, "{}", path.display());
        }
    }
}

/// Kills every process that lives in this home folder: its environment says so, or its command line
/// names the folder (Chromium writes over its environment). Looks again until none is left, because
/// one may have been starting another meanwhile.
pub fn sweep(home: &Path) {
    const MOST_LOOKS: usize = 50;
    let entry = format!("HOME={}", home.display());
    let folder = home.display().to_string();
    let lives_there = |process: &Path| {
        let has = |file: &str, found: &dyn Fn(&[u8]) -> bool| {
            let mut text = Vec::new();
            let read = std::fs::File::open(process.join(file))
                .and_then(|mut file| file.read_to_end(&mut text));
            read.is_ok() && found(&text)
        };
        has("environ", &|text| text.split(|byte| *byte == 0).any(|one| one == entry.as_bytes()))
            || has("cmdline", &|text| {
                text.windows(folder.len()).any(|one| one == folder.as_bytes())
            })
    };
    for _ in 0..MOST_LOOKS {
        let Ok(processes) = std::fs::read_dir("/proc") else { return };
        let mut killed = false;
        for process in processes.flatten() {
            let pid = process.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
            let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) else { continue };
            if lives_there(&process.path()) {
                killed |= rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok();
            }
        }
        if !killed {
            return;
        }
    }
}
