//! Bearer credentials in the `Authorization` header (RFC 6750 §2.1), and the API key as an
//! extractor: a handler that takes `ApiKey` answers 401 without it.

use axum::extract::FromRequestParts;
use axum::http::{HeaderMap, StatusCode, header, request::Parts};

use super::answers::ApiError;
use crate::emulator::Emulator;
use crate::secret::Secret;

#[derive(Debug, Clone, Copy)]
pub struct ApiKey;

impl FromRequestParts<Emulator> for ApiKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, emulator: &Emulator) -> Result<Self, ApiError> {
        let given = bearer(&parts.headers);
        let right =
            emulator.with(|state| given.as_ref() == Some(&state.environment.client().api_key));
        right.then_some(Self).ok_or_else(|| ApiError::new(StatusCode::UNAUTHORIZED, "Unauthorized"))
    }
}

pub fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::from(token))
}
