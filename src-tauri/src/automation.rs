//! Keeps a release build from being driven from outside. Tauri and WebKit obey some environment
//! variables in every build, and whoever sets them could read the page and press its buttons.
//! Development builds stay open: the tests need that.

use thiserror::Error;

/// Each of these opens the webview to another program, or takes a wall away from it.
pub const FORBIDDEN_VARIABLES: [&str; 5] = [
    "TAURI_WEBVIEW_AUTOMATION",
    "WEBKIT_INSPECTOR_SERVER",
    "WEBKIT_INSPECTOR_HTTP_SERVER",
    "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS",
    "WEBVIEW2_ADDITIONAL_BROWSER_ARGUMENTS",
];

/// The environment asks for what a release build does not do.
#[derive(Debug, Error)]
#[error("{0} is set, and this build does not start with it")]
pub struct AutomationError(&'static str);

/// Sees to it that the process goes on without any of them; call it first in `main`.
///
/// A process cannot take a variable out of its own environment safely, so on Unix it starts itself
/// again without them.
///
/// # Errors
/// [`AutomationError`] where that cannot be done.
pub fn refuse() -> Result<(), AutomationError> {
    if cfg!(debug_assertions) { Ok(()) } else { go_on_without_them() }
}

/// What [`refuse`] does in a release build.
///
/// # Errors
/// As there.
pub fn go_on_without_them() -> Result<(), AutomationError> {
    match FORBIDDEN_VARIABLES.into_iter().find(|name| std::env::var_os(name).is_some()) {
        None => Ok(()),
        Some(name) => Err(start_again_without(name)),
    }
}

/// Returns only if it did not work.
#[cfg(unix)]
fn start_again_without(name: &'static str) -> AutomationError {
    use std::os::unix::process::CommandExt;

    let Ok(program) = std::env::current_exe() else {
        return AutomationError(name);
    };
    let mut command = std::process::Command::new(program);
    command.args(std::env::args_os().skip(1));
    for variable in FORBIDDEN_VARIABLES {
        command.env_remove(variable);
    }
    let _ = command.exec();
    AutomationError(name)
}

#[cfg(not(unix))]
fn start_again_without(name: &'static str) -> AutomationError {
    AutomationError(name)
}
