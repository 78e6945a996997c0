//! `/connections`: list with filters and cursors, one, delete. API key required.
//! (`/sso/connections` never existed.)

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answers::ApiError;
use super::key::ApiKey;
use super::organizations::domain_id;
use crate::emulator::Emulator;
use crate::environment::Environment;
use crate::listing::{Listing, Query};
use crate::parameters::Parameters;
use crate::seed::{Connection, ConnectionState};

/// The emulator keeps no history: everything was made at once.
pub const SEEDED_AT: &str = "2026-01-15T12:00:00.000Z";

pub async fn list(
    _: ApiKey,
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let query = Query::read(&parameters).map_err(ApiError::unprocessable)?;
    emulator.with(|state| {
        let Listing { page, before, after } =
            query.list(&state.environment).map_err(ApiError::unprocessable)?;
        let data: Vec<_> =
            page.into_iter().map(|connection| shape(&state.environment, connection)).collect();
        let list_metadata = json!({ "before": before, "after": after });
        Ok(Json(json!({ "object": "list", "data": data, "list_metadata": list_metadata })))
    })
}

pub async fn show(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let shaped = emulator.with(|state| {
        state.environment.connection(&id).map(|found| shape(&state.environment, found))
    });
    shaped.map(Json).ok_or_else(|| ApiError::not_found("Connection", &id))
}

pub async fn delete(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    match emulator.with(|state| state.environment.delete_connection(&id)) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("Connection", &id)),
    }
}

fn shape(environment: &Environment, connection: &Connection) -> Value {
    let organization = environment.organization_of(connection);
    let domains =
        organization.into_iter().flat_map(|it| it.domains.iter().map(move |domain| (it, domain)));
    let domains = domains.map(|(organization, domain)| {
        let id = domain_id(&organization.id, domain);
        json!({ "object": "connection_domain", "id": id, "domain": domain })
    });
    let linked = connection.state == ConnectionState::Active;
    json!({
        "object": "connection",
        "id": connection.id,
        "organization_id": connection.organization_id,
        "connection_type": connection.connection_type,
        "name": connection.name,
        "state": connection.state,
        "status": if linked { "linked" } else { "unlinked" },
        "domains": domains.collect::<Vec<_>>(),
        "created_at": SEEDED_AT,
        "updated_at": SEEDED_AT,
    })
}
