//! Signals with who sent them (sigaction(2), `siginfo_t`): the terminal, which tells its whole
//! foreground group, or one process, which told this one. A signal that the parent process ignores
//! (`nohup`) is left alone, so that it stays ignored, here and in what is started from here.

use std::io;

use rustix::process::Signal;
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};
use tokio::sync::mpsc;

/// Who sent a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The kernel, for a terminal: its foreground group was told.
    Terminal,
    /// This process, by kill(2).
    Process(i32),
    /// The system does not say.
    Unknown,
}

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Which.
    pub signal: Signal,
    /// From whom.
    pub sender: Sender,
}

/// Signals, from [`Signals::listen`] until it is dropped. Afterwards they are caught and forgotten.
pub struct Signals {
    received: mpsc::UnboundedReceiver<Received>,
    handle: signal_hook::iterator::Handle,
}

impl Signals {
    /// Catches those of `wanted` that are not ignored.
    ///
    /// # Errors
    /// When the system refuses a handler or the thread that reads them.
    pub fn listen(wanted: &[Signal]) -> io::Result<Self> {
        let ignored = ignored();
        let caught = wanted.iter().filter(|signal| ignored & bit(**signal) == 0);
        let mut signals = SignalsInfo::<WithOrigin>::new(caught.map(|signal| signal.as_raw()))?;
        let handle = signals.handle();
        let (sender, received) = mpsc::unbounded_channel();
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for origin in &mut signals {
                let known = received_from(&origin).is_none_or(|one| sender.send(one).is_ok());
                if !known {
                    return;
                }
            }
        })?;
        Ok(Self { received, handle })
    }

    /// Waits for the next one. Cancel safe.
    pub async fn next(&mut self) -> Received {
        match self.received.recv().await {
            Some(received) => received,
            // The thread ends only with this value.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.handle.close();
    }
}

fn received_from(origin: &Origin) -> Option<Received> {
    let signal = Signal::from_named_raw(origin.signal)?;
    let sender = match (origin.cause, origin.process) {
        (Cause::Kernel, _) => Sender::Terminal,
        (Cause::Sent(_), Some(process)) => Sender::Process(process.pid),
        _ => Sender::Unknown,
    };
    Some(Received { signal, sender })
}

fn bit(signal: Signal) -> u64 {
    1 << (signal.as_raw() - 1)
}

/// The signals that the parent process ignores, bit `n - 1` for signal `n` (proc(5), `SigIgn`);
/// none where the system does not say. A SIGCHLD that is ignored is caught all the same: ignoring
/// it takes the exit codes of children away (wait(2)).
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & !bit(Signal::CHILD)
}
