//! Problem pages of `/callback` get an address of their own, so that the provider's code and state
//! stay neither in the address bar nor in the history: the answer is a 303 to
//! `/problem/CODE/REFERENCE`. The address holds all that the page needs, so nothing is stored; it
//! can name no problem that is not in the closed list, and no text.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use keyport_problems::Problem;

use super::browser::is_speculative;
use super::{AppState, HttpRequestId};
use crate::app::App;
use crate::pages::{Page, ProblemPage};

/// Stand for the two pages that name no problem.
const REFUSED: &str = "refused";
const FAILED: &str = "failed";

/// Redirects from a page that was drawn for an address with a query.
pub(crate) async fn move_to_clean_address(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<HttpRequestId>().cloned();
    let seen = request.uri().query().is_some() && !is_speculative(request.headers());
    let response = next.run(request).await;
    let Some(id) = id.filter(|_| seen) else { return response };
    // A page that tries again by itself needs its address: its code was not used.
    if response.headers().contains_key(header::REFRESH) {
        return response;
    }
    let (code, reference) = match response.extensions().get::<Page>() {
        Some(Page::Problem(page)) => {
            let attempt = page.attempt.map(|attempt| attempt.to_string());
            (page.problem.code(), attempt.unwrap_or(id.0))
        }
        Some(Page::Refused) => (REFUSED, id.0),
        Some(Page::Failed) => (FAILED, id.0),
        _ => return response,
    };
    tracing::info!(problem = code, "shown");
    let cookies = response.headers().get_all(header::SET_COOKIE).iter();
    let cookies: Vec<_> = cookies.map(|cookie| (header::SET_COOKIE, cookie.clone())).collect();
    let elsewhere = Redirect::to(&format!("/problem/{code}/{reference}"));
    (AppendHeaders(cookies), elsewhere).into_response()
}

/// `GET /problem/{code}/{reference}`. The reference is the id of the attempt, or of the request
/// that met the problem.
pub(crate) async fn problem(
    State(app): AppState,
    Path((code, reference)): Path<(String, String)>,
) -> Result<Response, Page> {
    let attempt = reference.parse().ok();
    let request = HttpRequestId::parse(&reference);
    if attempt.is_none() && request.is_none() {
        return Err(Page::NotFound);
    }
    let page = match code.as_str() {
        REFUSED => Page::Refused,
        FAILED => Page::Failed,
        code => Page::Problem(ProblemPage {
            attempt,
            ..described(&app, Problem::from_code(code).ok_or(Page::NotFound)?)
        }),
    };
    let mut response = page.into_response();
    if let Some(request) = request {
        response.extensions_mut().insert(request);
    }
    Ok(response)
}

fn described(app: &Arc<App>, problem: Problem) -> ProblemPage {
    let open = match problem {
        Problem::StartedElsewhere => {
            app.clients.now().first().and_then(|client| client.opening_address(&app.issuer))
        }
        _ => None,
    };
    let status = match problem {
        Problem::Cancelled => StatusCode::OK,
        _ => StatusCode::BAD_REQUEST,
    };
    ProblemPage { problem, attempt: None, open, status }
}
