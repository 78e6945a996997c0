//! Settings that change while the service runs: on SIGHUP they are read again, judged as at the
//! start, and what may change is taken over. Faults change nothing. Requests in flight end with the
//! settings that they began with; no session is touched here: the rules are judged at its next
//! refresh.

use std::convert::Infallible;
use std::sync::Arc;

use crate::app::App;
use crate::config::{EnvironmentError, Settings};

/// The signals that ask for it. Where there are none, nothing ever asks.
#[cfg(unix)]
pub type Hangups = tokio::signal::unix::Signal;
/// The signals that ask for it. Where there are none, nothing ever asks.
#[cfg(not(unix))]
pub type Hangups = ();

/// Takes SIGHUP over, which would end the process.
///
/// # Errors
/// The system refuses the handler.
#[cfg(unix)]
pub fn hangups() -> std::io::Result<Hangups> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
}

/// This system has no such signal.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn hangups() -> std::io::Result<Hangups> {
    Ok(())
}

/// Reads the settings again at each signal.
pub async fn on_hangup(
    mut hangups: Hangups,
    judge: impl Fn() -> Result<Settings, EnvironmentError> + Send + 'static,
    app: Arc<App>,
) -> Infallible {
    loop {
        next(&mut hangups).await;
        // The files are small, and there are seldom more than three.
        match tokio::task::block_in_place(&judge) {
            Ok(settings) => take_over(settings, &app),
            Err(faults) => {
                tracing::error!(%faults, "the settings were read again and are not taken over");
            }
        }
    }
}

#[cfg(unix)]
async fn next(hangups: &mut Hangups) {
    if hangups.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

#[cfg(not(unix))]
async fn next(_: &mut Hangups) {
    std::future::pending().await
}

fn take_over(settings: Settings, app: &App) {
    for line in settings.policy.summary() {
        if line.is_warning {
            tracing::warn!("{}", line.text);
        } else {
            tracing::info!("{}", line.text);
        }
    }
    let clients = settings.clients.len();
    app.reload(settings.policy, settings.clients);
    tracing::info!(clients, "the settings were read again");
}
