//! Reads the whole body before a handler runs, within a size and a time. A body that comes too
//! slowly is the caller's fault (408, RFC 9110 §15.5.9), not the service's (503), and the
//! connection ends with it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::connections::Slot;

/// Largest body that is read, in bytes: a pushed request with every hint is half of it. Each
/// connection may hold one that it never finishes, so this bounds memory.
const LARGEST: usize = 8 * 1024;
/// Longest that a body may take.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(20);

/// Largest event of the provider, in bytes; what an identity provider says raw is in it.
const LARGEST_EVENT: usize = 64 * 1024;

/// See the module.
pub(crate) async fn read_body(
    State(time_limit): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    read(request, next, time_limit, LARGEST).await
}

/// The same for an event of the provider.
pub(crate) async fn read_event(
    State(time_limit): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    read(request, next, time_limit, LARGEST_EVENT).await
}

async fn read(request: Request, next: Next, time_limit: Duration, largest: usize) -> Response {
    let (head, body) = request.into_parts();
    let slot = head.extensions.get::<Slot>().cloned();
    let body = match tokio::time::timeout(time_limit, to_bytes(body, largest)).await {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => {
            let too_large = is_too_large(&error);
            let refused =
                if too_large { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            return last_answer(refused);
        }
        Err(_) => return last_answer(StatusCode::REQUEST_TIMEOUT),
    };
    if let Some(slot) = slot {
        slot.works();
    }
    next.run(Request::from_parts(head, Body::from(body))).await
}

fn is_too_large(error: &axum::Error) -> bool {
    let cause = std::error::Error::source(error);
    cause.is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>())
}

/// The rest of the body is not read, so no further request can be told from it.
fn last_answer(status: StatusCode) -> Response {
    let close = HeaderValue::from_static("close");
    (status, [(header::CONNECTION, close)]).into_response()
}
