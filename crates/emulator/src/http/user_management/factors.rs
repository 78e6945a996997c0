//! Second factors: of a user (`/user_management/users/{id}/auth_factors`) and by themselves
//! (`/auth/factors`, `/auth/challenges`). TOTP only. API key required.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::authkit::{Agent, AuthenticationError};
use crate::emulator::Emulator;
use crate::http::answers::ApiError;
use crate::http::body::read_body;
use crate::http::key::ApiKey;
use crate::listing::{Paging, one};
use crate::parameters::Parameters;
use crate::secret::Secret;

type Created = Result<(StatusCode, Json<Value>), ApiError>;

/// Names and secret of a factor to enrol.
struct Enrollment {
    names: (String, String),
    secret: Option<Secret>,
}

impl Enrollment {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        let form = read_body(headers, body)?;
        let one = |name| one(&form, name).map_err(ApiError::unprocessable);
        if one("type")? != Some("totp") {
            return Err(ApiError::unprocessable("`type` has to be totp."));
        }
        let issuer = one("totp_issuer")?.unwrap_or("Emulator").to_owned();
        let user = one("totp_user")?.unwrap_or("user").to_owned();
        Ok(Self { names: (issuer, user), secret: one("totp_secret")?.map(Secret::from) })
    }
}

fn invalid_secret() -> ApiError {
    ApiError::unprocessable("`totp_secret` has to be base 32 of at least 16 bytes.")
}

pub async fn enroll_for_user(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(user_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Created {
    let Enrollment { names, secret } = Enrollment::read(&headers, &body)?;
    let body = emulator.transition(Agent::default(), |authkit, context| {
        if authkit.users.user(&user_id).is_none() {
            return Err(ApiError::not_found("User", &user_id));
        }
        let (random, now, user) = (&mut context.random, context.now, Some(user_id.as_str()));
        let factor = authkit.factors.enroll(user, names, secret, random, now);
        let factor = factor.ok_or_else(invalid_secret)?;
        let (id, shape) = (factor.id.clone(), factor.enrolled_json());
        let challenge = authkit.factors.challenge(&id, random, now).map(|it| it.json());
        Ok(json!({ "authentication_factor": shape, "authentication_challenge": challenge }))
    })??;
    Ok((StatusCode::CREATED, Json(body)))
}

pub async fn list_of_user(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(user_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes());
    let paging = Paging::read(&parameters).map_err(ApiError::unprocessable)?;
    emulator.with(|state| {
        let factors = state.authkit.factors.of_user(&user_id);
        let page = paging.page(factors, |it| &it.id, |_| true);
        Ok(Json(page.map_err(ApiError::unprocessable)?.json(|it| it.json())))
    })
}

pub async fn enroll(
    _: ApiKey,
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Created {
    let Enrollment { names, secret } = Enrollment::read(&headers, &body)?;
    let body = emulator.transition(Agent::default(), |authkit, context| {
        let (random, now) = (&mut context.random, context.now);
        let factor = authkit.factors.enroll(None, names, secret, random, now);
        factor.map(|it| it.enrolled_json()).ok_or_else(invalid_secret)
    })??;
    Ok((StatusCode::CREATED, Json(body)))
}

pub async fn show(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let found = emulator.with(|state| state.authkit.factors.factor(&id).map(|it| it.json()));
    found.map(Json).ok_or_else(|| ApiError::not_found("Authentication factor", &id))
}

pub async fn delete(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    match emulator.with(|state| state.authkit.factors.delete(&id)) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::not_found("Authentication factor", &id)),
    }
}

pub async fn challenge(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Created {
    let made = emulator.transition(Agent::default(), |authkit, context| {
        let made = authkit.factors.challenge(&id, &mut context.random, context.now);
        made.map(|it| it.json())
    })?;
    let made = made.ok_or_else(|| ApiError::not_found("Authentication factor", &id))?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// A wrong code is an answer (`valid: false`); a challenge that cannot be met any more an error.
pub async fn verify(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Result<(StatusCode, Json<Value>), AuthenticationError>, ApiError> {
    let form = read_body(&headers, &body)?;
    let code = one(&form, "code").map_err(ApiError::unprocessable)?.map(Secret::from);
    let code = code.ok_or_else(|| ApiError::unprocessable("`code` is required."))?;
    emulator.with(|state| {
        let now = state.now();
        let factors = &mut state.authkit.factors;
        let taken = factors.verify(&id, None, &code, now);
        let taken = taken.ok_or_else(|| ApiError::not_found("Authentication challenge", &id))?;
        let valid = match taken {
            Ok(()) => true,
            Err(error) if error.is_wrong_code() => false,
            Err(error) => return Ok(Err(error.into())),
        };
        let challenge = factors.challenge_by_id(&id).map(|it| it.json());
        let body = json!({ "challenge": challenge, "valid": valid });
        Ok(Ok((StatusCode::CREATED, Json(body))))
    })
}
