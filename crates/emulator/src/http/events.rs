//! `GET /events`: what has happened, oldest first, with filters. API key required.

use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};

use super::answers::ApiError;
use super::key::ApiKey;
use crate::emulator::Emulator;
use crate::events::Event;
use crate::listing::{Paging, one};
use crate::parameters::Parameters;
use crate::timestamp::Timestamp;

pub async fn list(
    _: ApiKey,
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let paging = Paging::read(&parameters).map_err(ApiError::unprocessable)?;
    let paging = paging.oldest_first(&parameters);
    let moment = |name| match one(&parameters, name).map_err(ApiError::unprocessable)? {
        None => Ok(None),
        Some(text) => Timestamp::parse(text).map(Some).ok_or_else(|| {
            ApiError::unprocessable(format!("`{name}` has to be a date and time of ISO 8601."))
        }),
    };
    let (start, end) = (moment("range_start")?, moment("range_end")?);
    let wanted = parameters.several("events");
    let organization = one(&parameters, "organization_id").map_err(ApiError::unprocessable)?;
    let matches = |event: &Event| {
        (wanted.is_empty() || wanted.contains(&event.event.as_str()))
            && start.is_none_or(|start| event.created_at >= start)
            && end.is_none_or(|end| event.created_at < end)
            && organization.is_none_or(|id| event.organization_id() == Some(id))
    };
    emulator.with(|state| {
        let page = paging.page(state.events.all().iter(), |it| &it.id, matches);
        Ok(Json(page.map_err(ApiError::unprocessable)?.json(|event| json!(event))))
    })
}
