//! `/directories`, `/directory_users` and `/directory_groups`: reading, and the end of a directory.
//! API key required.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answers::ApiError;
use super::key::ApiKey;
use crate::directories::{Directory, DirectoryUser};
use crate::emulator::{self, Emulator};
use crate::ids::{Random, derived};
use crate::listing::{Paging, one};
use crate::parameters::Parameters;

type Answer = Result<Json<Value>, ApiError>;

pub async fn list(
    _: ApiKey,
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Answer {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let paging = Paging::read(&parameters).map_err(ApiError::unprocessable)?;
    let organization = one(&parameters, "organization_id").map_err(ApiError::unprocessable)?;
    emulator.with(|state| {
        let matches = |it: &Directory| organization.is_none_or(|id| it.organization_id == id);
        let page = paging.page(state.directories.directories.iter(), |it| &it.id, matches);
        Ok(Json(page.map_err(ApiError::unprocessable)?.json(Directory::json)))
    })
}

pub async fn show(_: ApiKey, State(emulator): State<Emulator>, Path(id): Path<String>) -> Answer {
    let found = emulator.with(|state| state.directories.directory(&id).map(Directory::json));
    found.map(Json).ok_or_else(|| ApiError::not_found("Directory", &id))
}

pub async fn delete(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let random = Random::new(emulator::draw_secret()?);
    match emulator.with(|state| state.delete_directory(&id, random)) {
        true => Ok(StatusCode::ACCEPTED),
        false => Err(ApiError::not_found("Directory", &id)),
    }
}

pub async fn users(
    _: ApiKey,
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Answer {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let one = |name| one(&parameters, name).map_err(ApiError::unprocessable);
    let paging = Paging::read(&parameters).map_err(ApiError::unprocessable)?;
    let (directory, group) = (one("directory")?, one("group")?);
    let (idp_id, email) = (one("idp_id")?, one("email")?);
    if directory.is_none() && group.is_none() {
        return Err(ApiError::unprocessable("One of `directory` or `group` is required."));
    }
    emulator.with(|state| {
        let matches = |it: &DirectoryUser| {
            directory.is_none_or(|id| it.directory_id == id)
                && group
                    .is_none_or(|id| it.seed.groups.iter().any(|name| it.group(name)["id"] == id))
                && idp_id.is_none_or(|id| it.idp_id == id)
                && email.is_none_or(|email| it.seed.email.eq_ignore_ascii_case(email))
        };
        let page = paging.page(state.directories.users.iter(), |it| &it.id, matches);
        Ok(Json(page.map_err(ApiError::unprocessable)?.json(DirectoryUser::json)))
    })
}

pub async fn user(_: ApiKey, State(emulator): State<Emulator>, Path(id): Path<String>) -> Answer {
    let found = emulator.with(|state| {
        let mut users = state.directories.users.iter();
        users.find(|it| it.id == id).map(DirectoryUser::json)
    });
    found.map(Json).ok_or_else(|| ApiError::not_found("Directory user", &id))
}

/// The groups that users of the directory are in.
pub async fn groups(
    _: ApiKey,
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Answer {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let directory = one(&parameters, "directory").map_err(ApiError::unprocessable)?;
    let user = one(&parameters, "user").map_err(ApiError::unprocessable)?;
    let groups: BTreeMap<String, Value> = emulator.with(|state| {
        let users = state.directories.users.iter().filter(|it| {
            directory.is_none_or(|id| it.directory_id == id) && user.is_none_or(|id| it.id == id)
        });
        let groups = users.flat_map(|it| it.seed.groups.iter().map(move |name| (it, name)));
        groups
            .map(|(it, name)| {
                (derived("directory_group_", &[&it.directory_id, name]), it.group(name))
            })
            .collect()
    });
    let data: Vec<Value> = groups.into_values().collect();
    let none = json!({ "before": null, "after": null });
    Ok(Json(json!({ "object": "list", "data": data, "list_metadata": none })))
}
