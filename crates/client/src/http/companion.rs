//! Requests with proof of possession: signs each with the device key, carries the server's nonce
//! from answer to request, and repeats once when the answer is only that the nonce was stale (RFC
//! 9449 §8). It repeats for no other reason.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::{Request, Response};
use keyport_core::Problem;
use keyport_core::secret::AccessToken;
use tokio::sync::OnceCell;
use url::Url;

use super::discovery::{self, Endpoints, Issuer};
use super::dpop::{About, DeviceKey, Proof};
use super::error::{self, HttpError};
use super::wire::{Body, OwnConnection, Wire};
use crate::platform::{Clock, Random};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The companion, found once and spoken to from then on.
pub struct CompanionClient {
    pub(super) client_id: String,
    pub(super) issuer: Issuer,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) wire: Wire,
    pub(super) random: Arc<dyn Random>,
    endpoints: OnceCell<Endpoints>,
    nonce: Mutex<Option<HeaderValue>>,
}

impl CompanionClient {
    /// The companion at `url`, to which we are the client `client_id`. Sends nothing yet.
    #[must_use]
    pub fn at(url: &Url, client_id: &str, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            client_id: client_id.to_owned(),
            issuer: Issuer::of(url),
            clock,
            wire: Wire::to(url),
            random,
            endpoints: OnceCell::new(),
            nonce: Mutex::new(None),
        }
    }

    /// What its metadata must say.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Reads the companion's metadata, once; afterwards this sends nothing.
    ///
    /// # Errors
    /// When it cannot be read or is not that of this companion.
    pub async fn find(&self) -> Result<(), HttpError> {
        self.endpoints().await.map(drop)
    }

    pub(super) async fn endpoints(&self) -> Result<&Endpoints, HttpError> {
        self.endpoints.get_or_try_init(|| discovery::discover(&self.wire, &self.issuer)).await
    }

    /// Where they are, once they were found.
    pub(super) fn known_endpoints(&self) -> Option<&Endpoints> {
        self.endpoints.get()
    }

    /// Sends `request` with a proof, and with the access token if there is one.
    ///
    /// # Errors
    /// When there is no answer, or the companion asks for a nonce twice running. Any other answer
    /// is the caller's.
    pub(super) async fn send_proven(
        &self,
        key: &DeviceKey,
        access_token: Option<&AccessToken>,
        request: Request<Body>,
    ) -> Result<Response<Body>, Problem> {
        for _ in 0..2 {
            let mut proven = request.clone();
            let method = request.method().as_str();
            let url = Url::parse(&request.uri().to_string()).map_err(|_| Problem::Internal)?;
            let proof = self.prove(key, method, &url, access_token)?;
            proven.headers_mut().insert(DPOP, secret_header(proof.expose())?);
            if let Some(token) = access_token {
                let value = secret_header(&format!("DPoP {}", token.expose()))?;
                proven.headers_mut().insert(AUTHORIZATION, value);
                proven.extensions_mut().insert(OwnConnection);
            }
            let response = self.wire.send(proven).await?;
            self.remember_nonce(&response);
            if !error::wants_nonce(&response) {
                return Ok(response);
            }
        }
        Err(Problem::UnexpectedAnswer)
    }

    /// A proof for one request, with the companion's newest nonce if the request goes there.
    ///
    /// # Errors
    /// [`Problem::Internal`] when the key does not sign.
    pub fn prove(
        &self,
        key: &DeviceKey,
        method: &str,
        url: &Url,
        access_token: Option<&AccessToken>,
    ) -> Result<Proof, Problem> {
        let nonce = (url.origin() == self.issuer.origin()).then(|| self.nonce()).flatten();
        let mut jti = [0; 16];
        self.random.fill(&mut jti);
        let about = About {
            method,
            url,
            jti,
            now: self.clock.now(),
            nonce: nonce.as_ref().and_then(|nonce| nonce.to_str().ok()),
            access_token,
        };
        key.prove(&about).map_err(|_| Problem::Internal)
    }

    /// Asks for a nonce if a proof for `url` needs one and none is known yet. Without one the
    /// companion refuses the proof and gives one then, so that this fails is no matter.
    pub(crate) async fn learn_nonce(&self, key: &DeviceKey, token: &AccessToken, url: &Url) {
        if url.origin() == self.issuer.origin() && self.nonce().is_none() {
            let _ = self.userinfo(key, token).await;
        }
    }

    fn nonce(&self) -> Option<HeaderValue> {
        self.nonce.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember_nonce(&self, response: &Response<Body>) {
        // Copied: a clone is a part of the buffer that the whole answer was read into, and would
        // keep its tokens in memory for as long as the nonce.
        let copied = response.headers().get(NONCE).map(|nonce| nonce.as_bytes().to_vec());
        if let Some(nonce) = copied.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
            *self.nonce.lock().unwrap_or_else(PoisonError::into_inner) = Some(nonce);
        }
    }
}

impl fmt::Debug for CompanionClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompanionClient")
            .field("issuer", &self.issuer.as_str())
            .finish_non_exhaustive()
    }
}

/// Marked so that no HTTP library logs it.
fn secret_header(value: &str) -> Result<HeaderValue, Problem> {
    let mut value = HeaderValue::from_str(value).map_err(|_| Problem::Internal)?;
    value.set_sensitive(true);
    Ok(value)
}
