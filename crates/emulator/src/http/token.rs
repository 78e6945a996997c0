//! `POST /sso/token`: form and JSON alike, because the official SDKs send both. The API key counts
//! in the body only (`client_secret`); a Bearer header is ignored. The client is checked before the
//! code is touched.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::answers::{ApiError, oauth_error};
use super::body::read_body;
use crate::codes::{ACCESS_TOKEN_LIFETIME, InvalidGrant};
use crate::emulator::{self, Emulator};
use crate::parameters::{Parameters, RepeatedParameterError};
use crate::secret::Secret;

#[derive(Debug)]
struct TokenRequest {
    client_id: Option<String>,
    client_secret: Option<Secret>,
    grant_type: Option<String>,
    code: Option<Secret>,
    code_verifier: Option<Secret>,
}

pub async fn exchange(
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let request = TokenRequest::read(&headers, &body)?;
    let client = emulator.with(|state| state.environment.client().clone());
    if request.client_id.as_deref() != Some(client.id.as_str())
        || request.client_secret.as_ref() != Some(&client.api_key)
    {
        return Ok(oauth_error("invalid_client", "Invalid client ID or client secret."));
    }
    if request.grant_type.as_deref() != Some("authorization_code") {
        return Ok(oauth_error("unsupported_grant_type", "The grant type is not supported."));
    }
    let code = request.code.ok_or_else(|| ApiError::unprocessable("`code` is required."))?;
    let token = emulator::draw_secret()?;
    let redeemed: Result<_, InvalidGrant> = emulator.with(|state| {
        let (verifier, now) = (request.code_verifier.as_ref(), state.now());
        let profile = state.codes.redeem(&code, &client.id, verifier, now)?;
        state.links.remember_profile(profile.id(), profile.connection_id());
        state.access_tokens.issue(&token, profile.clone(), now);
        Ok(profile)
    });
    Ok(match redeemed {
        Ok(profile) => {
            let answer = json!({
                "token_type": "Bearer",
                "access_token": token.expose(),
                "expires_in": ACCESS_TOKEN_LIFETIME.as_secs(),
                "profile": profile,
            });
            ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        Err(error) => oauth_error("invalid_grant", error.description()),
    })
}

impl TokenRequest {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        Self::of(&read_body(headers, body)?).map_err(|RepeatedParameterError(name)| {
            ApiError::unprocessable(format!("`{name}` was sent more than once."))
        })
    }

    fn of(form: &Parameters) -> Result<Self, RepeatedParameterError> {
        let secret = |name| form.one(name).map(|value| value.map(Secret::from));
        Ok(Self {
            client_id: form.one("client_id")?.map(str::to_owned),
            client_secret: secret("client_secret")?,
            grant_type: form.one("grant_type")?.map(str::to_owned),
            code: secret("code")?,
            code_verifier: secret("code_verifier")?,
        })
    }
}
