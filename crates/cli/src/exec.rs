//! The last step to the command of `keyport run`: this program, started again as a child, asks the
//! kernel to be signalled when its parent dies (prctl(2), PR_SET_PDEATHSIG), and becomes the
//! command. So the command is told also when `keyport` is killed with SIGKILL. The kernel forgets
//! the request when the command is a set-user-ID program.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal};

use crate::child::not_started;
use crate::output::Output;

/// The first argument of a child that is to become the command. Not for people.
const WORD: &str = "__exec";
/// This program, also after its file was replaced by a newer version.
const OURSELVES: &str = "/proc/self/exe";
const FOR_PEOPLE: &str = "people";
const FOR_PROGRAMS: &str = "programs";

/// The command that starts `program` by way of a child of ours. To be spawned from the main thread:
/// the kernel signals when the thread ends that started the child. Without /proc, the program.
pub fn command(program: &OsStr, output: &Output) -> Command {
    if !Path::new(OURSELVES).exists() {
        return Command::new(program);
    }
    let audience = if output.is_for_program() { FOR_PROGRAMS } else { FOR_PEOPLE };
    let parent = getpid().as_raw_nonzero().get().to_string();
    let mut command = Command::new(OURSELVES);
    command.arg0("keyport").args([WORD, &parent, audience]).arg(program);
    command
}

/// Becomes the command if these are the arguments of such a child; the exit code when it cannot.
pub fn become_command(mut arguments: impl Iterator<Item = OsString>) -> Option<u8> {
    arguments.next().filter(|first| first == WORD)?;
    let parent = arguments.next()?.to_str()?.parse().ok().and_then(Pid::from_raw);
    let output = Output::beside(arguments.next()? == FOR_PROGRAMS);
    let program = arguments.next()?;
    // A refusal costs only the signal.
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
    if getppid() != parent {
        // It died before the request was made.
        return Some(128 + u8::try_from(Signal::TERM.as_raw()).unwrap_or_default());
    }
    let error = Command::new(&program).args(arguments).exec();
    Some(not_started(&program, &error, &output).code())
}
