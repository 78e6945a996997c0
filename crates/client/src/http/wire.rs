//! One HTTP client for everything that goes to the companion: the system's trust store,
//! `HTTPS_PROXY`, limits in time and size, no redirects. Knows no endpoint and reads no body.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use keyport_core::Problem;
use keyport_uri::is_loopback_host;
use reqwest::redirect::Policy;
use url::Url;
use zeroize::Zeroizing;

use super::error;

const CONNECT: Duration = Duration::from_secs(5);
const TOTAL: Duration = Duration::from_secs(15);
/// The largest body that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// What is sent or was answered: it may hold a token, a code or a verifier, and is wiped on drop.
pub(super) type Body = Zeroizing<Vec<u8>>;

#[derive(Clone)]
pub(super) struct Wire {
    /// A client that could not be built says so when it is used: reading the keychain must not
    /// depend on it.
    client: Result<reqwest::Client, Problem>,
    /// The same, and no connection is used again.
    unpooled: Result<reqwest::Client, Problem>,
}

/// Marks a request that has a connection of its own: the buffers of one that is kept for later
/// would keep what was said on it last. For requests and answers with tokens, codes and verifiers.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnConnection;

impl Wire {
    pub(super) fn to(companion: &Url) -> Self {
        let built =
            |builder: reqwest::ClientBuilder| builder.build().map_err(|_| Problem::TlsUntrusted);
        Self {
            client: built(Self::builder(companion)),
            unpooled: built(Self::builder(companion).pool_max_idle_per_host(0)),
        }
    }

    fn builder(companion: &Url) -> reqwest::ClientBuilder {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("Keyport/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .redirect(Policy::none())
            .referer(false);
        if companion.host_str().is_some_and(is_loopback_host) {
            // What does not leave this machine is nothing for a proxy.
            builder = builder.no_proxy();
        }
        if companion.scheme() == "https" {
            builder = builder.https_only(true);
        } else {
            // Without TLS there is nothing to read the trust store for.
            builder = builder.tls_built_in_root_certs(false);
        }
        builder
    }

    /// Sends the request once and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub(super) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Problem> {
        let is_own = request.extensions().get::<OwnConnection>().is_some();
        let client = if is_own { &self.unpooled } else { &self.client };
        let client = client.as_ref().map_err(|problem| *problem)?;
        // The bytes stay where they are until they are sent, and are wiped then.
        let request = request.map(Bytes::from_owner);
        let request = reqwest::Request::try_from(request).map_err(|_| Problem::Internal)?;
        let failed = |error: reqwest::Error| error::of_connection(&error);
        let mut answer = client.execute(request).await.map_err(failed)?;
        // Large enough from the start: growing would leave a copy behind.
        let mut response = Response::new(Body::new(Vec::with_capacity(LARGEST)));
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if response.body().len() + chunk.len() > LARGEST {
                tracing::debug!("an answer over the limit was cut off");
                return Err(Problem::UnexpectedAnswer);
            }
            response.body_mut().extend_from_slice(&chunk);
        }
        Ok(response)
    }
}
