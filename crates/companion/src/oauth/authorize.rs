//! `GET /oauth/authorize`: opens a pushed request in this browser. Safe and repeatable: nothing is
//! stored, each opening is an upstream authorization of its own and the first one fulfilled wins (a
//! deviation from the single use that RFC 9126 §4 recommends, so that "open again" and a copied
//! link work).

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use keyport_problems::Problem;

use super::pushed_request::PushedRequest;
use super::request::RequestError;
use super::upstream_authorization::UpstreamAuthorization;
use crate::app::App;
use crate::clients::ClientRecord;
use crate::domain::RequestId;
use crate::pages::Page;
use crate::upstream::{AuthorizationParameters, UpstreamEntry};
use crate::web::AppState;
use crate::web::browser::{BrowserId, is_speculative};
use crate::web::form::Form;
use crate::web::state_cookie::UpstreamState;

/// See the module.
pub async fn authorize(
    State(app): AppState,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Page> {
    if is_speculative(&headers) {
        return Err(Page::Refused);
    }
    let query = Form::parse(query.unwrap_or_default().as_bytes()).map_err(|_| Page::Refused)?;
    let client = query.value("client_id").and_then(|id| app.client(id)).ok_or(Page::Refused)?;
    let request = pushed(&app, &client, &query)?;
    let browser = BrowserId::of_request(&headers, &app.issuer);
    let browser = browser.unwrap_or_else(|| BrowserId::draw(&*app.random));
    let upstream = app.upstreams.for_selector(&request.1.selector);
    let upstream = upstream.ok_or_else(|| Page::problem(Problem::LinkExpired))?;
    let (state, authorization) = UpstreamAuthorization::open(
        request,
        upstream.name(),
        browser.hash(),
        &*app.random,
        app.now(),
    );
    let sealed =
        authorization.seal(&state, None, &client, &app.keys, &*app.random).ok_or(Page::Failed)?;
    let location = provider_address(&app, upstream, &authorization, &state)?;
    let (request, attempt) = (authorization.request_id, authorization.request.attempt);
    tracing::info!(%request, authorization = %authorization.id, ?attempt, "authorization opened");
    let is_usable = |state: &UpstreamState, sealed: &str| {
        let opened =
            UpstreamAuthorization::unseal(sealed, state, &app.clients.now(), &app.keys, app.now());
        opened.is_ok_and(|opened| opened.browser == authorization.browser)
    };
    let mut cookies = state.set_cookies(&sealed, &headers, &app.issuer, is_usable);
    cookies.push(browser.set_cookie(&app.issuer).ok_or(Page::Failed)?);
    let cookies = cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie));
    let cookies: AppendHeaders<Vec<_>> = AppendHeaders(cookies.collect());
    Ok((StatusCode::FOUND, cookies, [(header::LOCATION, location)]).into_response())
}

fn pushed(
    app: &App,
    client: &ClientRecord,
    query: &Form,
) -> Result<(RequestId, PushedRequest), Page> {
    let request_uri = query.value("request_uri").ok_or(Page::Refused)?;
    PushedRequest::unseal(request_uri, client, &app.keys, app.now()).map_err(
        |reason| match reason {
            RequestError::Foreign => Page::Refused,
            RequestError::Expired => Page::problem(Problem::LinkExpired),
        },
    )
}

fn provider_address(
    app: &App,
    upstream: &UpstreamEntry,
    authorization: &UpstreamAuthorization,
    state: &UpstreamState,
) -> Result<String, Page> {
    let parameters = AuthorizationParameters {
        redirect_uri: &app.issuer.address("/callback"),
        selector: &authorization.request.selector,
        login_hint: authorization.request.login_hint.as_deref(),
        state: state.as_str(),
        code_challenge: &authorization.code_challenge(),
    };
    upstream.upstream().authorization_url(&parameters).map_err(|error| {
        tracing::error!(%error, "no address for the provider");
        Page::Failed
    })
}
