//! `/sso/authorize`: GET checks the request and shows the sign-in page; POST to the same URL (the
//! page's form) checks it again and answers it. The request travels in the URL, so nothing is
//! stored before a person has signed in.

use std::time::Instant;

use axum::extract::{RawForm, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};

use super::answers::{ApiError, found, page, refusal, see_other};
use crate::authorization::{self, AuthorizationRequest, Refusal};
use crate::emulator::{self, Emulator};
use crate::environment::Environment;
use crate::pages::{self, SignInPage};
use crate::parameters::Parameters;
use crate::secret::Secret;
use crate::sign_in::{PASSWORD, SignIn, sign_in};
use crate::sso_error::SsoError;

/// Cookie of a session of the provider's own.
const SESSION: &str = "emulator-session";

pub type Check = fn(&Environment, &Parameters) -> Result<AuthorizationRequest, Refusal>;

pub async fn show(
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    show_checked(&emulator, query, session(&headers).as_ref(), authorization::check)
}

pub async fn submit(
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
    RawForm(form): RawForm,
) -> Response {
    submit_checked(&emulator, query, &form, authorization::check)
}

/// With a session of the browser's there is nothing to ask: the answer goes straight back.
pub fn show_checked(
    emulator: &Emulator,
    query: Option<String>,
    session: Option<&Secret>,
    check: Check,
) -> Response {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes());
    let checked = emulator.with(|state| {
        let request = check(&state.environment, &query)?;
        let email = session.and_then(|session| state.sessions.email(session));
        Ok((request, email.map(str::to_owned)))
    });
    let (request, email) = match checked {
        Ok(checked) => checked,
        Err(refused) => return refusal(refused, found),
    };
    let silent = email.map(|email| silent_answer(emulator, &request, &email));
    match silent.transpose() {
        Ok(Some(Some(answer))) => answer,
        Ok(_) => emulator.with(|state| {
            sign_in_page(&state.environment, &request, request.login_hint.as_deref(), None)
        }),
        Err(problem) => problem.into_response(),
    }
}

/// The answer for who has signed in before; none if this connection does not know the person.
fn silent_answer(
    emulator: &Emulator,
    request: &AuthorizationRequest,
    email: &str,
) -> Result<Option<Response>, ApiError> {
    let (entropy, code) = (emulator::entropy()?, emulator::draw_secret()?);
    Ok(emulator.with(|state| {
        let connection = state.environment.connection(&request.connection_id)?;
        match sign_in(&state.environment, connection, email, PASSWORD, &entropy) {
            SignIn::Done(profile) => {
                let challenge = request.challenge.clone();
                state.codes.issue(&code, *profile, challenge, Instant::now());
                Some(found(&request.reply.with_code(code.expose())))
            }
            SignIn::Failed(_) | SignIn::Again(_) => None,
        }
    }))
}

fn session(headers: &HeaderMap) -> Option<Secret> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|it| it.to_str().ok());
    let mut pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION).map(|(_, value)| Secret::from(value))
}

pub fn submit_checked(
    emulator: &Emulator,
    query: Option<String>,
    form: &[u8],
    check: Check,
) -> Response {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes());
    let checked = emulator.with(|state| check(&state.environment, &query));
    match checked {
        Ok(request) => answer(emulator, request, &Parameters::parse(form))
            .unwrap_or_else(IntoResponse::into_response),
        Err(refused) => refusal(refused, see_other),
    }
}

fn answer(
    emulator: &Emulator,
    request: AuthorizationRequest,
    form: &Parameters,
) -> Result<Response, ApiError> {
    let field = |name| form.one(name).map(Option::unwrap_or_default).map_err(|_| repeated(name));
    let (email, password, decline) =
        (field("email")?.trim(), field("password")?, field("decline")?);
    if !decline.is_empty() {
        return Ok(see_other(&request.reply.with_error(SsoError::AccessDenied)));
    }
    let (entropy, code) = (emulator::entropy()?, emulator::draw_secret()?);
    let session = emulator::draw_secret()?;
    Ok(emulator.with(|state| {
        // Deleted between the check and now: the code that a check now would give.
        let Some(connection) = state.environment.connection(&request.connection_id) else {
            return see_other(&request.reply.with_error(SsoError::ConnectionInvalid));
        };
        match sign_in(&state.environment, connection, email, password, &entropy) {
            SignIn::Done(profile) => {
                let url = request.reply.with_code(code.expose());
                state.codes.issue(&code, *profile, request.challenge, Instant::now());
                let kept = state.sessions.begin(&session, email);
                let name_and_value = format!("{SESSION}={}", session.expose());
                let cookie = format!("{name_and_value}; Path=/; HttpOnly; SameSite=Lax");
                let cookie = kept.then_some((header::SET_COOKIE, cookie));
                (AppendHeaders(cookie), see_other(&url)).into_response()
            }
            SignIn::Failed(error) => see_other(&request.reply.with_error(error)),
            SignIn::Again(words) => {
                sign_in_page(&state.environment, &request, Some(email), Some(&words))
            }
        }
    }))
}

fn repeated(name: &str) -> ApiError {
    ApiError::unprocessable(format!("The field `{name}` was sent more than once."))
}

fn sign_in_page(
    environment: &Environment,
    request: &AuthorizationRequest,
    email: Option<&str>,
    words: Option<&str>,
) -> Response {
    let connection = environment.connection(&request.connection_id);
    let organization = connection.and_then(|it| environment.organization_of(it));
    let status = if words.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let name = organization.map(|it| it.name.as_str());
    let kind = connection.map_or("", |it| it.connection_type.as_str());
    page(
        status,
        pages::sign_in(&SignInPage { organization: name, connection_type: kind, email, words }),
    )
}
