//! Settings that change while the service runs: on SIGHUP they are read again, judged as at the
//! start, and what may change is taken over. Faults change nothing. Requests in flight end with the
//! settings that they began with; no session is touched here: the rules are judged at its next
//! refresh.

use std::convert::Infallible;
use std::sync::Arc;

use keyport_shutdown::Hangups;

use crate::app::App;
use crate::config::{EnvironmentError, Settings};

/// Reads the settings again at each signal.
pub async fn on_hangup(
    mut hangups: Hangups,
    judge: impl Fn() -> Result<Settings, EnvironmentError> + Send + 'static,
    app: Arc<App>,
) -> Infallible {
    loop {
        hangups.next().await;
        // The files are small, and there are seldom more than three.
        match tokio::task::block_in_place(&judge) {
            Ok(settings) => take_over(settings, &app),
            Err(faults) => {
                tracing::error!(%faults, "the settings were read again and are not taken over");
            }
        }
    }
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
    app.resource_servers.replace(settings.resource_servers);
    app.webhook_secrets.replace(settings.webhook_secrets);
    tracing::info!(clients, "the settings were read again");
}
