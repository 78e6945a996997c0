//! `POST` and `PUT /organizations`, `POST` and `PATCH /connections`: JSON bodies, checked before
//! anything changes. API key required.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::answers::ApiError;
use super::body::json_object;
use super::key::ApiKey;
use super::{connections, organizations};
use crate::emulator::{self, Emulator, State as Rows};
use crate::ids::Random;
use crate::seed::{Connection, ConnectionState, IdpIdFormat, Organization};

type Created = Result<(StatusCode, Json<Value>), ApiError>;

fn text(body: &Map<String, Value>, name: &'static str) -> Result<Option<String>, ApiError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(ApiError::invalid_field(name, "invalid_type")),
    }
}

/// Applies what the body says; a domain or an external id of another organization is refused.
fn apply(
    rows: &Rows,
    organization: &mut Organization,
    body: &Map<String, Value>,
) -> Result<(), ApiError> {
    if let Some(name) = text(body, "name")? {
        organization.name = name;
    }
    if let Some(allowed) = body.get("allow_profiles_outside_organization").and_then(Value::as_bool)
    {
        organization.allow_profiles_outside_organization = allowed;
    }
    if let Some(id) = text(body, "external_id")? {
        organization.external_id = Some(id);
    }
    if let Some(metadata) = body.get("metadata").and_then(Value::as_object) {
        let pairs = metadata
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        organization.metadata = pairs.collect();
    }
    if body.contains_key("domain_data") || body.contains_key("domains") {
        (organization.domains, organization.pending_domains) = domains(body);
    }
    for other in rows.environment.organizations().iter().filter(|it| it.id != organization.id) {
        let taken =
            |domain: &String| other.domains.iter().any(|it| it.eq_ignore_ascii_case(domain));
        if organization.domains.iter().any(taken) {
            let message = "This domain has already been associated with an organization.";
            return Err(ApiError::new(StatusCode::CONFLICT, message));
        }
        if organization.external_id.is_some() && other.external_id == organization.external_id {
            let message = "The external id is used by another organization.";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, message)
                .with_code("external_id_already_used"));
        }
    }
    Ok(())
}

/// Verified and pending ones; `domains` without a state are verified.
fn domains(body: &Map<String, Value>) -> (Vec<String>, Vec<String>) {
    let list = |name: &str| body.get(name).and_then(Value::as_array).into_iter().flatten();
    let mut verified: Vec<String> =
        list("domains").filter_map(Value::as_str).map(str::to_owned).collect();
    let mut pending = Vec::new();
    for entry in list("domain_data") {
        let domain = entry["domain"].as_str().unwrap_or_default().to_owned();
        match entry["state"].as_str() {
            Some("verified") => verified.push(domain),
            _ => pending.push(domain),
        }
    }
    (verified, pending)
}

pub async fn create_organization(
    _: ApiKey,
    State(emulator): State<Emulator>,
    body: Bytes,
) -> Created {
    let body = json_object(&body)?;
    if text(&body, "name")?.is_none() {
        return Err(ApiError::invalid_field("name", "required"));
    }
    let mut random = Random::new(emulator::draw_secret()?);
    emulator.with(|state| {
        let mut organization = Organization::named(random.id("org_"));
        apply(state, &mut organization, &body)?;
        let shape = organizations::shape(&organization);
        state.environment.keep_organization(organization);
        state.record(&mut random, "organization.created", shape.clone());
        Ok((StatusCode::CREATED, Json(shape)))
    })
}

pub async fn update_organization(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let body = json_object(&body)?;
    let mut random = Random::new(emulator::draw_secret()?);
    emulator.with(|state| {
        let found = state.environment.organization(&id).cloned();
        let mut organization = found.ok_or_else(|| ApiError::not_found("Organization", &id))?;
        apply(state, &mut organization, &body)?;
        let shape = organizations::shape(&organization);
        state.environment.keep_organization(organization);
        state.record(&mut random, "organization.updated", shape.clone());
        Ok(Json(shape))
    })
}

/// Active if it comes with its options, a draft otherwise (a guess).
pub async fn create_connection(
    _: ApiKey,
    State(emulator): State<Emulator>,
    body: Bytes,
) -> Created {
    let body = json_object(&body)?;
    let organization_id = text(&body, "organization_id")?
        .ok_or_else(|| ApiError::invalid_field("organization_id", "required"))?;
    let (name, kind) = (text(&body, "name")?, text(&body, "connection_type")?);
    let complete = body.contains_key("saml_options") || body.contains_key("oidc_options");
    let state_of_it = match (&kind, complete) {
        (None, _) => ConnectionState::RequiresType,
        (Some(_), false) => ConnectionState::Draft,
        (Some(_), true) => ConnectionState::Active,
    };
    let mut random = Random::new(emulator::draw_secret()?);
    emulator.with(|state| {
        let organization = state.environment.organization(&organization_id);
        let organization =
            organization.ok_or_else(|| ApiError::not_found("Organization", &organization_id))?;
        let connection = Connection {
            id: random.id("conn_"),
            name: name.unwrap_or_else(|| organization.name.clone()),
            organization_id: Some(organization_id.clone()),
            connection_type: kind.unwrap_or_else(|| "Pending".to_owned()),
            state: state_of_it,
            idp_id_format: IdpIdFormat::Persistent,
            idp_initiated: true,
            consent: false,
        };
        let shape = connections::shape(&state.environment, &connection);
        state.environment.keep_connection(connection);
        if state_of_it == ConnectionState::Active {
            state.record(&mut random, "connection.activated", shape.clone());
        }
        Ok((StatusCode::CREATED, Json(shape)))
    })
}

pub async fn update_connection(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let body = json_object(&body)?;
    let (name, kind) = (text(&body, "name")?, text(&body, "connection_type")?);
    emulator.with(|state| {
        let found = state.environment.connection(&id).cloned();
        let mut connection = found.ok_or_else(|| ApiError::not_found("Connection", &id))?;
        connection.name = name.unwrap_or(connection.name);
        connection.connection_type = kind.unwrap_or(connection.connection_type);
        let shape = connections::shape(&state.environment, &connection);
        state.environment.keep_connection(connection);
        Ok(Json(json!(shape)))
    })
}
