//! `GET /user_management/users`, `…/users/{id}` and the email verifications. API key required.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde_json::Value;

use crate::emulator::Emulator;
use crate::http::answers::ApiError;
use crate::http::key::ApiKey;
use crate::listing::{Paging, one};
use crate::parameters::Parameters;
use crate::users::User;

pub async fn list(
    _: ApiKey,
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let paging = Paging::read(&parameters).map_err(ApiError::invalid_parameters)?;
    let email = one(&parameters, "email").map_err(ApiError::invalid_parameters)?;
    let organization = one(&parameters, "organization_id").map_err(ApiError::invalid_parameters)?;
    emulator.with(|state| {
        let users = &state.authkit.users;
        let matches = |user: &User| {
            email.is_none_or(|email| user.email.eq_ignore_ascii_case(email))
                && organization.is_none_or(|id| users.membership(&user.id, id).is_some())
        };
        let page = paging.page(users.users.iter(), |it| &it.id, matches);
        Ok(Json(page.map_err(ApiError::invalid_parameters)?.json(User::json)))
    })
}

pub async fn show(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = emulator.with(|state| state.authkit.users.user(&id).map(User::json));
    found.map(Json).ok_or_else(|| ApiError::not_found("User", &id))
}

pub async fn show_verification(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = emulator.with(|state| {
        let mut sent = state.authkit.verifications.all().iter();
        sent.find(|it| it.id == id).map(|it| it.json())
    });
    found.map(Json).ok_or_else(|| ApiError::not_found("Email verification", &id))
}
