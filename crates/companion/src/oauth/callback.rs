//! `GET /callback`: the provider's answer. The state, its cookie and the browser are checked before
//! code or error is looked at; a code without a state of ours is never redeemed; each state is used
//! at most once, journalled before its code is sent. Ends in a 303 to the hand-off page, so that no
//! code stays in an address bar. Only the first callback of a state is told where the hand-off is:
//! on loopback http the cookies of a browser may be known to another program, which could bring the
//! same callback again.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use keyport_problems::Problem;
use tracing::Instrument;

use super::pending_callback::PendingCallback;
use super::request::RequestError;
use super::upstream_authorization::UpstreamAuthorization;
use crate::admission::ReturnedProfile;
use crate::app::App;
use crate::domain::{GrantId, PeerAddress, ProblemCode, SecretText, UpstreamIdentity};
use crate::pages::{Page, ProblemPage};
use crate::storage::{ExchangeStart, Fulfilment};
use crate::upstream::{
    Arrival, Caller, ExchangePermit, ExchangeRefusal, ExchangeResult, LookupCaller, UpstreamEntry,
    UpstreamError,
};
use crate::web::AppState;
use crate::web::browser::{BrowserId, is_speculative};
use crate::web::form::Form;
use crate::web::state_cookie::{FoundCookie, UpstreamState};

/// What the provider said, once its state is known to be ours.
enum AuthorizationResponse {
    Code(SecretText),
    Error(Problem),
}

/// See the module.
pub async fn callback(
    State(app): AppState,
    Extension(peer): Extension<PeerAddress>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Page> {
    if is_speculative(&headers) {
        return Err(Page::Refused);
    }
    let query = Form::parse(query.unwrap_or_default().as_bytes()).map_err(|_| Page::Refused)?;
    let state = query.value("state").and_then(UpstreamState::parse);
    let Some(state) = state else { return Err(started_elsewhere(&app)) };
    if app.exchanges.is_used(state.authorization()) {
        return Err(already_used(&state));
    }
    let authorization = authorization(&app, &state, &headers)?;
    let upstream = upstream(&app, &authorization)?;
    let answer = answer(&query, upstream).ok_or(Page::Refused)?;
    let caller = Caller {
        peer: peer.network(),
        device: authorization.request.jkt,
        browser: authorization.browser,
    };
    let arrival = Arrival::at(app.now(), authorization.place);
    let turn = match &answer {
        AuthorizationResponse::Code(_) => {
            app.exchanges.permit(authorization.id, caller, arrival).await
        }
        AuthorizationResponse::Error(_) => app.exchanges.permit_without_exchange(authorization.id),
    };
    let held = PendingCallback { state, authorization: Arc::new(authorization), arrival };
    let turn = match turn {
        Ok(turn) => turn,
        Err(ExchangeRefusal::Used) => return Err(already_used(&held.state)),
        Err(ExchangeRefusal::Busy) => {
            tracing::warn!("an exchange was refused because too many wait");
            return Ok(held.try_again(&app, Problem::TooManyRequests));
        }
    };
    let cookie = held.state.clear_cookie(&app.issuer).map(|cookie| (header::SET_COOKIE, cookie));
    // A task of its own: what has begun is finished and recorded even if the browser hangs up.
    let work = settle(Arc::clone(&app), Arc::clone(&held.authorization), peer, answer, turn)
        .in_current_span();
    let settled = match app.exchanges.run(work).await.map_err(|_| Page::Failed)? {
        Err(CallbackError::NotJournalled) => {
            return Ok(held.try_again(&app, Problem::ServiceUnavailable));
        }
        Err(CallbackError::Page(page)) => Err(page),
        Ok(grant) => Ok(grant),
    };
    let shown = settled.map(|grant| Redirect::to(&format!("/handoff/{grant}")));
    Ok((AppendHeaders(cookie), shown).into_response())
}

/// The upstream authorization of this state, if this is the browser that it was opened in.
fn authorization(
    app: &App,
    state: &UpstreamState,
    headers: &HeaderMap,
) -> Result<UpstreamAuthorization, Page> {
    let sealed = match state.find_cookie(headers, &app.issuer) {
        FoundCookie::Sealed(sealed) => sealed,
        FoundCookie::Several => return Err(started_elsewhere(app)),
        // The browser has thrown its cookie away in time.
        FoundCookie::Nothing if state.is_over(app.now()) => {
            return Err(Page::problem(Problem::LinkExpired));
        }
        FoundCookie::Nothing => return Err(wrong_browser(state)),
    };
    let opened =
        UpstreamAuthorization::unseal(sealed, state, &app.clients.now(), &app.keys, app.now());
    let authorization = opened.map_err(|reason| match reason {
        RequestError::Foreign => started_elsewhere(app),
        RequestError::Expired => Page::problem(Problem::LinkExpired),
    })?;
    let browser = BrowserId::of_request(headers, &app.issuer);
    if browser.is_none_or(|browser| browser.hash() != authorization.browser) {
        return Err(wrong_browser(state));
    }
    Ok(authorization)
}

/// The upstream that this authorization was opened at, if the service still has it.
fn upstream<'a>(
    app: &'a App,
    authorization: &UpstreamAuthorization,
) -> Result<&'a UpstreamEntry, Page> {
    app.upstreams.named(&authorization.upstream).ok_or_else(|| started_elsewhere(app))
}

/// A code or an error, not both.
fn answer(query: &Form, upstream: &UpstreamEntry) -> Option<AuthorizationResponse> {
    match (query.value("code"), query.value("error")) {
        (Some(code), None) => Some(AuthorizationResponse::Code(SecretText::new(code))),
        (None, Some(error)) => {
            Some(AuthorizationResponse::Error(upstream.upstream().problem_of_redirect(error)))
        }
        _ => None,
    }
}

/// The provider began it (with a code, an error or only a connection id), or a link that is not
/// ours did.
fn started_elsewhere(app: &App) -> Page {
    tracing::warn!("a callback without a state of ours: nothing was redeemed");
    // Which of several apps the person came from is not known.
    let open = app.only_client().and_then(|client| client.opening_address(&app.issuer));
    let status = StatusCode::BAD_REQUEST;
    Page::Problem(ProblemPage { problem: Problem::StartedElsewhere, attempt: None, open, status })
}

fn wrong_browser(state: &UpstreamState) -> Page {
    tracing::warn!(authorization = %state.authorization(), "the callback came in another browser");
    Page::problem(Problem::WrongBrowser)
}

/// The same words whoever asks, and no way to the hand-off.
fn already_used(state: &UpstreamState) -> Page {
    tracing::warn!(authorization = %state.authorization(), "a callback came again");
    Page::problem(Problem::AlreadyUsed)
}

/// Why a callback leads to no hand-off.
enum CallbackError {
    /// The database is unavailable and nothing was used: the same address works a moment later.
    NotJournalled,
    Page(Page),
}

impl<T: Into<Page>> From<T> for CallbackError {
    fn from(page: T) -> Self {
        Self::Page(page.into())
    }
}

/// Journals the exchange; gives the grant to settle.
async fn journal(
    app: &App,
    authorization: &UpstreamAuthorization,
) -> Result<GrantId, CallbackError> {
    let begun = app.storage.begin_exchange(authorization.opened(), app.now()).await;
    match begun {
        Ok(ExchangeStart::Started(grant)) => Ok(grant),
        // Or opened too often: a new sign-in in the app has a new link.
        Ok(ExchangeStart::AlreadyStarted(_) | ExchangeStart::TooMany) => {
            Err(Page::problem(Problem::AlreadyUsed).into())
        }
        Ok(ExchangeStart::Cancelled) => Err(cancelled(authorization).into()),
        Err(cause) => {
            tracing::error!(%cause, "the exchange could not be journalled");
            Err(CallbackError::NotJournalled)
        }
    }
}

async fn settle(
    app: Arc<App>,
    authorization: Arc<UpstreamAuthorization>,
    peer: PeerAddress,
    answer: AuthorizationResponse,
    mut turn: ExchangePermit,
) -> Result<GrantId, CallbackError> {
    let grant = match journal(&app, &authorization).await {
        Ok(grant) => grant,
        Err(refused) => {
            // A database that is unavailable has used nothing: the same state may come again.
            if matches!(refused, CallbackError::Page(_)) {
                turn.end(ExchangeResult::NotNeeded);
            }
            return Err(refused);
        }
    };
    turn.begin();
    let (id, attempt) = (authorization.id, authorization.request.attempt);
    tracing::info!(%grant, authorization = %id, ?attempt, "the provider has answered");
    let admitted = match answer {
        AuthorizationResponse::Code(code) => {
            exchange(&app, &authorization, peer, &code, turn).await
        }
        AuthorizationResponse::Error(problem) => Err(problem),
    };
    let identity = match admitted {
        Ok(identity) => identity,
        Err(problem) => {
            tracing::warn!(%grant, problem = problem.code(), "not signed in");
            if let Some(code) = ProblemCode::new(problem.code()) {
                app.storage.fail_grant(grant, code, app.now()).await?;
            }
            return Ok(grant);
        }
    };
    match app.storage.fulfil_grant(grant, identity, app.now()).await? {
        // Another opening of the same request was first; this browser is not
        // told where that one is shown.
        Fulfilment::Superseded(_) => Err(Page::problem(Problem::AlreadyUsed).into()),
        Fulfilment::AccessEnded => {
            tracing::warn!(%grant, "the provider has told that this access is withdrawn");
            Ok(grant)
        }
        Fulfilment::Fulfilled { .. } | Fulfilment::Ended => Ok(grant),
    }
}

async fn exchange(
    app: &App,
    authorization: &UpstreamAuthorization,
    peer: PeerAddress,
    code: &SecretText,
    turn: ExchangePermit,
) -> Result<UpstreamIdentity, Problem> {
    // Known: the callback has asked before its turn.
    let upstream = app.upstreams.named(&authorization.upstream).ok_or(Problem::Internal)?;
    let exchanged = upstream.exchange_code(code, &authorization.verifier()).await;
    turn.end(ended(&exchanged));
    let mut identity = exchanged.map_err(|error| {
        tracing::error!(%error, "the code was not exchanged");
        error.problem()
    })?;
    let came = ReturnedProfile {
        connection: identity.connection().map(|connection| connection.id.as_str()),
        method: identity.method(),
        is_social: upstream.upstream().is_social(identity.method()),
        organization: identity.organization().map(|organization| organization.id.as_str()),
    };
    app.policy.now().admit_profile(&authorization.request.selector, &came)?;
    upstream.name_organization(&mut identity, LookupCaller::new(peer, app.now())).await;
    Ok(identity)
}

fn ended<T>(exchanged: &Result<T, UpstreamError>) -> ExchangeResult {
    match exchanged {
        Ok(_) => ExchangeResult::Accepted,
        Err(UpstreamError::CodeRefused) => ExchangeResult::CodeRefused,
        Err(UpstreamError::TooMany { retry_after }) => {
            ExchangeResult::SlowDown(Duration::from_secs((*retry_after).min(60)))
        }
        Err(_) => ExchangeResult::Failed,
    }
}

fn cancelled(authorization: &UpstreamAuthorization) -> Page {
    let attempt = authorization.request.attempt;
    Page::Problem(ProblemPage {
        problem: Problem::Cancelled,
        attempt,
        open: None,
        status: StatusCode::OK,
    })
}
