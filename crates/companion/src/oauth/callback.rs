//! `GET /callback`: the provider's answer. The state and the browser are checked before code or error is looked
//! at; a code without a state of ours is never redeemed; each branch is exchanged at most once, journalled
//! before it is sent. Ends in a 303 to the hand-off page, so that no code stays in an address bar.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use keyport_core::Problem;
use tracing::Instrument;

use super::branch::Branch;
use super::request::Unusable;
use crate::admission::Came;
use crate::app::App;
use crate::domain::{GrantId, ProblemCode, UpstreamIdentity};
use crate::keys::SecretText;
use crate::pages::{Page, ProblemPage};
use crate::storage::{ExchangeStart, Fulfilment};
use crate::upstream::problem_of_redirect;
use crate::web::AppState;
use crate::web::browser::{BrowserId, is_speculative};
use crate::web::form::Form;

/// What the provider said, once its state is known to be ours.
enum Answer {
    Code(SecretText),
    Error(Problem),
}

/// See the module.
pub async fn callback(
    State(app): AppState,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Redirect, Page> {
    if is_speculative(&headers) {
        return Err(Page::Refused);
    }
    let query = Form::parse(query.unwrap_or_default().as_bytes()).map_err(|_| Page::Refused)?;
    let Some(state) = query.value("state") else { return Err(started_elsewhere(&app)) };
    let branch = Branch::unseal(state, &app.keys, app.now()).map_err(|reason| match reason {
        Unusable::Foreign => started_elsewhere(&app),
        Unusable::Expired => Page::problem(Problem::LinkExpired),
    })?;
    if BrowserId::of_request(&headers, &app.issuer)
        .is_none_or(|browser| browser.hash() != branch.browser)
    {
        tracing::warn!(branch = %branch.id, "the callback came in another browser");
        return Err(Page::problem(Problem::WrongBrowser));
    }
    let answer = answer(&query).ok_or(Page::Refused)?;
    // A task of its own: the exchange is finished and recorded even if the browser hangs up.
    let work = tokio::spawn(settle(app, branch, answer).in_current_span());
    let grant = work.await.map_err(|_| Page::Failed)??;
    Ok(Redirect::to(&format!("/handoff/{grant}")))
}

/// A code or an error, not both.
fn answer(query: &Form) -> Option<Answer> {
    match (query.value("code"), query.value("error")) {
        (Some(code), None) => Some(Answer::Code(SecretText::new(code))),
        (None, Some(error)) => Some(Answer::Error(problem_of_redirect(error))),
        _ => None,
    }
}

/// The provider began it (with a code, an error or only a connection id), or somebody else's link did.
fn started_elsewhere(app: &App) -> Page {
    tracing::warn!("a callback without a state of ours: nothing was redeemed");
    let open = app.clients.first().and_then(|client| client.opening_address());
    let status = StatusCode::BAD_REQUEST;
    Page::Problem(ProblemPage { problem: Problem::StartedElsewhere, attempt: None, open, status })
}

async fn settle(app: Arc<App>, branch: Branch, answer: Answer) -> Result<GrantId, Page> {
    let grant = match app.storage.begin_exchange(branch.opened(), app.now()).await? {
        ExchangeStart::Started(grant) => grant,
        ExchangeStart::AlreadyStarted(grant) => return already(&app, &branch, grant).await,
        ExchangeStart::Cancelled => return Err(cancelled(&branch)),
        // Opened too often: a new sign-in in the app has a new link.
        ExchangeStart::TooMany => return Err(Page::problem(Problem::AlreadyUsed)),
    };
    tracing::info!(%grant, branch = %branch.id, attempt = ?branch.request.attempt, "the provider has answered");
    let admitted = match answer {
        Answer::Code(code) => exchange(&app, &branch, &code).await,
        Answer::Error(problem) => Err(problem),
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
        Fulfilment::Superseded(winner) => already(&app, &branch, winner).await,
        Fulfilment::Fulfilled { .. } | Fulfilment::Ended => Ok(grant),
    }
}

async fn exchange(
    app: &App,
    branch: &Branch,
    code: &SecretText,
) -> Result<UpstreamIdentity, Problem> {
    let mut identity =
        app.upstream.exchange_code(code, &branch.verifier()).await.map_err(|error| {
            tracing::error!(%error, "the code was not exchanged");
            error.problem()
        })?;
    let came = Came {
        connection: &identity.connection().id,
        connection_type: &identity.connection().kind,
        organization: identity.organization().map(|organization| organization.id.as_str()),
    };
    app.policy.admit_profile(&branch.request.selector, &came)?;
    app.upstream.name_organization(&mut identity, app.now()).await;
    Ok(identity)
}

/// Another opening of the same request was first. Its page is shown, if it is this browser's.
async fn already(app: &App, branch: &Branch, winner: GrantId) -> Result<GrantId, Page> {
    let seen = app.storage.read_grant(winner, app.now()).await?;
    match seen {
        Some(view) if view.grant.browser == branch.browser => Ok(winner),
        _ => Err(Page::problem(Problem::AlreadyUsed)),
    }
}

fn cancelled(branch: &Branch) -> Page {
    let attempt = branch.request.attempt;
    Page::Problem(ProblemPage {
        problem: Problem::Cancelled,
        attempt,
        open: None,
        status: StatusCode::OK,
    })
}
