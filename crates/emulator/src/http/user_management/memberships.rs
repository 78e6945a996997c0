//! `GET /user_management/organization_memberships` and `…/{id}`. API key required.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::emulator::{self, Emulator};
use crate::http::answers::ApiError;
use crate::http::key::ApiKey;
use crate::listing::{Paging, one};
use crate::parameters::Parameters;
use crate::users::Membership;

pub async fn list(
    _: ApiKey,
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let one = |name| one(&parameters, name).map_err(ApiError::invalid_parameters);
    let paging = Paging::read(&parameters).map_err(ApiError::invalid_parameters)?;
    let (user, organization) = (one("user_id")?, one("organization_id")?);
    let statuses = parameters.several("statuses");
    if user.is_none() && organization.is_none() {
        let message = "One of `user_id` or `organization_id` is required.";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, message)
            .with_code("missing_user_id_or_organization_id"));
    }
    emulator.with(|state| {
        let matches = |it: &Membership| {
            user.is_none_or(|id| it.user_id == id)
                && organization.is_none_or(|id| it.organization_id == id)
                && (statuses.is_empty() || statuses.iter().any(|status| it.has_status(status)))
        };
        let memberships = state.authkit.users.memberships.iter();
        let page = paging.page(memberships, |it| &it.id, matches);
        let page = page.map_err(ApiError::invalid_parameters)?;
        Ok(Json(page.json(|it| shape(state, it))))
    })
}

pub async fn show(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = emulator.with(|state| {
        let mut memberships = state.authkit.users.memberships.iter();
        memberships.find(|it| it.id == id).map(|it| shape(state, it))
    });
    found.map(Json).ok_or_else(|| ApiError::not_found("Organization membership", &id))
}

pub fn shape(state: &emulator::State, membership: &Membership) -> Value {
    let organization = state.environment.organization(&membership.organization_id);
    let name = organization.map_or("", |it| it.name.as_str());
    let user = state.authkit.users.user(&membership.user_id);
    user.map_or(json!(null), |user| membership.json(user, name))
}
