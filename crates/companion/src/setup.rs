//! Whether API key, client id and redirect URI fit the provider. Checked at the start and again
//! while the service runs. Only an answer of the provider itself proves them wrong; silence, and a
//! proxy's refusal, prove nothing. New sign-ins are refused while they are proved wrong; sessions
//! that exist go on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::App;
use crate::upstream::UpstreamError;

/// Pause after a check that proved nothing; doubles up to [`CHECK_WRONG`].
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// Pause while the set-up is wrong: it may be mended at the provider.
const CHECK_WRONG: Duration = Duration::from_secs(30);
/// Pause while it is right: a key can be revoked.
const CHECK_RIGHT: Duration = Duration::from_secs(600);

/// What is known of the set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// The provider has not answered yet.
    Unknown,
    /// The provider accepts the key, for this client id.
    Right,
    /// The provider does not accept the key.
    WrongKey,
    /// The provider accepts the key, but not for this client id.
    WrongPair,
}

impl Setup {
    /// Whether the provider has refused it.
    #[must_use]
    pub const fn is_wrong(self) -> bool {
        matches!(self, Self::WrongKey | Self::WrongPair)
    }

    /// What the operator is told; `None` unless it is wrong.
    #[must_use]
    pub fn sentence(self, issuer: &str) -> Option<String> {
        match self {
            Self::Unknown | Self::Right => None,
            Self::WrongKey => Some(format!(
                "wrong WORKOS_API_KEY: {issuer} does not accept it. Take the key and \
                 WORKOS_CLIENT_ID from the same environment"
            )),
            Self::WrongPair => Some(format!(
                "WORKOS_API_KEY and WORKOS_CLIENT_ID do not belong together: {issuer} accepts the \
                 key, but not for this client id. Take both from the same environment"
            )),
        }
    }
}

/// What is known now, for handlers and for those who wait for it.
#[derive(Debug)]
pub struct SetupStatus(watch::Sender<Setup>);

impl Default for SetupStatus {
    fn default() -> Self {
        Self(watch::Sender::new(Setup::Unknown))
    }
}

impl SetupStatus {
    /// What is known.
    pub fn now(&self) -> Setup {
        *self.0.borrow()
    }

    /// Publishes the result of a check. One that proved nothing changes nothing.
    pub fn publish(&self, setup: Setup) {
        if setup != Setup::Unknown {
            self.0.send_replace(setup);
        }
    }

    /// Waits until something is known.
    pub async fn known(&self) -> Setup {
        let mut known = self.0.subscribe();
        match known.wait_for(|setup| *setup != Setup::Unknown).await {
            Ok(setup) => *setup,
            Err(_) => Setup::Unknown,
        }
    }
}

/// Checks now and again for as long as the service runs; the status of `app` holds the result.
pub async fn keep_checking(app: Arc<App>) {
    let mut retry = FIRST_RETRY;
    let mut client_checked = false;
    loop {
        let setup = check(&app).await;
        report(&app, setup);
        app.setup.publish(setup);
        if setup == Setup::Right && !client_checked {
            client_checked = check_client(&app).await;
        }
        let pause = match setup {
            Setup::Unknown => {
                retry = (retry * 2).min(CHECK_WRONG);
                retry / 2
            }
            Setup::Right => CHECK_RIGHT,
            Setup::WrongKey | Setup::WrongPair => CHECK_WRONG,
        };
        tokio::time::sleep(pause).await;
    }
}

async fn check(app: &App) -> Setup {
    match app.upstream.check_key().await {
        Ok(()) => {}
        Err(UpstreamError::WrongKey) => return Setup::WrongKey,
        Err(error) => {
            let upstream = app.upstream.issuer();
            tracing::warn!(%error, upstream, "the API key could not be checked");
            return Setup::Unknown;
        }
    }
    match app.upstream.check_pair().await {
        Err(UpstreamError::WrongKey) => Setup::WrongPair,
        _ => Setup::Right,
    }
}

/// The provider would show people a page of its own and we would never hear of it. Said and no
/// more: how it looks there is not documented, and a service that is up can be registered while it
/// runs. Whether the provider has answered.
async fn check_client(app: &App) -> bool {
    let redirect_uri = app.issuer.address("/callback");
    match app.upstream.check_client(&redirect_uri).await {
        Ok(()) => true,
        Err(UpstreamError::WrongClient) => {
            tracing::error!(
                redirect_uri,
                "{} does not send people back here: it does not know this WORKOS_CLIENT_ID, or \
                 the redirect URI is not registered for it",
                app.upstream.issuer()
            );
            true
        }
        Err(_) => false,
    }
}

fn report(app: &App, setup: Setup) {
    let before = app.setup.now();
    if setup == Setup::Unknown || setup == before {
        return;
    }
    match setup.sentence(app.upstream.issuer()) {
        Some(sentence) => {
            tracing::error!(problem = "setup_wrong", "{sentence}: new sign-ins are refused");
        }
        None if before.is_wrong() => tracing::info!("the provider accepts the key again"),
        None => tracing::debug!("the provider accepts the key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_proved_nothing_changes_nothing() {
        let status = SetupStatus::default();
        for (published, known) in [
            (Setup::Unknown, Setup::Unknown),
            (Setup::WrongKey, Setup::WrongKey),
            (Setup::Unknown, Setup::WrongKey),
            (Setup::Right, Setup::Right),
            (Setup::Unknown, Setup::Right),
        ] {
            status.publish(published);
            assert_eq!(status.now(), known);
        }
    }
}
