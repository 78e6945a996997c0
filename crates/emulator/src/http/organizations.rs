//! `/organizations`: list, one, delete. API key required.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answers::ApiError;
use super::connections::SEEDED_AT;
use super::key::ApiKey;
use crate::emulator::{self, Emulator};
use crate::ids::{Random, derived};
use crate::listing::Paging;
use crate::parameters::Parameters;
use crate::seed::Organization;

pub async fn list(
    _: ApiKey,
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let paging = Paging::read(&parameters).map_err(ApiError::unprocessable)?;
    let domains = parameters.several("domains");
    emulator.with(|state| {
        let has = |it: &Organization, wanted: &&str| {
            it.domains.iter().any(|domain| domain.eq_ignore_ascii_case(wanted))
        };
        let matches =
            |it: &Organization| domains.is_empty() || domains.iter().any(|domain| has(it, domain));
        let page = paging.page(state.environment.organizations().iter(), |it| &it.id, matches);
        Ok(Json(page.map_err(ApiError::unprocessable)?.json(shape)))
    })
}

pub async fn delete(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let random = Random::new(emulator::draw_secret()?);
    match emulator.with(|state| state.delete_organization(&id, random)) {
        true => Ok(StatusCode::ACCEPTED),
        false => Err(ApiError::not_found("Organization", &id)),
    }
}

pub async fn show(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = emulator.with(|state| state.environment.organization(&id).map(shape));
    found.map(Json).ok_or_else(|| ApiError::not_found("Organization", &id))
}

/// As the API and events show it.
pub fn shape(organization: &Organization) -> Value {
    let verified = organization.domains.iter().map(|domain| (domain, "verified"));
    let pending = organization.pending_domains.iter().map(|domain| (domain, "pending"));
    let domains = verified.chain(pending).map(|(domain, state)| {
        json!({
            "object": "organization_domain",
            "id": domain_id(&organization.id, domain),
            "organization_id": organization.id,
            "domain": domain,
            "state": state,
            "verification_strategy": "manual",
            "created_at": SEEDED_AT,
            "updated_at": SEEDED_AT,
        })
    });
    json!({
        "object": "organization",
        "id": organization.id,
        "name": organization.name,
        "allow_profiles_outside_organization": organization.allow_profiles_outside_organization,
        "domains": domains.collect::<Vec<_>>(),
        "stripe_customer_id": null,
        "external_id": organization.external_id,
        "metadata": organization.metadata,
        "created_at": SEEDED_AT,
        "updated_at": SEEDED_AT,
    })
}

pub fn domain_id(organization_id: &str, domain: &str) -> String {
    derived("org_domain_", &[organization_id, domain])
}
