//! `/webhook_endpoints`: list with secrets, create, delete. API key required.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use serde_json::Value;

use super::answers::ApiError;
use super::body::json_object;
use super::key::ApiKey;
use crate::emulator::{self, Emulator};
use crate::listing::Paging;
use crate::parameters::Parameters;
use crate::webhooks::WebhookEndpoint;

pub async fn list(
    _: ApiKey,
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let paging = Paging::read(&parameters).map_err(ApiError::unprocessable)?;
    emulator.with(|state| {
        let page = paging.page(state.webhooks.endpoints.iter(), |it| &it.id, |_| true);
        Ok(Json(page.map_err(ApiError::unprocessable)?.json(WebhookEndpoint::json)))
    })
}

pub async fn create(
    _: ApiKey,
    State(emulator): State<Emulator>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let body = json_object(&body)?;
    let url = body.get("endpoint_url").and_then(Value::as_str);
    let url = url.filter(|url| url::Url::parse(url).is_ok());
    let url = url.ok_or_else(|| ApiError::unprocessable("`endpoint_url` has to be a URL."))?;
    let events = body.get("events").and_then(Value::as_array).into_iter().flatten();
    let events = events.filter_map(Value::as_str).map(str::to_owned).collect();
    let secret = emulator::draw_secret()?;
    let endpoint =
        WebhookEndpoint { id: String::new(), endpoint_url: url.to_owned(), secret, events };
    let shape = emulator.with(|state| state.webhooks.add(endpoint).json());
    Ok((StatusCode::CREATED, Json(shape)))
}

pub async fn delete(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let deleted = emulator.with(|state| {
        let before = state.webhooks.endpoints.len();
        state.webhooks.endpoints.retain(|endpoint| endpoint.id != id);
        state.webhooks.endpoints.len() < before
    });
    match deleted {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("Webhook endpoint", &id)),
    }
}
