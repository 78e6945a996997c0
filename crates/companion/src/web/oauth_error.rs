//! An OAuth error answer as data (RFC 6749 §5.2, RFC 9449 §7): a code from the standards, a fixed
//! sentence for the developer, never anything the request or the provider said. `present` adds the
//! request id.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use keyport_problems::Problem;

use crate::storage::StorageError;

/// One refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthError {
    /// HTTP status.
    pub status: StatusCode,
    /// `error`.
    pub error: &'static str,
    /// `error_description`.
    pub description: &'static str,
    /// `keyport_problem`: what to show the person.
    pub problem: Option<Problem>,
    /// Whether `WWW-Authenticate: DPoP` belongs to it.
    pub challenge: bool,
    /// `Retry-After`, seconds.
    pub retry_after: Option<u64>,
}

impl OAuthError {
    /// A 400.
    pub const fn new(error: &'static str, description: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description,
            problem: None,
            challenge: false,
            retry_after: None,
        }
    }

    /// `invalid_request`.
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    /// `invalid_grant`, the one terminal answer of the token endpoint. The reason is in the log
    /// only.
    pub const fn invalid_grant() -> Self {
        Self::new(
            "invalid_grant",
            "the code or refresh token is not valid for this client and device key",
        )
    }

    /// `invalid_client`.
    pub const fn invalid_client() -> Self {
        Self::new("invalid_client", "no such client")
    }

    /// Try again later: nothing was decided.
    pub const fn unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after: Some(2),
            problem: Some(Problem::ServiceUnavailable),
            ..Self::new("temporarily_unavailable", "the service cannot do this now")
        }
    }

    /// The same answer, for the person too.
    pub const fn with_problem(self, problem: Problem) -> Self {
        Self { problem: Some(problem), ..self }
    }

    /// As a protected resource says it: 401 with a challenge.
    pub const fn at_resource(self) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, challenge: true, ..self }
    }

    /// The value of `WWW-Authenticate`.
    pub fn challenge(&self) -> String {
        if self.error == "invalid_request" {
            return "DPoP algs=\"ES256\"".into();
        }
        format!(
            "DPoP error=\"{}\", error_description=\"{}\", algs=\"ES256\"",
            self.error, self.description
        )
    }
}

impl From<StorageError> for OAuthError {
    fn from(cause: StorageError) -> Self {
        tracing::error!(%cause, "storage failed");
        Self::unavailable()
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
