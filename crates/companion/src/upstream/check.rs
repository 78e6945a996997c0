//! What can be found out about our account at the provider before anybody signs in. Nothing is
//! decided here.

use workos::resources::sso::ListConnectionsParams;

use super::{Upstream, UpstreamError, within};
use crate::domain::SecretText;

impl Upstream {
    /// Whether the provider sends people who sign in back to us: it shows a page of its own, and we
    /// hear nothing, when it does not know the client id or the redirect URI. A request without a
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
        match self.exchange_code(&made_up, &made_up).await {
            Err(UpstreamError::CodeRefused) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(UpstreamError::Nonsense),
        }
    }
}
