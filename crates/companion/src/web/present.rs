//! The outermost layer: gives each request an id, logs one line for it without its query, draws the
//! page or fault that the handler answered with, and sets the headers every answer has.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::OAuthError;
use crate::app::App;
use crate::domain::SessionId;
use crate::pages::{Page, PageContext, document};

const COOP: header::HeaderName = header::HeaderName::from_static("cross-origin-opener-policy");

/// The id of one request, `req_` and 16 hex digits; in the log, in every error and on every problem
/// page.
#[derive(Debug, Clone)]
pub struct HttpRequestId(pub String);

impl HttpRequestId {
    fn draw(app: &App) -> Self {
        let mut bytes = [0; 8];
        app.random.fill(&mut bytes);
        Self(format!("req_{}", base16ct::lower::encode_string(&bytes)))
    }

    /// The id that this text is.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("req_")?;
        let read = base16ct::lower::decode_vec(digits).ok()?;
        (read.len() == 8).then(|| Self(text.to_owned()))
    }
}

/// The session that an answer is about, for its line in the log.
#[derive(Debug, Clone, Copy)]
pub struct AboutSession(pub SessionId);

/// See the module.
pub async fn present(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let id = HttpRequestId::draw(&app);
    let path =
        request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let wants_page = accepts_html(request.headers());
    request.extensions_mut().insert(id.clone());
    let span = tracing::info_span!("request", request_id = %id.0, %method, path);
    let draw = async {
        let response = finish(&app, &id, wants_page, next.run(request).await);
        let status = response.status().as_u16();
        let session =
            response.extensions().get().map(|AboutSession(id)| tracing::field::display(id));
        tracing::info!(status, session, "answered");
        response
    };
    draw.instrument(span).await
}

fn finish(app: &App, id: &HttpRequestId, wants_page: bool, mut response: Response) -> Response {
    if let Some(fault) = response.extensions_mut().remove::<OAuthError>() {
        tracing::info!(error = fault.error, reason = fault.description, "refused");
        response = as_json(&fault, id, &response);
    } else if let Some(page) = response.extensions_mut().remove::<Page>() {
        if let Page::Problem(shown) = &page {
            tracing::info!(problem = shown.problem.code(), "shown");
        }
        // A page may be about another request than the one that asks for it.
        let about = response.extensions_mut().remove::<HttpRequestId>();
        response = as_html(app, &page, about.as_ref().unwrap_or(id), &response);
    } else if is_bare_failure(&response) {
        response = bare_failure(app, id, wants_page, &response);
    }
    let headers = response.headers_mut();
    set_default(headers, header::CACHE_CONTROL, "no-store");
    set_default(headers, header::REFERRER_POLICY, "no-referrer");
    set_default(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // A page that opened ours keeps no handle to it: it cannot move, close or navigate it.
    set_default(headers, COOP, "same-origin");
    set_default(
        headers,
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert("x-request-id", value);
    }
    response
}

fn set_default(headers: &mut HeaderMap, name: header::HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

/// A refusal by the framework (limits, unknown route or method), which knows nothing of our pages.
fn is_bare_failure(response: &Response) -> bool {
    let status = response.status();
    let typed = response.headers().get(header::CONTENT_TYPE);
    (status.is_client_error() || status.is_server_error())
        && typed.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

fn bare_failure(app: &App, id: &HttpRequestId, wants_page: bool, bare: &Response) -> Response {
    let status = bare.status();
    if wants_page {
        let page = match status {
            StatusCode::NOT_FOUND => Page::NotFound,
            _ if status.is_server_error() => Page::Failed,
            _ => Page::Refused,
        };
        return as_html(app, &page, id, bare);
    }
    let fault = if status.is_server_error() {
        OAuthError::unavailable()
    } else {
        OAuthError::invalid_request(status.canonical_reason().unwrap_or("refused"))
    };
    as_json(&OAuthError { status, ..fault }, id, bare)
}

fn as_json(fault: &OAuthError, id: &HttpRequestId, rest: &Response) -> Response {
    let mut body = serde_json::json!({
        "error": fault.error,
        "error_description": fault.description,
        "request_id": id.0,
    });
    if let Some(problem) = fault.problem {
        body["keyport_problem"] = problem.code().into();
    }
    let mut response = (fault.status, axum::Json(body)).into_response();
    keep_headers(rest, &mut response);
    if fault.challenge
        && let Ok(value) = HeaderValue::from_str(&fault.challenge())
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    if let Some(seconds) = fault.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn as_html(app: &App, page: &Page, id: &HttpRequestId, rest: &Response) -> Response {
    let mut bytes = [0; 16];
    app.random.fill(&mut bytes);
    let nonce = base16ct::lower::encode_string(&bytes);
    let context = PageContext { words: &app.words, nonce: &nonce, request_id: &id.0 };
    let mut response =
        (rest.status(), axum::response::Html(document(page, &context))).into_response();
    keep_headers(rest, &mut response);
    let ancestors = if matches!(page, Page::Frame(_)) { "'self'" } else { "'none'" };
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; \
         connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors {ancestors}"
    );
    if let Ok(value) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, value);
    }
    response
}

/// What the handler or an inner layer has set besides the body's own headers.
fn keep_headers(from: &Response, to: &mut Response) {
    for (name, value) in from.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            to.headers_mut().append(name, value.clone());
        }
    }
}

/// Whether a person is looking.
pub fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}
