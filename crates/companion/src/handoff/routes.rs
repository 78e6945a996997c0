//! `/handoff/{grant}` and what hangs below it. All of it only in the browser that signed in. The
//! code is minted when the target_path back is shown, once; a reload or Back shows how it stands.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use keyport_problems::Problem;
use serde_json::json;

use super::state::HandoffStatus;
use crate::app::App;
use crate::domain::{CancelledBy, GrantId, SecretText};
use crate::pages::{ConfirmPage, FramePage, FrameStatus, GoPage, Page, ProblemPage};
use crate::storage::{GrantView, Minting};
use crate::web::browser::{BrowserId, is_same_origin_post, is_speculative};
use crate::web::form::Form;
use crate::web::{AppState, accepts_html};

/// Seconds between two looks of the frame.
const FRAME_REFRESH: u32 = 2;

/// `GET /handoff/{grant}`
pub async fn page(
    State(app): AppState,
    Path(grant): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Page> {
    let view = view(&app, &grant, &headers).await?;
    let id = view.grant.id;
    let shown = match HandoffStatus::of(&view) {
        HandoffStatus::Go => return Ok(Redirect::to(&format!("/handoff/{id}/go")).into_response()),
        HandoffStatus::Waiting => Page::Finishing { grant: id, shown: "waiting" },
        HandoffStatus::Minted | HandoffStatus::Redeemed => {
            Page::Finishing { grant: id, shown: "minted redeemed" }
        }
        HandoffStatus::Confirm { number } => Page::Confirm(ConfirmPage {
            grant: id,
            email: email(&view),
            device: view.grant.device_name.clone(),
            number,
            csrf_token: Arc::new(app.keys.csrf_token(id, view.grant.browser)),
        }),
        HandoffStatus::Return => Page::Return,
        HandoffStatus::SignedIn { memory } => Page::SignedIn { email: email(&view), memory },
        HandoffStatus::Failed(problem) | HandoffStatus::Cancelled(problem) => {
            problem_page(&view, problem)
        }
    };
    Ok(shown.into_response())
}

/// `POST /handoff/{grant}`: *Continue* or *This was not me*, from the page that was shown and from
/// nowhere else: the cookie alone may be known to another program on loopback http.
pub async fn answer(
    State(app): AppState,
    Path(grant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Redirect, Page> {
    if !is_same_origin_post(&headers, &app.issuer) {
        return Err(Page::Refused);
    }
    let form = Form::from_body(&headers, &body).map_err(|_| Page::Refused)?;
    let grant = view(&app, &grant, &headers).await?.grant;
    let (id, token) = (grant.id, form.value("csrf_token").unwrap_or_default());
    if !app.keys.check_csrf_token(token, id, grant.browser) {
        tracing::warn!(grant = %id, "an answer without the value of the page");
        return Err(Page::Refused);
    }
    match (form.has("continue"), form.has("not_me")) {
        (true, false) => {
            let confirmed = app.storage.confirm_grant(id, app.now()).await?;
            tracing::info!(grant = %id, confirmed, "the person continued");
            let target_path = if confirmed { "/go" } else { "" };
            Ok(Redirect::to(&format!("/handoff/{id}{target_path}")))
        }
        (false, true) => {
            let cancelled = app.storage.cancel_grant(id, CancelledBy::Person, app.now()).await?;
            tracing::warn!(grant = %id, cancelled, "the person said that it was not them");
            Ok(Redirect::to(&format!("/handoff/{id}")))
        }
        _ => Err(Page::Refused),
    }
}

/// `GET /handoff/{grant}/go`: mints the code and leads back to the app, once.
pub async fn go(
    State(app): AppState,
    Path(grant): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Page> {
    if is_speculative(&headers) {
        return Err(Page::Refused);
    }
    let view = view(&app, &grant, &headers).await?;
    let id = view.grant.id;
    let Minting::Minted { code, redirect_uri, state } =
        app.storage.mint_code(id, app.now()).await?
    else {
        return Ok(Redirect::to(&format!("/handoff/{id}")).into_response());
    };
    tracing::info!(grant = %id, attempt = ?view.grant.attempt, "the code is out");
    let target_path =
        RedirectTarget { redirect_uri: &redirect_uri, issuer: app.issuer.as_str(), grant: id };
    let target = target_path.with(code.expose(), state.expose());
    let refresh =
        HeaderValue::from_str(&format!("0; url={}", target.expose())).map_err(|_| Page::Failed)?;
    let page = Page::Go(GoPage { grant: id, target: Arc::new(target) });
    Ok(([(header::REFRESH, refresh)], page).into_response())
}

/// `GET /handoff/{grant}/status`: for the page's script, or the frame of pages without scripts.
pub async fn status(
    State(app): AppState,
    Path(grant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Page> {
    let view = view(&app, &grant, &headers).await?;
    let due = HandoffStatus::of(&view);
    if accepts_html(&headers) {
        return Ok(frame(&view, &due, query.as_deref()));
    }
    let mut body = json!({ "status": due.status() });
    if matches!(due, HandoffStatus::SignedIn { .. }) {
        body["email"] = email(&view).into();
    }
    if let Some(problem) = due.problem() {
        body["problem"] = problem.code().into();
    }
    Ok(Json(body).into_response())
}

fn frame(view: &GrantView, due: &HandoffStatus, query: Option<&str>) -> Response {
    let asked = query
        .and_then(|query| query.strip_prefix("asked="))
        .and_then(|n| n.parse().ok())
        .unwrap_or(0_u32);
    let (status, again) = match due {
        HandoffStatus::Waiting | HandoffStatus::Minted | HandoffStatus::Redeemed => {
            (FrameStatus::Underway, true)
        }
        HandoffStatus::SignedIn { memory } => {
            (FrameStatus::SignedIn { email: email(view), memory: *memory }, false)
        }
        _ => (FrameStatus::GoOn, false),
    };
    let page = Page::Frame(FramePage { grant: view.grant.id, status, asked });
    let next = asked.saturating_add(1).min(1000);
    let refresh = format!("{FRAME_REFRESH}; url=/handoff/{}/status?asked={next}", view.grant.id);
    let refresh = HeaderValue::from_str(&refresh).ok().filter(|_| again);
    (AppendHeaders(refresh.map(|value| (header::REFRESH, value))), page).into_response()
}

/// The grant, if this is the browser that it belongs to.
async fn view(app: &App, grant: &str, headers: &HeaderMap) -> Result<GrantView, Page> {
    let grant: GrantId = grant.parse().map_err(|_| Page::NotFound)?;
    let browser = BrowserId::of_request(headers, &app.issuer);
    let view = app.storage.read_grant(grant, app.now()).await?;
    match (view, browser) {
        (Some(view), Some(browser)) if view.grant.browser == browser.hash() => Ok(view),
        // The same answer for a grant of another browser and for none, so that ids cannot be tried.
        _ => Err(Page::problem(Problem::WrongBrowser)),
    }
}

fn email(view: &GrantView) -> String {
    view.user.as_ref().map(|user| user.email.clone()).unwrap_or_default()
}

fn problem_page(view: &GrantView, problem: Problem) -> Page {
    let attempt = view.grant.attempt;
    Page::Problem(ProblemPage { problem, attempt, open: None, status: StatusCode::OK })
}

/// Where the code goes.
struct RedirectTarget<'a> {
    redirect_uri: &'a str,
    issuer: &'a str,
    grant: GrantId,
}

impl RedirectTarget<'_> {
    /// `REDIRECT_URI?code&state&iss` (RFC 6749 §4.1.2, RFC 9207). The URI goes out byte by byte as
    /// registered, and none that is registered has a query. A loopback listener is told the
    /// target_path back to the page.
    fn with(&self, code: &str, state: &str) -> SecretText {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("code", code);
        if !state.is_empty() {
            query.append_pair("state", state);
        }
        query.append_pair("iss", self.issuer);
        if self.redirect_uri.starts_with("http://127.0.0.1:") {
            query.append_pair("handoff", &self.grant.to_string());
        }
        let query = SecretText::new(query.finish());
        SecretText::new(format!("{}?{}", self.redirect_uri, query.expose()))
    }
}
