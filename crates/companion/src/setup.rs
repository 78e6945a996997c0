//! Whether our account at the provider is set up: its credentials and our redirect URI. Checked at
//! the start and again while the service runs. Only an answer of the provider itself proves them
//! wrong; silence, and a proxy's refusal, prove nothing. New sign-ins are refused while they are
//! proved wrong; sessions that exist go on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::upstream::{AccountCheck, Upstream};

/// Pause after a check that proved nothing; doubles up to [`CHECK_WRONG`].
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// Pause while the set-up is wrong: it may be mended at the provider.
const CHECK_WRONG: Duration = Duration::from_secs(30);
/// Pause while it is right: a key can be revoked.
const CHECK_RIGHT: Duration = Duration::from_secs(600);

/// What is known of the set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setup {
    /// The provider has not answered yet.
    Unknown,
    /// The provider accepts our credentials.
    Right,
    /// The provider refuses them; a sentence tells the operator what to change.
    Wrong(Arc<str>),
}

impl Setup {
    /// Whether the provider has refused it.
    #[must_use]
    pub const fn is_wrong(&self) -> bool {
        matches!(self, Self::Wrong(_))
    }

    /// What the operator is told; `None` unless it is wrong.
    #[must_use]
    pub fn sentence(&self) -> Option<&str> {
        match self {
            Self::Unknown | Self::Right => None,
            Self::Wrong(sentence) => Some(sentence),
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
        self.0.borrow().clone()
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
            Ok(setup) => setup.clone(),
            Err(_) => Setup::Unknown,
        }
    }
}

/// Checks now and again for as long as the service runs; `status` holds the result.
pub async fn keep_checking(
    upstream: Arc<dyn Upstream>,
    redirect_uri: String,
    status: Arc<SetupStatus>,
) {
    let mut retry = FIRST_RETRY;
    let mut client_checked = false;
    loop {
        let setup = check(&*upstream).await;
        report(&status.now(), &setup);
        status.publish(setup.clone());
        if setup == Setup::Right && !client_checked {
            client_checked = check_redirect_uri(&*upstream, &redirect_uri).await;
        }
        let pause = match setup {
            Setup::Unknown => {
                retry = (retry * 2).min(CHECK_WRONG);
                retry / 2
            }
            Setup::Right => CHECK_RIGHT,
            Setup::Wrong(_) => CHECK_WRONG,
        };
        tokio::time::sleep(pause).await;
    }
}

async fn check(upstream: &dyn Upstream) -> Setup {
    match upstream.check_credentials().await {
        AccountCheck::Accepted => Setup::Right,
        AccountCheck::Refused(sentence) => Setup::Wrong(sentence.into()),
        AccountCheck::Unknown(error) => {
            let upstream = upstream.issuer();
            tracing::warn!(%error, upstream, "the credentials could not be checked");
            Setup::Unknown
        }
    }
}

/// The provider would show people a page of its own and we would never hear of it. Said and no
/// more: how it looks there is not documented, and a service that is up can be registered while it
/// runs. Whether the provider has answered.
async fn check_redirect_uri(upstream: &dyn Upstream, redirect_uri: &str) -> bool {
    match upstream.check_redirect_uri(redirect_uri).await {
        AccountCheck::Accepted => true,
        AccountCheck::Refused(sentence) => {
            tracing::error!(redirect_uri, "{sentence}");
            true
        }
        AccountCheck::Unknown(_) => false,
    }
}

fn report(before: &Setup, setup: &Setup) {
    if *setup == Setup::Unknown || setup == before {
        return;
    }
    match setup.sentence() {
        Some(sentence) => {
            tracing::error!(problem = "setup_wrong", "{sentence}: new sign-ins are refused");
        }
        None if before.is_wrong() => tracing::info!("the provider accepts the credentials again"),
        None => tracing::debug!("the provider accepts the credentials"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_proved_nothing_changes_nothing() {
        let status = SetupStatus::default();
        let wrong = Setup::Wrong("wrong key".into());
        for (published, known) in [
            (Setup::Unknown, Setup::Unknown),
            (wrong.clone(), wrong.clone()),
            (Setup::Unknown, wrong),
            (Setup::Right, Setup::Right),
            (Setup::Unknown, Setup::Right),
        ] {
            status.publish(published);
            assert_eq!(status.now(), known);
        }
    }
}
