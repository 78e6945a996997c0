//! `POST /webhooks/workos`: an event of the provider. The signature is checked over the raw body
//! before anything of it is read. 200 means that what the event says is done and committed, now or
//! before; 503 that the provider shall send it again.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::{signature, take};
use crate::app::App;
use crate::upstream::workos_events;
use crate::web::{AppState, OAuthError};

const SIGNATURE: &str = "workos-signature";

/// See the module.
pub async fn workos(State(app): AppState, headers: HeaderMap, body: Bytes) -> Response {
    if app.webhook_secrets.now().is_empty() {
        return StatusCode::NOT_FOUND.into_response();
    }
    match receive(&app, &headers, &body).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(fault) => fault.into_response(),
    }
}

async fn receive(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<(), OAuthError> {
    let mut lines = headers.get_all(SIGNATURE).into_iter();
    let header = match (lines.next().map(|line| line.to_str()), lines.next()) {
        (Some(Ok(header)), None) => header,
        _ => "",
    };
    signature::check(header, body, &app.webhook_secrets.now(), app.now()).map_err(|reason| {
        tracing::warn!(%reason, "a webhook is not the provider's");
        OAuthError::invalid_request("the signature is not the provider's, or not of this time")
    })?;
    let event = workos_events::read(body).ok_or_else(|| {
        tracing::error!("a signed webhook holds no event");
        OAuthError::invalid_request("the body is no event")
    })?;
    Ok(take(app, event).await?)
}
