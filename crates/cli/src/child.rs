//! The command of `keyport run`: found, started with the session's facts in its environment, waited
//! for. It knows nothing of sessions; [`crate::job`] is what signals do meanwhile.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};

use keyport_shutdown::Shutdown;

use crate::output::Output;

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

/// Runs it to its end; to be called on the main thread (see [`crate::exec`]). Its exit code, or
/// `None` when the process was told to end before the command was started.
///
/// # Errors
/// When it cannot be started.
pub async fn run(
    command: &[OsString],
    environment: &[Variable],
    output: &Output,
    shutdown: &Shutdown,
) -> io::Result<Option<u8>> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    #[cfg(unix)]
    let job = crate::job::Job::prepare()?;
    // From here on a signal is for the command, and one that came before was for this process.
    let mut forwarded = shutdown.forward_signals();
    if shutdown.cause().is_some() {
        return Ok(None);
    }
    let mut command = starter(program, output);
    command.args(arguments);
    set(&mut command, environment);
    let mut child = tokio::process::Command::from(command).spawn()?;
    #[cfg(unix)]
    let waiting = job.wait(&mut child);
    #[cfg(not(unix))]
    let waiting = child.wait();
    tokio::pin!(waiting);
    loop {
        tokio::select! {
            ended = &mut waiting => return ended.map(|status| Some(code(status))),
            // The job has heard of it too.
            _ = forwarded.next() => {}
        }
    }
}

#[cfg(target_os = "linux")]
fn starter(program: &OsStr, output: &Output) -> Command {
    crate::exec::command(program, output)
}

#[cfg(not(target_os = "linux"))]
fn starter(program: &OsStr, _: &Output) -> Command {
    Command::new(program)
}

fn set(command: &mut Command, environment: &[Variable]) {
    for (name, value) in environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
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

    #[test]
    fn the_environment_is_the_sessions_and_the_exit_code_the_commands_own() {
        let status = |line: &str| {
            let mut command = Command::new("sh");
            set(&mut command, &[("A", Some("b c".to_owned())), ("HOME", None)]);
            code(command.args(["-c", line]).status().unwrap())
        };
        assert_eq!(status("exit 9"), 9);
        assert_eq!(status("kill -KILL $$"), 137);
        assert_eq!(status("test \"$A\" = 'b c' && test -z \"${HOME+x}\""), 0);
    }
}
