//! Waiting for readiness: a probe is asked again until it answers or the limit is over. NOT a
//! sleep: no test waits for a fixed time, the short pauses here only keep the two cores free for
//! the thing that is waited for.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// What a loaded two-core machine may need for anything that takes a second by itself.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(45);

/// What a package manager may need on a slow network and a loaded machine.
pub const INSTALL_TIMEOUT: Duration = Duration::from_secs(600);

const PAUSE: Duration = Duration::from_millis(25);

/// Asks `probe` until it answers with a value; `what` completes the sentence "waited … for" of the
/// error.
///
/// # Errors
/// The probe's own error at once, or that `limit` is over.
pub fn until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = probe()? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("waited {limit:?} for {what}");
        }
        std::thread::sleep(PAUSE);
    }
}

/// As [`until`], for probes that are asynchronous.
///
/// # Errors
/// The probe's own error at once, or that `limit` is over.
pub async fn until_async<T>(
    what: &str,
    limit: Duration,
    mut probe: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = probe().await? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("waited {limit:?} for {what}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
