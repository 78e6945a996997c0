//! The app's process: refuses what must not steer it, then hands over to the library.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::alloc::System;
use std::process::ExitCode;
use std::time::Duration;

use keyport_shutdown::{Hangup, Policy, Shutdown};

/// What is finished at the end takes five seconds at most.
const ENDING: Policy =
    Policy { hangup: Hangup::Ends, time_limit: Duration::from_secs(8), forced_exit_code: 1 };

use zeroizing_alloc::ZeroAlloc;

/// Libraries between the client and the system copy tokens into buffers of their own; these are
/// wiped when they are freed.
#[global_allocator]
static WIPED_WHEN_FREED: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    // Before any thread exists and before a webview reads its environment.
    if let Err(refusal) = keyport_desktop::automation::refuse() {
        eprintln!("keyport-desktop: {refusal}");
        return ExitCode::FAILURE;
    }
    match Shutdown::install(ENDING) {
        Ok(shutdown) => keyport_desktop::run(shutdown),
        Err(error) => {
            eprintln!("keyport-desktop: signals cannot be heard: {error}");
            ExitCode::FAILURE
        }
    }
}
