//! `/sso/authorize`: GET checks the request and shows the sign-in page; POST to the same URL (the page's form) checks it
//! again and answers it. The request travels in the URL, so nothing is stored before somebody has signed in.

use std::time::Instant;

use axum::extract::{RawForm, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::answers::{Problem, found, page, refusal, see_other};
use crate::authorization::{self, AuthorizationRequest, Refusal};
use crate::emulator::{self, Emulator};
use crate::environment::Environment;
use crate::pages::{self, SignInPage};
use crate::parameters::Parameters;
use crate::sign_in::{SignIn, sign_in};
use crate::sso_error::SsoError;

pub type Check = fn(&Environment, &Parameters) -> Result<AuthorizationRequest, Refusal>;

pub async fn show(State(emulator): State<Emulator>, RawQuery(query): RawQuery) -> Response {
    show_checked(&emulator, query, authorization::check)
}

pub async fn submit(
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
    RawForm(form): RawForm,
) -> Response {
    submit_checked(&emulator, query, &form, authorization::check)
}

pub fn show_checked(emulator: &Emulator, query: Option<String>, check: Check) -> Response {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes());
    emulator.with(|state| match check(&state.environment, &query) {
        Ok(request) => {
            sign_in_page(&state.environment, &request, request.login_hint.as_deref(), None)
        }
        Err(refused) => refusal(refused, found),
    })
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
) -> Result<Response, Problem> {
    let field = |name| form.one(name).map(Option::unwrap_or_default).map_err(|_| repeated(name));
    let (email, password, decline) =
        (field("email")?.trim(), field("password")?, field("decline")?);
    if !decline.is_empty() {
        return Ok(see_other(&request.reply.with_error(SsoError::AccessDenied)));
    }
    let (entropy, code) = (emulator::entropy()?, emulator::draw_secret()?);
    Ok(emulator.with(|state| {
        // Deleted between the check and now: the code that a check now would give.
        let Some(connection) = state.environment.connection(&request.connection_id) else {
            return see_other(&request.reply.with_error(SsoError::ConnectionInvalid));
        };
        match sign_in(&state.environment, connection, email, password, &entropy) {
            SignIn::Done(profile) => {
                let url = request.reply.with_code(code.expose());
                state.codes.issue(&code, *profile, request.challenge, Instant::now());
                see_other(&url)
            }
            SignIn::Failed(error) => see_other(&request.reply.with_error(error)),
            SignIn::Again(words) => {
                sign_in_page(&state.environment, &request, Some(email), Some(&words))
            }
        }
    }))
}

fn repeated(name: &str) -> Problem {
    Problem::unprocessable(format!("The field `{name}` was sent more than once."))
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
