//! Asking before something that concerns several people. On a terminal the person answers; in a
//! pipe `--yes` has to be given before.

use std::io::{IsTerminal as _, Write as _};

use crate::admin::AdminError;

/// Returns when the operator agrees.
///
/// # Errors
/// `Refused`: nothing was changed.
pub async fn confirm(question: &str, yes: bool) -> Result<(), AdminError> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(AdminError::refused(
            "nothing was changed: give --yes to go on without being asked",
        ));
    }
    say(&format!("{question} [y/N] "));
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let answer = answer.await.ok().and_then(Result::ok).unwrap_or_default();
    if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") {
        Ok(())
    } else {
        Err(AdminError::refused("nothing was changed"))
    }
}

/// Words on standard error; a closed one is no reason to fail.
pub fn say(text: &str) {
    let mut errors = std::io::stderr().lock();
    let _ = errors.write_all(text.as_bytes());
    let _ = errors.flush();
}
