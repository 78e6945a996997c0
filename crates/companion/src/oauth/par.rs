//! `POST /oauth/par` (RFC 9126): proof, form, admission; then the request lives sealed in its
//! `request_uri`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::{Extension, Json};
use keyport_problems::Problem;
use serde_json::{Value, json};

use super::gate::prove;
use super::request::{self, LIFETIME};
use super::token::check_resource;
use crate::admission::{PendingAdmission, SelectorHints, UpstreamSelector};
use crate::app::App;
use crate::domain::PeerAddress;
use crate::upstream::{LookupCaller, UpstreamError};
use crate::web::form::Form;
use crate::web::{AppState, OAuthError};

/// See the module.
pub async fn push(
    State(app): AppState,
    Extension(peer): Extension<PeerAddress>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), OAuthError> {
    let jkt = prove(&app, &headers, &method, "/oauth/par", None)?;
    let form = Form::from_body(&headers, &body)?;
    let client = app.client(form.required("client_id")?).ok_or(OAuthError::invalid_client())?;
    check_resource(&app, &form)?;
    let (hints, admitted) = request::read(&form, &client, jkt, app.now())?;
    let selector = admit(&app, &hints, LookupCaller::new(peer, app.now())).await?;
    let request = admitted(selector);
    let sealed = request.seal(&client, &app.keys, &*app.random);
    let (id, request_uri) = sealed.ok_or(OAuthError::unavailable())?;
    let (attempt, selector) = (request.attempt, &request.selector);
    tracing::info!(request = %id, ?attempt, ?selector, "request pushed");
    Ok((
        StatusCode::CREATED,
        Json(json!({ "request_uri": request_uri, "expires_in": LIFETIME.as_secs() })),
    ))
}

async fn admit(
    app: &Arc<App>,
    hints: &SelectorHints,
    caller: LookupCaller,
) -> Result<UpstreamSelector, OAuthError> {
    let upstream = app.upstreams.current();
    let policy = app.policy.now();
    let judged = match policy.judge(hints) {
        Ok(PendingAdmission::Settled(selector)) => Ok(selector),
        Ok(PendingAdmission::Domain(domain)) => {
            let listed = upstream.connections_of_domain(&domain, caller).await;
            let listed = listed.map_err(unreachable)?;
            policy.choose_by_domain(&listed)
        }
        Ok(PendingAdmission::Connection(id)) => {
            let found = upstream.connection(&id, caller).await.map_err(unreachable)?;
            policy.admit_connection(found.as_ref())
        }
        Err(problem) => Err(problem),
    };
    judged.map_err(refused)
}

fn refused(problem: Problem) -> OAuthError {
    tracing::info!(problem = problem.code(), "not admitted");
    OAuthError::new("access_denied", "this sign-in is not admitted here").with_problem(problem)
}

fn unreachable(error: UpstreamError) -> OAuthError {
    let unavailable = OAuthError::unavailable().with_problem(error.problem());
    match error {
        UpstreamError::TooMany { retry_after } => {
            OAuthError { retry_after: Some(retry_after.min(60)), ..unavailable }
        }
        _ => unavailable,
    }
}
