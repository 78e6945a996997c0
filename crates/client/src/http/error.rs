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
    GrantInvalid,
    /// Anything else. Ends nothing.
    #[error("{}", .0.code())]
    Problem(Problem),
}

impl HttpError {
    /// The problem as a person meets it; `grant` is what an `invalid_grant` means here.
    #[must_use]
    pub fn as_problem(self, grant: Problem) -> Problem {
        match self {
            Self::GrantInvalid => grant,
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
    if is_refusal && error_response(response).error == "invalid_grant" {
        return HttpError::GrantInvalid;
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
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response<Body> {
        let json = "application/json; charset=utf-8";
        let answer = Response::builder().status(status).header("content-type", json);
        answer.body(Body::new(body.as_bytes().to_vec())).unwrap()
    }

    fn of_kind(kind: &'static str, mut answer: Response<Body>) -> Response<Body> {
        answer.headers_mut().insert("content-type", kind.parse().unwrap());
        answer
    }

    const ENDS: &str = r#"{"error":"invalid_grant","request_id":"r1"}"#;

    /// An error as the companion writes it.
    fn refused(error: &str) -> String {
        format!(r#"{{"error":"{error}","error_description":"…","request_id":"r1"}}"#)
    }

    #[test]
    fn only_the_refusal_of_a_token_endpoint_ends_anything() {
        assert_eq!(of_token_answer(&answer(400, ENDS)), HttpError::GrantInvalid);
        for (what, refused) in [
            ("401", answer(401, ENDS)),
            ("403", answer(403, ENDS)),
            ("404", answer(404, ENDS)),
            ("500", answer(500, ENDS)),
            ("302", answer(302, ENDS)),
            ("200", answer(200, ENDS)),
            ("a page", of_kind("text/html", answer(400, ENDS))),
            ("text", of_kind("text/plain", answer(400, ENDS))),
            ("no kind", of_kind("", answer(400, ENDS))),
            ("no id", answer(400, r#"{"error":"invalid_grant"}"#)),
            ("an empty id", answer(400, r#"{"error":"invalid_grant","request_id":""}"#)),
            ("an id that is no text", answer(400, r#"{"error":"invalid_grant","request_id":7}"#)),
            ("a list", answer(400, r#"["invalid_grant","r1"]"#)),
            ("a string", answer(400, r#""invalid_grant""#)),
            ("more", answer(400, &refused("invalid_grant "))),
            ("two", answer(400, r#"{"error":"x","error":"invalid_grant","request_id":"r1"}"#)),
            ("a tail", answer(400, &format!("{ENDS}<html>"))),
        ] {
            assert!(matches!(of_token_answer(&refused), HttpError::Problem(_)), "{what}");
        }
        assert_eq!(of_answer(&answer(400, ENDS)), Problem::ServiceRefused, "elsewhere");
    }

    #[test]
    fn a_page_is_no_revocation() {
        assert!(is_revoked(&of_kind("text/plain", answer(200, ""))));
        assert!(is_revoked(&answer(200, "{}")) && is_revoked(&answer(200, " {\n}")));
        for (what, refused) in [
            ("a page", of_kind("text/html", answer(200, "<html>"))),
            ("text", of_kind("text/plain", answer(200, "ok"))),
            ("an error", answer(200, r#"{"error":"forbidden"}"#)),
            ("our error", answer(200, ENDS)),
            ("success", answer(200, r#"{"ok":true}"#)),
            ("a list", answer(200, "[]")),
            ("null", answer(200, "null")),
            ("a tail", answer(200, "{}<html>")),
            ("an object in a page", of_kind("text/html", answer(200, "{}"))),
            ("201", answer(201, "")),
            ("204", answer(204, "")),
            ("302", answer(302, "")),
            ("503", answer(503, "")),
        ] {
            assert!(!is_revoked(&refused), "{what}");
        }
    }

    #[test]
    fn what_is_refused_has_a_problem_and_ends_nothing() {
        for (status, body, problem) in [
            (400, &*refused("invalid_request"), Problem::ServiceRefused),
            (401, &*refused("invalid_client"), Problem::ServiceRefused),
            (400, &*refused("invalid_dpop_proof"), Problem::ServiceRefused),
            (400, &*refused("access_denied"), Problem::AccessDenied),
            (407, "", Problem::ProxyRefused),
            (429, "slow down", Problem::TooManyRequests),
            (500, ENDS, Problem::ServiceUnavailable),
            (503, &*refused("temporarily_unavailable"), Problem::ServiceUnavailable),
            (302, "", Problem::UnexpectedAnswer),
            (404, "<html>", Problem::UnexpectedAnswer),
        ] {
            assert_eq!(of_answer(&answer(status, body)), problem, "{status} {body}");
        }
    }

    #[test]
    fn what_something_in_between_answers_is_no_word_of_the_companion() {
        for status in [400, 401, 403, 404, 451] {
            for body in [
                r#"{"error":"forbidden","message":"Sign in to the network"}"#,
                r#"{"error":"access_denied","keyport_problem":"domain_unknown"}"#,
                r#"{"error":"access_denied","request_id":""}"#,
                r#"{"error":"access_denied","request_id":null}"#,
                r#"{"error":{"code":403},"request_id":"r1"}"#,
                r#"["access_denied","r1","domain_unknown"]"#,
                "{}",
            ] {
                let problem = of_answer(&answer(status, body));
                assert_eq!(problem, Problem::UnexpectedAnswer, "{status} {body}");
            }
            let page = of_kind("text/html", answer(status, &refused("access_denied")));
            assert_eq!(of_answer(&page), Problem::UnexpectedAnswer, "{status}");
        }
    }

    #[test]
    fn takes_the_named_problem_if_this_version_knows_it() {
        let named = |code: &str| {
            of_answer(&answer(
                400,
                &refused(&format!(r#"access_denied","keyport_problem":"{code}"#)),
            ))
        };
        assert_eq!(named("domain_unknown"), Problem::DomainUnknown);
        assert_eq!(named("of_another_version"), Problem::AccessDenied);
    }
}
