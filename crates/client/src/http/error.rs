//! What can go wrong between client and companion, without a body, a URL or a secret. Sorts a
//! failed answer (RFC 6749 §5.2 and our `keyport_problem`) and a failed connection into the closed
//! list of problems.

use std::error::Error as StdError;
use std::io;

use http::{Response, StatusCode};
use keyport_core::Problem;
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use super::wire::Body;

/// Why a request to the companion did not do what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HttpError {
    /// `invalid_grant`, RFC 6749 §5.2: the one answer that ends something.
    #[error("invalid_grant")]
    GrantInvalid {
        /// Why, where the companion says it: a problem that ends a session.
        why: Option<Problem>,
    },
    /// Anything else. Ends nothing.
    #[error("{}", .0.code())]
    Problem(Problem),
}

impl HttpError {
    /// The problem as a person meets it; `grant` is what an `invalid_grant` means here that says no
    /// more.
    #[must_use]
    pub fn as_problem(self, grant: Problem) -> Problem {
        match self {
            Self::GrantInvalid { why } => why.unwrap_or(grant),
            Self::Problem(problem) => problem,
        }
    }
}

impl From<Problem> for HttpError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// The parts of an error answer of the companion that are read. The description is not.
#[derive(Default, Deserialize)]
struct ErrorResponse {
    #[serde(default)]
    error: String,
    /// In each error of the companion (`docs/protocol.md` "Endpoints"), and in no answer of a
    /// captive portal or gateway, which may have an `error` too.
    request_id: Option<String>,
    keyport_problem: Option<String>,
}

/// Whether the companion itself says that there is no such thing.
pub(super) fn is_not_found(response: &Response<Body>) -> bool {
    response.status() == StatusCode::NOT_FOUND && !error_response(response).error.is_empty()
}

/// What the companion refused; empty for an answer that is not the companion's.
fn error_response(response: &Response<Body>) -> ErrorResponse {
    let error_response = object(response).unwrap_or_default();
    let is_ours = error_response.request_id.as_ref().is_some_and(|id| !id.is_empty());
    if is_ours { error_response } else { ErrorResponse::default() }
}

fn object(response: &Response<Body>) -> Option<ErrorResponse> {
    // A list would be read as the fields in their order.
    let is_object = is_json(response) && response.body().trim_ascii_start().starts_with(b"{");
    is_object.then(|| serde_json::from_slice(response.body()).ok()).flatten()
}

/// Whether the answer calls itself JSON (RFC 6749 §5.1 and §5.2); a page of a network that stands
/// between does not.
fn is_json(response: &Response<Body>) -> bool {
    let value = response.headers().get(http::header::CONTENT_TYPE);
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text.split_once(';').map_or(text, |(kind, _)| kind);
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// Whether a revocation was answered as by a companion: 200 (RFC 7009 §2.2), and nothing or an
/// empty object with it. What a captive portal answers, a page or JSON, is no such answer.
pub(super) fn is_revoked(response: &Response<Body>) -> bool {
    let body = response.body();
    let is_empty_object = || {
        let members: Option<Map<String, Value>> = serde_json::from_slice(body).ok();
        is_json(response) && members.is_some_and(|members| members.is_empty())
    };
    response.status() == StatusCode::OK && (body.is_empty() || is_empty_object())
}

/// What an answer of the token endpoint means that gives no token. The only answer that ends
/// anything is the companion's own with status 400 and this `error` (RFC 6749 §5.2).
pub(super) fn of_token_answer(response: &Response<Body>) -> HttpError {
    let is_refusal = response.status() == StatusCode::BAD_REQUEST;
    let refused = error_response(response);
    if is_refusal && refused.error == "invalid_grant" {
        // A word of another version says no more than the error itself.
        let why = refused.keyport_problem.as_deref().and_then(Problem::from_code);
        return HttpError::GrantInvalid { why: why.filter(|why| why.ends_session()) };
    }
    HttpError::Problem(of_answer(response))
}

/// Whether the answer only asks for a fresh nonce (RFC 9449 §8, §9).
pub(super) fn wants_nonce(response: &Response<Body>) -> bool {
    match response.status() {
        StatusCode::BAD_REQUEST => {
            object(response).is_some_and(|error_response| error_response.error == "use_dpop_nonce")
        }
        StatusCode::UNAUTHORIZED => response
            .headers()
            .get_all(http::header::WWW_AUTHENTICATE)
            .iter()
            .any(|value| value.to_str().is_ok_and(|value| value.contains("\"use_dpop_nonce\""))),
        _ => false,
    }
}

/// What an answer that is not the expected one means. Ends nothing, whatever it says. Of an answer
/// that is not the companion's own the status alone counts.
pub(super) fn of_answer(response: &Response<Body>) -> Problem {
    let error_response = error_response(response);
    let named = error_response.keyport_problem.as_deref().and_then(Problem::from_code);
    let status = response.status();
    let problem = match (status.as_u16(), error_response.error.as_str(), named) {
        (400..500, _, Some(problem)) => problem,
        (407, ..) => Problem::ProxyRefused,
        (429, ..) => Problem::TooManyRequests,
        (500.., ..) => Problem::ServiceUnavailable,
        (400..500, "temporarily_unavailable" | "server_error", _) => Problem::ServiceUnavailable,
        (400..500, "access_denied", _) => Problem::AccessDenied,
        (400..500, error, _) if !error.is_empty() => Problem::ServiceRefused,
        _ => Problem::UnexpectedAnswer,
    };
    tracing::debug!(status = status.as_u16(), problem = problem.code(), "the companion refused");
    problem
}

/// What a request that got no answer means.
pub(super) fn of_connection(error: &reqwest::Error) -> Problem {
    let problem = if causes(error).any(is_untrusted) {
        Problem::TlsUntrusted
    } else if causes(error).any(is_proxy_refusal) {
        Problem::ProxyRefused
    } else if error.is_builder() {
        Problem::Internal
    } else {
        Problem::Offline
    };
    // Not the error itself: it may hold the URL.
    tracing::debug!(problem = problem.code(), timeout = error.is_timeout(), "no answer");
    problem
}

fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let first: &'a (dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error.downcast_ref::<io::Error>() {
            // An I/O error names the cause of its cause and leaves out the cause.
            Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

fn is_untrusted(cause: &(dyn StdError + 'static)) -> bool {
    matches!(
        cause.downcast_ref::<rustls::Error>(),
        Some(
            rustls::Error::InvalidCertificate(_)
                | rustls::Error::NoCertificatesPresented
                | rustls::Error::UnsupportedNameType
        )
    )
}

/// A proxy that wants to know who asks, or opens no way to the companion. The library keeps the
/// type of it to itself; a test behind a real proxy notices when it says it differently.
fn is_proxy_refusal(cause: &(dyn StdError + 'static)) -> bool {
    let said = cause.to_string();
    said == "tunnel error: proxy authorization required" || said == "tunnel error: unsuccessful"
}

#[cfg(test)]
mod tests;
