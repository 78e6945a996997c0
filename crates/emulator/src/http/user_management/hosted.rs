//! The hosted page of AuthKit: it asks for email and password and then does every step itself, so
//! that the application gets a code only when nothing is left to do.

use axum::extract::{RawForm, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::authorize::PROVIDER_PATH;
use super::visit::{Next, Visit};
use crate::authkit::Agent;
use crate::authorization::{AuthKitRequest, Hosted, Refusal, Way, check_authkit};
use crate::emulator::{self, Emulator};
use crate::http::answers::{ApiError, found, page, refusal, see_other};
use crate::http::sign_in::{repeated, session, with_session};
use crate::pages;
use crate::parameters::Parameters;
use crate::redirect_uri::with_query;
use crate::secret::Secret;
use crate::sso_error::SsoError;

pub async fn show(
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let (request, hosted) = match checked(&emulator, query) {
        Ok(checked) => checked,
        Err(refused) => return Ok(refusal(refused, found)),
    };
    let session = session(&headers).filter(|_| !hosted.asks_again);
    let email =
        emulator.with(|state| session.and_then(|it| state.sessions.email(&it).map(str::to_owned)));
    let code = emulator::draw_secret()?;
    let next = emulator.transition(Agent::default(), |authkit, context| {
        let mut visit = Visit { authkit, context, request: &request, hosted };
        let next = visit.begin(email.as_deref());
        visit.finish(next, &code)
    })?;
    Ok(answer(&request, next, &code, found))
}

pub async fn submit(
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
    RawForm(form): RawForm,
) -> Result<Response, ApiError> {
    let (request, hosted) = match checked(&emulator, query) {
        Ok(checked) => checked,
        Err(refused) => return Ok(refusal(refused, see_other)),
    };
    let form = Parameters::parse(&form);
    if form.one("decline").map_err(|_| repeated("decline"))?.is_some() {
        return Ok(see_other(&request.reply.with_error(SsoError::AccessDenied)));
    }
    let (code, cookie) = (emulator::draw_secret()?, emulator::draw_secret()?);
    let next = emulator.transition(Agent::default(), |authkit, context| {
        let mut visit = Visit { authkit, context, request: &request, hosted };
        let next = visit.advance(&form)?;
        Ok::<_, ApiError>(visit.finish(next, &code))
    })??;
    let done = match &next {
        Next::Done(signed_in) => Some(signed_in.user_id.clone()),
        _ => None,
    };
    let kept = emulator.with(|state| {
        let email = done.and_then(|id| Some(state.authkit.users.user(&id)?.email.clone()));
        email.is_some_and(|email| state.sessions.begin(&cookie, &email))
    });
    Ok(with_session(kept, &cookie, answer(&request, next, &code, see_other)))
}

fn checked(
    emulator: &Emulator,
    query: Option<String>,
) -> Result<(AuthKitRequest, Hosted), Refusal> {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes());
    let request = emulator.with(|state| check_authkit(&state.environment, &query))?;
    match request.way {
        Way::Hosted(hosted) => Ok((request, hosted)),
        Way::Connection(_) => {
            Err(Refusal::Redirect(request.reply.with_error(SsoError::InvalidConnectionSelector)))
        }
    }
}

fn answer(
    request: &AuthKitRequest,
    next: Next,
    code: &Secret,
    redirect: fn(&str) -> Response,
) -> Response {
    match next {
        Next::Done(_) => redirect(&request.reply.with_code(code.expose())),
        Next::Failed(error) => redirect(&request.reply.with_error(error)),
        Next::Provider(connection_id, email) => {
            redirect(&provider_url(request, &connection_id, &email))
        }
        Next::Page(content, words) => {
            let status = match words {
                Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
                None => StatusCode::OK,
            };
            page(status, pages::hosted(&content, words.as_deref())).into_response()
        }
    }
}

/// The same request, for the page of the identity provider.
fn provider_url(request: &AuthKitRequest, connection_id: &str, email: &str) -> String {
    let challenge = request.challenge.as_ref().map(|challenge| challenge.text());
    let mut pairs = vec![
        ("client_id", request.client_id.as_str()),
        ("redirect_uri", request.reply.redirect_uri.as_str()),
        ("response_type", "code"),
        ("connection_id", connection_id),
        ("login_hint", email),
    ];
    pairs.extend(request.reply.state.as_deref().map(|state| ("state", state)));
    if let Some(challenge) = &challenge {
        pairs.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
    }
    with_query(PROVIDER_PATH, &pairs)
}
