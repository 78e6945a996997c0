//! The page of an identity provider: GET checks the authorization request and shows the page; POST
//! to the same URL (the page's form) checks it again and answers it. The request travels in the
//! URL, so nothing is stored before a person has signed in.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};

use super::answers::{ApiError, found, page, refusal, see_other};
use crate::authkit::{Agent, Context};
use crate::authorization::{self, AuthorizationRequest, Refusal};
use crate::emulator::{self, Emulator, State};
use crate::environment::Environment;
use crate::ids::{Entropy, Random};
use crate::pages::{self, SignInPage};
use crate::parameters::Parameters;
use crate::profile::Profile;
use crate::secret::Secret;
use crate::seed::{Connection, Person};
use crate::sign_in::{PASSWORD, SignIn, sign_in};
use crate::sso_error::SsoError;

/// Cookie of a session of the provider's own.
const SESSION: &str = "emulator-session";

/// Whose request the page answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Sso,
    IdpInitiated,
    AuthKit,
}

/// Random values for one answer.
struct Draws {
    entropy: Entropy,
    code: Secret,
    session: Secret,
    random: Random,
}

impl Draws {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            entropy: emulator::entropy()?,
            code: emulator::draw_secret()?,
            session: emulator::draw_secret()?,
            random: Random::new(emulator::draw_secret()?),
        })
    }
}

impl Flow {
    fn check(
        self,
        environment: &Environment,
        query: &Parameters,
    ) -> Result<AuthorizationRequest, Refusal> {
        match self {
            Self::Sso => authorization::check(environment, query),
            Self::IdpInitiated => authorization::check_idp_initiated(environment, query),
            Self::AuthKit => authorization::check_authkit_connection(environment, query),
        }
    }

    /// Issues the code for a person who has signed in.
    fn issue(
        self,
        state: &mut State,
        request: &AuthorizationRequest,
        person: &Person,
        draws: Draws,
    ) {
        let Some(connection) = state.environment.connection(&request.connection_id) else {
            return;
        };
        let (now, challenge) = (state.now(), request.challenge.clone());
        if self == Self::AuthKit {
            let (environment, events) = (&state.environment, &mut state.events);
            let (random, agent) = (draws.random, Agent::default());
            let mut context = Context { environment, events, random, now, agent };
            let client_id = &request.client_id;
            let signed_in = state.authkit.admit(&mut context, person, connection, client_id);
            state.authkit.issue_code(&draws.code, signed_in, challenge, now);
        } else {
            let profile = Profile::of(person, connection, &draws.entropy);
            state.codes.issue(&draws.code, profile, &request.client_id, challenge, now);
        }
    }
}

/// With a session of the browser's there is nothing to ask: the answer goes straight back.
pub fn show(
    flow: Flow,
    emulator: &Emulator,
    query: Option<String>,
    headers: &HeaderMap,
) -> Response {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes());
    let session = session(headers).filter(|_| flow != Flow::IdpInitiated);
    let checked = emulator.with(|state| {
        let request = flow.check(&state.environment, &query)?;
        let email = session.and_then(|session| state.sessions.email(&session).map(str::to_owned));
        Ok((request, email))
    });
    let (request, email) = match checked {
        Ok(checked) => checked,
        Err(refused) => return refusal(refused, found),
    };
    let silent = email.map(|email| silent_answer(flow, emulator, &request, &email));
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
    flow: Flow,
    emulator: &Emulator,
    request: &AuthorizationRequest,
    email: &str,
) -> Result<Option<Response>, ApiError> {
    let draws = Draws::new()?;
    Ok(emulator.with(|state| {
        let connection = state.environment.connection(&request.connection_id)?;
        match sign_in(&state.environment, connection, email, PASSWORD) {
            SignIn::Done(person) => {
                let url = request.reply.with_code(draws.code.expose());
                flow.issue(state, request, &person, draws);
                Some(found(&url))
            }
            SignIn::Failed(_) | SignIn::Again(_) => None,
        }
    }))
}

/// The session of the provider's own that the browser has.
pub fn session(headers: &HeaderMap) -> Option<Secret> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|it| it.to_str().ok());
    let mut pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION).map(|(_, value)| Secret::from(value))
}

/// `answer` with the cookie of a session that is kept.
pub fn with_session(kept: bool, session: &Secret, answer: Response) -> Response {
    let cookie = format!("{SESSION}={}; Path=/; HttpOnly; SameSite=Lax", session.expose());
    let cookie = kept.then_some((header::SET_COOKIE, cookie));
    (AppendHeaders(cookie), answer).into_response()
}

pub fn submit(flow: Flow, emulator: &Emulator, query: Option<String>, form: &[u8]) -> Response {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes());
    let checked = emulator.with(|state| flow.check(&state.environment, &query));
    match checked {
        Ok(request) => answer(flow, emulator, &request, &Parameters::parse(form))
            .unwrap_or_else(IntoResponse::into_response),
        Err(refused) => refusal(refused, see_other),
    }
}

fn answer(
    flow: Flow,
    emulator: &Emulator,
    request: &AuthorizationRequest,
    form: &Parameters,
) -> Result<Response, ApiError> {
    let field = |name| form.one(name).map(Option::unwrap_or_default).map_err(|_| repeated(name));
    let (email, password, decline) =
        (field("email")?.trim(), field("password")?, field("decline")?);
    let consent = field("consent")?;
    if !decline.is_empty() {
        return Ok(see_other(&request.reply.with_error(SsoError::AccessDenied)));
    }
    let draws = Draws::new()?;
    Ok(emulator.with(|state| {
        // Deleted between the check and now: the code that a check now would give.
        let Some(connection) = state.environment.connection(&request.connection_id) else {
            return see_other(&request.reply.with_error(SsoError::ConnectionInvalid));
        };
        let asks = connection.consent;
        match sign_in(&state.environment, connection, email, password) {
            SignIn::Done(_) if asks && consent == "no" => {
                see_other(&request.reply.with_error(SsoError::SigninConsentDenied))
            }
            SignIn::Done(_) if asks && consent.is_empty() => {
                page(StatusCode::OK, pages::consent(email, password))
            }
            SignIn::Done(person) => {
                let url = request.reply.with_code(draws.code.expose());
                let session = draws.session.clone();
                flow.issue(state, request, &person, draws);
                let kept = state.sessions.begin(&session, email);
                with_session(kept, &session, see_other(&url))
            }
            SignIn::Failed(error) => see_other(&request.reply.with_error(error)),
            SignIn::Again(words) => {
                sign_in_page(&state.environment, request, Some(email), Some(&words))
            }
        }
    }))
}

pub fn repeated(name: &str) -> ApiError {
    ApiError::unprocessable(format!("The field `{name}` was sent more than once."))
}

fn sign_in_page(
    environment: &Environment,
    request: &AuthorizationRequest,
    email: Option<&str>,
    words: Option<&str>,
) -> Response {
    let connection: Option<&Connection> = environment.connection(&request.connection_id);
    let organization = connection.and_then(|it| environment.organization_of(it));
    let status = if words.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let name = organization.map(|it| it.name.as_str());
    let kind = connection.map_or("", |it| it.connection_type.as_str());
    page(
        status,
        pages::sign_in(&SignInPage { organization: name, connection_type: kind, email, words }),
    )
}
