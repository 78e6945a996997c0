//! `/connections`: list with filters and cursors, one, delete. API key required.
//! (`/sso/connections` never existed.)

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answers::ApiError;
use super::key::ApiKey;
use super::organizations::domain_id;
use crate::emulator::{self, Emulator};
use crate::environment::Environment;
use crate::ids::Random;
use crate::listing::{Paging, one};
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
    let filter = Filter::read(&parameters).map_err(ApiError::unprocessable)?;
    let paging = Paging::read(&parameters).map_err(ApiError::unprocessable)?;
    emulator.with(|state| {
        let environment = &state.environment;
        let matches = |connection: &Connection| filter.matches(environment, connection);
        let page = paging.page(environment.connections().iter(), |it| &it.id, matches);
        let page = page.map_err(ApiError::unprocessable)?;
        Ok(Json(page.json(|connection| shape(environment, connection))))
    })
}

/// The filters of the list. There is none by state.
#[derive(Debug)]
struct Filter<'a> {
    connection_type: Option<&'a str>,
    domain: Option<&'a str>,
    organization_id: Option<&'a str>,
    search: Option<&'a str>,
}

impl<'a> Filter<'a> {
    fn read(parameters: &'a Parameters) -> Result<Self, String> {
        Ok(Self {
            connection_type: one(parameters, "connection_type")?,
            domain: one(parameters, "domain")?,
            organization_id: one(parameters, "organization_id")?,
            search: one(parameters, "search")?,
        })
    }

    fn matches(&self, environment: &Environment, connection: &Connection) -> bool {
        let domains = environment
            .organization_of(connection)
            .map_or(&[][..], |organization| &organization.domains);
        let named = |search: &str| connection.name.to_lowercase().contains(&search.to_lowercase());
        self.connection_type.is_none_or(|kind| connection.connection_type == kind)
            && self
                .organization_id
                .is_none_or(|id| connection.organization_id.as_deref() == Some(id))
            && self
                .domain
                .is_none_or(|domain| domains.iter().any(|it| it.eq_ignore_ascii_case(domain)))
            && self.search.is_none_or(named)
    }
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
    let random = Random::new(emulator::draw_secret()?);
    match emulator.with(|state| state.delete_connection(&id, random)) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("Connection", &id)),
    }
}

/// A connection as the API and events show it.
pub fn shape(environment: &Environment, connection: &Connection) -> Value {
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
