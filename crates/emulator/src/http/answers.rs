//! The three shapes of a refusal: `{"message"}` of the API, `{"error","error_description"}` of the
//! token endpoint (RFC 6749 §5.2), and pages. Nothing that is answered here may be cached.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::Markup;
use serde_json::json;

use crate::authorization::Refusal;
use crate::pages;

/// `{"message": …}` with a status, and a `code` where WorkOS has one.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: Option<&'static str>,
    message: String,
    /// `errors` of a 422: the field and its fault.
    field: Option<(&'static str, &'static str)>,
}

impl ApiError {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, code: None, message: message.into(), field: None }
    }

    pub fn not_found(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found: '{id}'."))
    }

    pub fn with_code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// 422 with the field that is wrong.
    pub fn invalid_field(field: &'static str, fault: &'static str) -> Self {
        let message = format!("Validation failed: `{field}` ({fault}).");
        Self { field: Some((field, fault)), ..Self::invalid_parameters(message) }
    }

    /// 422 of User Management.
    pub fn invalid_parameters(message: impl Into<String>) -> Self {
        Self::unprocessable(message).with_code("invalid_request_parameters")
    }

    pub fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({ "message": self.message });
        if let Some(code) = self.code {
            body["code"] = json!(code);
        }
        if let Some((field, fault)) = self.field {
            body["errors"] = json!([{ "field": field, "code": fault }]);
        }
        (self.status, Json(body)).into_response()
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(cause: anyhow::Error) -> Self {
        tracing::error!(%cause, "no answer is possible");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }
}

/// Always 400, `invalid_client` too.
pub fn oauth_error(error: &str, description: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error, "error_description": description })))
        .into_response()
}

pub fn page(status: StatusCode, markup: Markup) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // No form-action: browsers apply it to the redirect that follows the form, which leaves
        // this origin.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
             frame-ancestors 'none'",
        ),
    ];
    (status, headers, Html(markup.into_string())).into_response()
}

/// From a GET: 302, as WorkOS answers.
pub fn found(url: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, url), (header::CACHE_CONTROL, "no-store")])
        .into_response()
}

/// From a form post: 303, so that the credentials are not posted again (RFC 9700 §4.12).
pub fn see_other(url: &str) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Redirect::to(url)).into_response()
}

/// `redirect` is `found` or `see_other`, by the method of the request.
pub fn refusal(refusal: Refusal, redirect: fn(&str) -> Response) -> Response {
    match refusal {
        Refusal::Page { title, text } => {
            page(StatusCode::BAD_REQUEST, pages::problem(title, &text))
        }
        Refusal::Redirect(url) => redirect(&url),
    }
}
