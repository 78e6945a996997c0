//! Bodies that may be a form or JSON: the official SDKs send both.

use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use super::answers::ApiError;
use crate::parameters::Parameters;

/// # Errors
/// 400 for what is no JSON object, 422 for a body of another type or with other values than texts.
pub fn read_body(headers: &HeaderMap, body: &[u8]) -> Result<Parameters, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|it| it.split(';').next()).unwrap_or_default();
    match media_type.trim().to_ascii_lowercase().as_str() {
        "application/json" => {
            let object = json_object(body)?;
            Parameters::of_json(&object)
                .ok_or_else(|| ApiError::unprocessable("A member of the body is no text."))
        }
        "application/x-www-form-urlencoded" => Ok(Parameters::parse(body)),
        _ => Err(ApiError::unprocessable("The body has to be a form or JSON.")),
    }
}

/// # Errors
/// 400 for what is no JSON object.
pub fn json_object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    serde_json::from_slice(body)
        .map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "Problems parsing JSON"))
}
