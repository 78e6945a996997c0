//! `GET /organizations/{id}`, API key required.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::answers::ApiError;
use super::connections::SEEDED_AT;
use super::key::ApiKey;
use crate::emulator::Emulator;
use crate::ids::derived;
use crate::seed::Organization;

pub async fn show(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = emulator.with(|state| state.environment.organization(&id).map(shape));
    found.map(Json).ok_or_else(|| ApiError::not_found("Organization", &id))
}

fn shape(organization: &Organization) -> Value {
    let domains = organization.domains.iter().map(|domain| {
        json!({
            "object": "organization_domain",
            "id": domain_id(&organization.id, domain),
            "organization_id": organization.id,
            "domain": domain,
            "state": "verified",
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
