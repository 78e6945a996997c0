//! What every call passes: it is counted, gets a request id, and goes wrong if a fault was ordered
//! for its route.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use serde_json::{Map, Value};

use super::answers::ApiError;
use crate::emulator::{self, Emulator};
use crate::faults::Fault;
use crate::wire::Wire;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;

pub async fn intercept(
    State(emulator): State<Emulator>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
    next: Next,
) -> Result<Response<Body>, ApiError> {
    let path =
        request.extensions().get::<MatchedPath>().map_or("(unknown path)", MatchedPath::as_str);
    let route = format!("{} {path}", request.method());
    // The future is made under the lock, so a release cannot fall between the count and the wait.
    let (fault, released) =
        emulator.with(|state| (state.faults.arrive(&route), emulator.release().notified()));
    let request_id = emulator::draw_request_id()?;
    let mut answer = match fault.clone() {
        None => next.run(request).await,
        Some(Fault::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            next.run(request).await
        }
        Some(Fault::Hold) => {
            released.await;
            next.run(request).await
        }
        Some(Fault::Status { status, retry_after_seconds, body }) => {
            failing(status, retry_after_seconds, body)
        }
        Some(Fault::Garbage { size_bytes }) => garbage(size_bytes),
        Some(Fault::SwapProfile(members)) => swapped(next.run(request).await, members).await?,
        Some(Fault::Reset) => {
            wire.cut();
            StatusCode::NO_CONTENT.into_response()
        }
        Some(Fault::LoseAnswer) => {
            let _lost = next.run(request).await;
            wire.cut();
            StatusCode::NO_CONTENT.into_response()
        }
    };
    let status = answer.status().as_u16();
    match fault {
        None => tracing::info!(%route, status, %request_id, "answered"),
        Some(fault) => tracing::info!(%route, %request_id, ?fault, "went wrong as ordered"),
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        answer.headers_mut().insert(X_REQUEST_ID, id);
    }
    Ok(answer)
}

fn failing(status: u16, retry_after_seconds: Option<u32>, body: Option<Value>) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = match body {
        Some(body) => (status, Json(body)).into_response(),
        None => ApiError::new(status, "This failure was ordered.").into_response(),
    };
    if let Some(seconds) = retry_after_seconds {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

fn garbage(size_bytes: usize) -> Response<Body> {
    let body: Vec<u8> = b"<<not JSON>> ".iter().copied().cycle().take(size_bytes).collect();
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// The profile is the member `profile` of the answer (`/sso/token`) or the answer itself
/// (`/sso/profile`).
async fn swapped(
    answer: Response<Body>,
    members: Map<String, Value>,
) -> Result<Response<Body>, ApiError> {
    let (mut parts, body) = answer.into_parts();
    let body = to_bytes(body, ANSWER_LIMIT_BYTES).await.map_err(anyhow::Error::from)?;
    let Ok(mut json) = serde_json::from_slice::<Value>(&body) else {
        return Ok(Response::from_parts(parts, Body::from(body)));
    };
    let profile = if json.get("profile").is_some() { &mut json["profile"] } else { &mut json };
    if let Some(profile) = profile.as_object_mut() {
        profile.extend(members);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(json.to_string())))
}
