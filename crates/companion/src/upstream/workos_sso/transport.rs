//! The wire under the WorkOS crate: time limits, a size limit, no redirects, the system's proxy
//! settings.

use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use reqwest::header::{DATE, HeaderMap};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use workos::transport::{HttpRequest, HttpResponse, HttpTransport, TransportError};

use super::{UpstreamError, profile, user};
use crate::domain::Timestamp;

/// Takes out of a body what is never read.
type Readable = fn(&[u8]) -> Option<Vec<u8>>;

/// Largest answer that is read, in bytes.
const LARGEST: usize = 1024 * 1024;

/// reqwest with limits.
pub(super) struct Bounded {
    client: reqwest::Client,
    /// `Date` of the latest answer, in seconds since 1970; 0 for none.
    latest: AtomicI64,
}

impl Bounded {
    pub(super) fn new() -> Result<Self, UpstreamError> {
        reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map(|client| Self { client, latest: AtomicI64::new(0) })
            .map_err(|_| UpstreamError::Nonsense)
    }

    /// What time the provider said it was, when it answered last.
    pub(super) fn latest_time(&self) -> Option<Timestamp> {
        let latest = self.latest.load(Ordering::Relaxed);
        (latest != 0).then(|| Timestamp::from_seconds(latest))
    }

    fn note_time(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok());
        if let Some(date) = date {
            self.latest.store(date.unix_timestamp(), Ordering::Relaxed);
        }
    }

    /// Where a GET is redirected to, if it is.
    pub(super) async fn location_of(
        &self,
        address: url::Url,
    ) -> Result<Option<String>, UpstreamError> {
        let answer =
            self.client.get(address).send().await.map_err(|_| UpstreamError::Unreachable)?;
        let status = answer.status();
        if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Err(UpstreamError::Failed(status.as_u16()));
        }
        let location = answer.headers().get(reqwest::header::LOCATION);
        Ok(location.and_then(|location| location.to_str().ok()).map(str::to_owned))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let readable: Option<Readable> = match &request.url {
            url if url.ends_with("/sso/token") => Some(profile::readable),
            url if url.ends_with("/user_management/authenticate") => Some(user::readable),
            _ => None,
        };
        let mut builder =
            self.client.request(request.method, &request.url).headers(request.headers);
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let mut response = builder.send().await.map_err(kind)?;
        let (status, headers) = (response.status(), response.headers().clone());
        self.note_time(&headers);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(kind)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST {
                return Err(TransportError::other("the answer is too large"));
            }
        }
        // What is never read goes no further, and is no reason to refuse the rest.
        let body = readable.and_then(|readable| readable(&body)).unwrap_or(body);
        Ok(HttpResponse { status, headers, body: Bytes::from(body) })
    }
}

/// The address may carry an email domain: only the kind goes on.
fn kind(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() {
        TransportError::connect(error)
    } else if error.is_timeout() {
        TransportError::timeout(error)
    } else {
        TransportError::other(error)
    }
}

impl HttpTransport for Bounded {
    fn execute<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(self.send(request))
    }
}
