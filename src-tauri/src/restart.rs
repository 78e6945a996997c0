//! A second start. The instance that has our name on the session bus may end just while it is asked
//! to take over, and then no process has the link that this process came with. The name is free
//! after that, so starting once more helps; twice does not.

/// Says that this is the second start.
const MARK: &str = "KEYPORT_STARTED_AGAIN";

/// Starts this program again with the same arguments if it was not done before; returns `error` if
/// that is no way out.
#[cfg(unix)]
pub fn once(error: tauri::Error) -> tauri::Error {
    use std::os::unix::process::CommandExt;

    let handing_over =
        matches!(&error, tauri::Error::PluginInitialization(name, _) if name == "single-instance");
    if handing_over && std::env::var_os(MARK).is_none() {
        tracing::warn!("the instance that was to take over has ended; starting in its place");
        if let Ok(program) = std::env::current_exe() {
            let mut command = std::process::Command::new(program);
            let _ = command.args(std::env::args_os().skip(1)).env(MARK, "1").exec();
        }
    }
    error
}

/// Elsewhere the hand-over waits for the other process and does not fail so.
#[cfg(not(unix))]
pub fn once(error: tauri::Error) -> tauri::Error {
    error
}
