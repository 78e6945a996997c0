//! The authorization request at `/user_management/authorize`: its selectors are called
//! `connection_id` and `organization_id`, and `provider=authkit` is the hosted page.

use super::{
    AuthorizationRequest, Common, LONGEST_STATE, Refusal, Reply, common, long_state, page,
};
use crate::environment::{ConnectionSelector, Environment};
use crate::parameters::{Parameters, RepeatedParameterError};
use crate::pkce::CodeChallenge;
use crate::sso_error::SsoError;

/// A request that may go on to a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthKitRequest {
    pub client_id: String,
    pub reply: Reply,
    pub challenge: Option<CodeChallenge>,
    pub login_hint: Option<String>,
    pub way: Way,
}

/// Where the person signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// At AuthKit's own page, which does every step.
    Hosted(Hosted),
    /// At the identity provider of a connection; the API does the steps.
    Connection(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hosted {
    /// The page offers to become a user (`screen_hint=sign-up`).
    pub sign_up: bool,
    /// A session of the browser does not count (`prompt=login`, `max_age=0`).
    pub asks_again: bool,
}

/// # Errors
/// As `check`.
pub fn check_authkit(
    environment: &Environment,
    query: &Parameters,
) -> Result<AuthKitRequest, Refusal> {
    let Common { client_id, reply, challenge, login_hint } = common(environment, query)?;
    let way = match selector(query)? {
        Selector::Hosted => Way::Hosted(hosted(query)?),
        Selector::Connection(selector) => {
            if reply.state.as_ref().is_some_and(|state| state.len() > LONGEST_STATE) {
                return Err(long_state());
            }
            match environment.select(selector) {
                Ok(connection) => Way::Connection(connection.id.clone()),
                Err(error) => return Err(Refusal::Redirect(reply.with_error(error))),
            }
        }
        Selector::Invalid => {
            let error = SsoError::InvalidConnectionSelector;
            return Err(Refusal::Redirect(reply.with_error(error)));
        }
    };
    Ok(AuthKitRequest { client_id, reply, challenge, login_hint, way })
}

/// For the page of an identity provider.
///
/// # Errors
/// As `check`; and a page when the request is one for the hosted page.
pub fn check_authkit_connection(
    environment: &Environment,
    query: &Parameters,
) -> Result<AuthorizationRequest, Refusal> {
    let AuthKitRequest { client_id, reply, challenge, login_hint, way } =
        check_authkit(environment, query)?;
    match way {
        Way::Connection(connection_id) => {
            Ok(AuthorizationRequest { client_id, reply, connection_id, challenge, login_hint })
        }
        Way::Hosted(_) => {
            let text = "This request is for the page of AuthKit, not of an identity provider.";
            Err(page("Error: Invalid request", text.to_owned()))
        }
    }
}

enum Selector<'a> {
    Hosted,
    Connection(ConnectionSelector<'a>),
    Invalid,
}

fn selector(query: &Parameters) -> Result<Selector<'_>, RepeatedParameterError> {
    let given =
        (query.one("connection_id")?, query.one("organization_id")?, query.one("provider")?);
    Ok(match given {
        (Some(id), None, None) => Selector::Connection(ConnectionSelector::Connection(id)),
        (None, Some(id), None) => Selector::Connection(ConnectionSelector::Organization(id)),
        (None, None, Some("authkit")) => Selector::Hosted,
        (None, None, Some(name)) => Selector::Connection(ConnectionSelector::Provider(name)),
        _ => Selector::Invalid,
    })
}

fn hosted(query: &Parameters) -> Result<Hosted, Refusal> {
    let sign_up = match query.one("screen_hint")? {
        Some("sign-up") => true,
        None | Some("sign-in") => false,
        Some(_) => return Err(invalid("“screen_hint” has to be “sign-up” or “sign-in”.")),
    };
    let max_age = query.one("max_age")?.map(str::parse::<u64>);
    if max_age.as_ref().is_some_and(Result::is_err) {
        return Err(invalid("“max_age” has to be a number of seconds."));
    }
    let prompted = query.one("prompt")? == Some("login");
    Ok(Hosted { sign_up, asks_again: prompted || max_age == Some(Ok(0)) })
}

fn invalid(text: &str) -> Refusal {
    page("Error: Invalid request", text.to_owned())
}
