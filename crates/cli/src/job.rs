//! The command of `keyport run` as a job: it is in our process group, so a terminal that tells the
//! group tells it too; what only this process was told is passed on. When the command stops, this
//! process stops, so that the shell takes the terminal back; when this one goes on, so does the
//! command (setpgid(2), termios(3), "job control"). NOT a shell: there is one job, in one group.

use std::io;
use std::process::ExitStatus;

use nix::unistd::{getppid, getsid};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, kill_process};
use tokio::process::Child;

use crate::signals::{Received, Sender, Signals};

/// What is passed on to the command, and what says how it is.
const HEARD: [Signal; 9] = [
    Signal::INT,
    Signal::TERM,
    Signal::HUP,
    Signal::QUIT,
    Signal::USR1,
    Signal::USR2,
    Signal::TSTP,
    Signal::CONT,
    Signal::CHILD,
];

/// Signals for the job, caught from before the command starts: none of them is lost or ends this
/// process while the command runs.
pub struct Job {
    signals: Signals,
}

impl Job {
    /// Catches what is for the command from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn prepare() -> io::Result<Self> {
        Ok(Self { signals: Signals::listen(&HEARD)? })
    }

    /// Waits for the end of the command, with which signals are passed on no longer.
    ///
    /// # Errors
    /// When the system does not know the command.
    pub async fn wait(mut self, child: &mut Child) -> io::Result<ExitStatus> {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        loop {
            tokio::select! {
                ended = child.wait() => return ended,
                received = self.signals.next() => if let Some(id) = id {
                    take(received, id);
                },
            }
        }
    }
}

fn take(received: Received, command: Pid) {
    match received.signal {
        Signal::CHILD => stop_with(command),
        Signal::CONT => continue_with(command),
        signal if is_for_us_alone(received, command) => tell(command, signal),
        _ => {}
    }
}

/// A change of the command was reported. Returns, if it has stopped, when this process is
/// continued.
fn stop_with(command: Pid) {
    if is_stopped(command) && is_watched() {
        let _ = kill_process(getpid(), Signal::STOP);
    }
}

/// This process was continued, perhaps alone.
fn continue_with(command: Pid) {
    if is_stopped(command) {
        tell(command, Signal::CONT);
    }
}

/// A terminal tells the whole foreground group, but the end of a connection only the leader of the
/// session. A command that signals its own group (`kill 0`) has told itself.
fn is_for_us_alone(received: Received, command: Pid) -> bool {
    match received.sender {
        Sender::Terminal => received.signal == Signal::HUP && leads_its_session(),
        Sender::Process(id) => id != command.as_raw_nonzero().get(),
        Sender::Unknown => !matches!(received.signal, Signal::INT | Signal::QUIT | Signal::TSTP),
    }
}

fn tell(command: Pid, signal: Signal) {
    // An error means that it has ended, which the wait will say.
    let _ = kill_process(command, signal);
}

fn is_stopped(command: Pid) -> bool {
    let how = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let status = rustix::process::waitid(WaitId::Pid(command), how);
    status.ok().flatten().is_some_and(|status| status.stopped())
}

/// Whether a shell could continue this process: a parent of another session controls no job here
/// (an orphaned process group, setpgid(2)), and a stop would be for ever.
fn is_watched() -> bool {
    let parent = getppid();
    // 0 is a parent outside of this PID namespace, and would name this process to getsid(2).
    parent.as_raw() != 0 && getsid(None).is_ok() && getsid(None) == getsid(Some(parent))
}

/// The session of a process in a PID namespace may be led from outside of it; its id is 0 then
/// (pid_namespaces(7)).
fn leads_its_session() -> bool {
    getsid(None).is_ok_and(|leader| leader == nix::unistd::getpid())
}
