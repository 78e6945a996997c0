//! The app's process: refuses what must not steer it, then hands over to the library.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    // Before any thread exists and before a webview reads its environment.
    if let Err(refusal) = keyport_desktop::automation::refuse() {
        eprintln!("keyport-desktop: {refusal}");
        return ExitCode::FAILURE;
    }
    keyport_desktop::run()
}
