//! The command of `keyport run`: found, started with the session's facts in its environment, waited
//! for. It knows nothing of sessions; [`crate::job`] is what signals do meanwhile.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::{Command, ExitStatus};

use keyport_core::Problem;
use keyport_shutdown::Shutdown;

use crate::exit::Exit;
use crate::output::Output;

/// Where commands are looked for when `PATH` is not set (execvp(3)).
const WITHOUT_PATH: &str = "/bin:/usr/bin";

/// Looks for the file that would be started, so that a person signs in for nothing that cannot
/// begin. Windows adds endings of its own; there the start itself will tell.
///
/// # Errors
/// [`ErrorKind::NotFound`] when it is not there; otherwise it is there and cannot be started.
pub fn look_up(program: &OsStr) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    // execvp(3): a name with a slash is a path.
    if program.as_encoded_bytes().contains(&b'/') {
        return may_be_started(Path::new(program));
    }
    look_up_in(std::env::var_os("PATH"), program)
}

fn look_up_in(folders: Option<OsString>, program: &OsStr) -> io::Result<()> {
    let mut reason = io::Error::from(ErrorKind::NotFound);
    if program.is_empty() {
        return Err(reason);
    }
    let folders = folders.unwrap_or_else(|| WITHOUT_PATH.into());
    for folder in std::env::split_paths(&folders) {
        match may_be_started(&folder.join(program)) {
            Ok(()) => return Ok(()),
            // As in a shell, a later folder may have one that can be started.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => reason = error,
            Err(_) => {}
        }
    }
    Err(reason)
}

/// Says that the command cannot be started. A shell ends with 127 for one that is not there and
/// with 126 for any other reason.
pub fn not_started(program: &OsStr, error: &io::Error, output: &Output) -> Exit {
    let name = program.to_string_lossy();
    let name = if name.is_empty() { "''" } else { &*name };
    let why = error.to_string();
    let (problem, words) = if is_missing(program, error) {
        (Problem::CommandNotFound, "cli-run-not-found")
    } else {
        (Problem::CommandNotStarted, "cli-run-not-started")
    };
    output.problem_in_words(problem, words, &[("command", name), ("why", &why)]);
    problem.into()
}

/// Whether it was not started because it is not there. What is missing may also be the interpreter
/// of a script that is there (execve(2)).
fn is_missing(program: &OsStr, error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound && (cfg!(windows) || look_up(program).is_err())
}

fn may_be_started(path: &Path) -> io::Result<()> {
    let file = path.metadata()?;
    if file.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    let may = file.is_file() && has_permission(path);
    if may { Ok(()) } else { Err(ErrorKind::PermissionDenied.into()) }
}

/// For the user whom the command would be started as, not for any user.
#[cfg(unix)]
fn has_permission(path: &Path) -> bool {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

#[cfg(not(unix))]
fn has_permission(_: &Path) -> bool {
    true
}

/// A variable and its value; without one it is taken out, so that nothing of an outer session is
/// left.
pub type EnvironmentChange = (&'static str, Option<String>);

/// Runs it to its end; to be called on the main thread (see [`crate::exec`]). Its exit code, or
/// `None` when the process was told to end before the command was started.
///
/// # Errors
/// When it cannot be started.
pub async fn run(
    command: &[OsString],
    environment: &[EnvironmentChange],
    output: &Output,
    shutdown: &Shutdown,
) -> io::Result<Option<u8>> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))?;
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

fn set(command: &mut Command, environment: &[EnvironmentChange]) {
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
        let found = |name: &str| look_up(OsStr::new(name)).map_err(|error| error.kind());
        assert_eq!(found("sh"), Ok(()));
        assert_eq!(found("/bin/sh"), Ok(()));
        for name in ["", "no-such-command", "./no-such-command", "/bin/no-such-command"] {
            assert_eq!(found(name), Err(ErrorKind::NotFound), "{name}");
        }
        let without_path = |name: &str| look_up_in(None, OsStr::new(name));
        assert!(without_path("sh").is_ok() && without_path("no-such-command").is_err());
        assert_eq!(found("/bin"), Err(ErrorKind::IsADirectory));
        let no_program = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert_eq!(found(no_program), Err(ErrorKind::PermissionDenied));
    }

    #[test]
    fn an_interpreter_that_is_missing_is_no_missing_command() {
        let missing = io::Error::from(ErrorKind::NotFound);
        assert!(is_missing(OsStr::new("no-such-command"), &missing));
        assert!(!is_missing(OsStr::new("sh"), &missing));
        assert!(!is_missing(OsStr::new("sh"), &ErrorKind::PermissionDenied.into()));
    }

    #[test]
    fn environment_is_the_sessions_and_exit_code_the_commands() {
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
