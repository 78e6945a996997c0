//! `/oauth/sessions`: where a person is signed in, for a bound access token of one of these
//! sessions and a proof over it. A person sees and ends their own sessions, whichever client they
//! are of.

use std::cmp::Reverse;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::bound::signed_in;
use crate::app::App;
use crate::domain::{EndedBecause, ListedSession, Session, SessionId, SessionSelector};
use crate::storage::{SessionsPage, StorageError};
use crate::web::{AppState, OAuthError};

const PATH: &str = "/oauth/sessions";
/// Sessions that are read at once.
const PAGE: usize = 100;
/// A person with more of them sees the part that is read.
const MOST_READ: usize = 10 * PAGE;
/// Sessions of one answer: it stays small for every client.
const MOST_LISTED: usize = 100;

/// `GET`: the living sessions of the person, this one first, then those that were used last.
pub async fn list(
    State(app): AppState,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<Value>, OAuthError> {
    let (session, _) = signed_in(&app, &headers, &method, PATH).await?;
    let mut listed = living(&app, &session).await?;
    listed.sort_by_key(|other| (other.session.id != session.id, Reverse(other.last_used)));
    listed.truncate(MOST_LISTED);
    let told: Vec<Value> = listed.iter().map(|other| told(&app, other, &session)).collect();
    Ok(Json(json!({ "sessions": told })))
}

async fn living(app: &App, session: &Session) -> Result<Vec<ListedSession>, StorageError> {
    let mut all: Vec<ListedSession> = Vec::new();
    loop {
        let after = all.last().map(|last| last.session.id);
        let (user, page) = (session.user.id, SessionsPage { after, limit: PAGE });
        let some = app.storage.list_sessions(SessionSelector::User(user), page, app.now()).await?;
        let is_last = some.len() < PAGE;
        all.extend(some);
        if is_last || all.len() >= MOST_READ {
            return Ok(all);
        }
    }
}

/// Times are seconds since the Unix epoch.
fn told(app: &App, listed: &ListedSession, this: &Session) -> Value {
    let session = &listed.session;
    let client = app.client(&session.client_id);
    json!({
        "id": session.id,
        "current": session.id == this.id,
        "client_name": client.as_ref().map_or(&session.client_id, |client| &client.name),
        "device_name": listed.device_name,
        "created_at": listed.created_at.seconds(),
        "last_used_at": listed.last_used.seconds(),
        "address": listed.last_address,
    })
}

/// `DELETE /oauth/sessions/{id}`: ends one session of the same person. One of another person is
/// answered as one that there is not.
pub async fn end(
    State(app): AppState,
    Path(id): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Result<StatusCode, OAuthError> {
    const UNKNOWN: OAuthError = OAuthError {
        status: StatusCode::NOT_FOUND,
        ..OAuthError::invalid_request("no such session")
    };
    let id: SessionId = id.parse().map_err(|_| UNKNOWN)?;
    let (session, _) = signed_in(&app, &headers, &method, &format!("{PATH}/{id}")).await?;
    let found = app.storage.read_session(id, app.now()).await?;
    if found.is_none_or(|found| found.user.id != session.user.id) {
        return Err(UNKNOWN);
    }
    let because =
        if id == session.id { EndedBecause::Revoked } else { EndedBecause::SignedOutElsewhere };
    app.storage.end_sessions(SessionSelector::Session(id), because, app.now()).await?;
    tracing::info!(session = %session.id, ended = %id, "a person ended a session");
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE`: ends every session of the person, the one that asks among them.
pub async fn end_all(
    State(app): AppState,
    method: Method,
    headers: HeaderMap,
) -> Result<StatusCode, OAuthError> {
    let (session, _) = signed_in(&app, &headers, &method, PATH).await?;
    let everywhere = SessionSelector::Everywhere { user: session.user.id, from: session.id };
    let because = EndedBecause::SignedOutElsewhere;
    let ended = app.storage.end_sessions(everywhere, because, app.now()).await?;
    tracing::info!(session = %session.id, ended, "a person signed out everywhere");
    Ok(StatusCode::NO_CONTENT)
}
