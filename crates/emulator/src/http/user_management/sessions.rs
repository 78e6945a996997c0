//! Sessions of AuthKit: the list of a user's, the end of one by the API, and the end of one in the
//! browser.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::authkit::{Agent, AuthKit, Context};
use crate::emulator::Emulator;
use crate::http::answers::{ApiError, found};
use crate::http::body::read_body;
use crate::http::key::ApiKey;
use crate::listing::{Paging, one};
use crate::parameters::Parameters;

pub async fn list(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(user_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let paging = Paging::read(&parameters).map_err(ApiError::invalid_parameters)?;
    emulator.with(|state| {
        if state.authkit.users.user(&user_id).is_none() {
            return Err(ApiError::not_found("User", &user_id));
        }
        let (sessions, now) = (&state.authkit.sessions, state.now());
        let page = paging.page(sessions.of_user(&user_id), |it| &it.id, |_| true);
        Ok(Json(page.map_err(ApiError::invalid_parameters)?.json(|it| it.json(now))))
    })
}

pub async fn revoke(
    _: ApiKey,
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let form = read_body(&headers, &body)?;
    let id = one(&form, "session_id").map_err(ApiError::invalid_parameters)?;
    let id = id.ok_or_else(|| ApiError::invalid_parameters("`session_id` is required."))?;
    let ended = emulator.transition(Agent::default(), |it, context| end(it, context, id))?;
    let message = format!("The session '{id}' does not exist or has ended.");
    ended.map(Json).ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, message))
}

/// In the browser, without a key: the session ends, and the browser goes where the application
/// says, if that is registered.
pub async fn logout(
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let one = |name| one(&parameters, name).map_err(ApiError::unprocessable);
    let (session_id, return_to) = (one("session_id")?, one("return_to")?);
    let id = session_id.ok_or_else(|| ApiError::unprocessable("`session_id` is required."))?;
    let target = emulator.transition(Agent::default(), |authkit, context| {
        let target = context.environment.sign_out_redirect(return_to);
        let target = target.ok_or_else(|| {
            ApiError::unprocessable("`return_to` is not a registered sign-out redirect.")
        })?;
        end(authkit, context, id);
        Ok::<_, ApiError>(target)
    })??;
    emulator.with(|state| state.sessions.end_all());
    Ok(found(&target).into_response())
}

/// Ends the session and says so; none if there is no such live session.
pub fn end(authkit: &mut AuthKit, context: &mut Context<'_>, id: &str) -> Option<Value> {
    let ended = authkit.sessions.revoke(id, context.now)?.json(context.now);
    context.record("session.revoked", ended.clone());
    Some(ended)
}
