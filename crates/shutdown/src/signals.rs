//! The signals of this platform: which count, how they are recorded, and the exit that no thread
//! of the process can hold up.

use std::io;

use crate::{Cause, Hangup, thread};

/// Registers the handlers and calls `receive` on a thread of its own for each signal.
#[cfg(unix)]
pub(crate) fn watch(hangup: Hangup, receive: impl Fn(Cause) + Send + 'static) -> io::Result<()> {
    use nix::sys::signal::{SigSet, Signal};

    let ignored = ignored_signals();
    let mut wanted = vec![(Signal::SIGTERM, Cause::Terminate), (Signal::SIGINT, Cause::Interrupt)];
    wanted.extend((hangup != Hangup::Default).then_some((Signal::SIGHUP, Cause::Hangup)));
    wanted.retain(|(signal, _)| {
        let is_told = *signal == Signal::SIGHUP && hangup == Hangup::Told;
        *signal == Signal::SIGTERM || is_told || ignored & (1 << (*signal as i32 - 1)) == 0
    });
    let set: SigSet = wanted.iter().map(|(signal, _)| *signal).collect();
    // A handler stands a moment before the action that it calls is stored; a signal in between
    // would be lost. While it is blocked it stays pending (signal(7)).
    set.thread_block()?;
    let signals =
        signal_hook::iterator::Signals::new(wanted.iter().map(|(signal, _)| *signal as i32));
    // Not merely restored: a parent may have started this process with them blocked.
    set.thread_unblock()?;
    let mut signals = signals?;
    thread("shutdown-signals", move || {
        for number in signals.forever() {
            let known = wanted.iter().find(|(signal, _)| *signal as i32 == number);
            receive(known.map_or(Cause::Terminate, |(_, cause)| *cause));
        }
    })
}

/// The signals that the parent process set to be ignored, bit `n - 1` for signal `n`, from
/// `/proc/self/status` (proc(5)). Empty on systems without it.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Ends the process without exit handlers, which could wait for a thread that is blocked.
#[cfg(unix)]
pub(crate) fn exit(code: i32) -> ! {
    signal_hook::low_level::exit(code)
}

/// Registers the console handler (Ctrl-C, Ctrl-Break, the end of the console or of the session).
#[cfg(windows)]
pub(crate) fn watch(_: Hangup, receive: impl Fn(Cause) + Send + 'static) -> io::Result<()> {
    ctrlc::set_handler(move || receive(Cause::Interrupt)).map_err(io::Error::other)
}

/// Ends the process.
#[cfg(windows)]
pub(crate) fn exit(code: i32) -> ! {
    std::process::exit(code)
}
