//! What can be found out about our account at WorkOS before a person signs in. Nothing is decided
//! here.

use workos::resources::sso::ListConnectionsParams;

use super::{AccountCheck, Upstream as _, UpstreamError, WorkosSso, within};
use crate::domain::SecretText;

impl WorkosSso {
    /// Whether WorkOS accepts the API key, and for this client id.
    pub(super) async fn check_account(&self) -> AccountCheck {
        let issuer = self.issuer();
        match self.check_key().await {
            Ok(()) => {}
            Err(UpstreamError::WrongKey) => {
                return AccountCheck::Refused(format!(
                    "wrong WORKOS_API_KEY: {issuer} does not accept it. Take the key and \
                     WORKOS_CLIENT_ID from the same environment"
                ));
            }
            Err(error) => return AccountCheck::Unknown(error),
        }
        match self.check_pair().await {
            Err(UpstreamError::WrongKey) => AccountCheck::Refused(format!(
                "WORKOS_API_KEY and WORKOS_CLIENT_ID do not belong together: {issuer} accepts the \
                 key, but not for this client id. Take both from the same environment"
            )),
            _ => AccountCheck::Accepted,
        }
    }

    /// The same as [`WorkosSso::check_client`], with a sentence for the operator.
    pub(super) async fn check_registration(&self, redirect_uri: &str) -> AccountCheck {
        match self.check_client(redirect_uri).await {
            Ok(()) => AccountCheck::Accepted,
            Err(UpstreamError::WrongClient) => AccountCheck::Refused(format!(
                "{} does not send people back here: it does not know this WORKOS_CLIENT_ID, or \
                 the redirect URI is not registered for it",
                self.issuer()
            )),
            Err(error) => AccountCheck::Unknown(error),
        }
    }

    /// Whether WorkOS sends people who sign in back to us: it shows a page of its own, and we hear
    /// nothing, when it does not know the client id or the redirect URI. A request without a
    /// selector comes straight back.
    ///
    /// # Errors
    /// `WrongClient` if it does not; anything else says nothing about the client id.
    pub async fn check_client(&self, redirect_uri: &str) -> Result<(), UpstreamError> {
        let mut address = url::Url::parse(&format!("{}/sso/authorize", self.issuer()))
            .map_err(|_| UpstreamError::Nonsense)?;
        address
            .query_pairs_mut()
            .append_pair("client_id", self.client.client_id())
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("response_type", "code");
        let location = self.wire.location_of(address).await?;
        match location {
            Some(location) if location.starts_with(redirect_uri) => Ok(()),
            _ => Err(UpstreamError::WrongClient),
        }
    }

    /// Whether the key opens anything.
    ///
    /// # Errors
    /// `WrongKey` if not; anything else says nothing about the key.
    pub async fn check_key(&self) -> Result<(), UpstreamError> {
        let params = ListConnectionsParams { limit: Some(1), ..Default::default() };
        within(self.client.sso().list_connections(params)).await.map(drop)
    }

    /// Whether the key is of the client id's environment: a made-up code is then refused as a code,
    /// and not for us.
    ///
    /// # Errors
    /// `WrongKey` if it is not; anything else says nothing about the two.
    pub async fn check_pair(&self) -> Result<(), UpstreamError> {
        let made_up = SecretText::new("made-up-at-the-start");
        match self.exchange(&made_up, &made_up).await {
            Err(UpstreamError::CodeRefused) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(UpstreamError::Nonsense),
        }
    }
}
