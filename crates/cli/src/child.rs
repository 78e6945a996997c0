//! The command of `keyport run`: found, started with the session's facts in its environment, waited for. It knows nothing of sessions.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::ExitStatus;

use tokio::process::{Child, Command};

use crate::stop::{Asked, Stop};

/// What a shell ends with when there is no such command.
pub const NOT_FOUND: u8 = 127;
/// What a shell ends with when a command cannot be started.
pub const NOT_STARTED: u8 = 126;

/// Whether there is a file that would be started. Windows adds endings of its own; there the start itself will tell.
pub fn is_there(program: &OsStr) -> bool {
    if cfg!(windows) {
        return true;
    }
    let path = Path::new(program);
    if path.components().count() > 1 {
        return may_be_started(path);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| may_be_started(&folder.join(path)))
}

#[cfg(unix)]
fn may_be_started(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn may_be_started(path: &Path) -> bool {
    path.is_file()
}

/// A variable and its value; without one it is taken out, so that nothing of an outer session is left.
pub type Variable = (&'static str, Option<String>);

/// Runs it to its end. A Ctrl-C at the terminal reaches it by itself; a request to stop us is passed on.
///
/// # Errors
/// When it cannot be started.
pub async fn run(command: &[OsString], environment: &[Variable]) -> io::Result<u8> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut stop = Stop::listen()?;
    let mut child = Command::new(program);
    child.args(arguments);
    for (name, value) in environment {
        match value {
            Some(value) => child.env(name, value),
            None => child.env_remove(name),
        };
    }
    let mut child = child.spawn()?;
    loop {
        tokio::select! {
            ended = child.wait() => return ended.map(code),
            asked = stop.asked() => if asked == Asked::Terminate {
                pass_on(&child);
            },
        }
    }
}

/// 128 and the signal, as shells report a command that a signal ended.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

#[cfg(unix)]
fn pass_on(child: &Child) {
    use rustix::process::{Pid, Signal, kill_process};
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(id) = id {
        // It may have ended this very moment, and nobody is left to be told.
        let _ = kill_process(id, Signal::TERM);
    }
}

#[cfg(not(unix))]
fn pass_on(_: &Child) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_looked_for_where_the_system_does() {
        assert!(is_there(OsStr::new("sh")));
        assert!(is_there(OsStr::new("/bin/sh")));
        assert!(!is_there(OsStr::new("no-such-command")));
        assert!(!is_there(OsStr::new("./no-such-command")));
        assert!(!is_there(OsStr::new("/bin")));
        assert!(
            !is_there(OsStr::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))),
            "no program"
        );
    }

    #[tokio::test]
    async fn the_exit_code_is_the_commands_own() {
        let line = |line: &str| ["sh", "-c", line].map(OsString::from);
        assert_eq!(run(&line("exit 9"), &[]).await.unwrap(), 9);
        assert_eq!(run(&line("kill -KILL $$"), &[]).await.unwrap(), 137);
        let set = [("A", Some("b c".to_owned()))];
        assert_eq!(run(&line("test \"$A\" = 'b c'"), &set).await.unwrap(), 0);
        assert_eq!(run(&line("test -z \"${HOME+x}\""), &[("HOME", None)]).await.unwrap(), 0);
        assert!(run(&["no-such-command".into()], &[]).await.is_err());
    }
}
