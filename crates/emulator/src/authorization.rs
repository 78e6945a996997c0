//! The authorization request at `/sso/authorize` and the IdP-initiated start: which request is
//! answered with the sign-in page, which with an error redirect, and which with a page because its
//! redirect URI or client cannot be trusted (RFC 6749 §4.1.2.1; workos-api reference "get
//! authorization URL").

mod authkit;

pub use authkit::{AuthKitRequest, Hosted, Way, check_authkit, check_authkit_connection};

use crate::environment::{ConnectionSelector, Environment};
use crate::parameters::{Parameters, RepeatedParameterError};
use crate::pkce::CodeChallenge;
use crate::redirect_uri::with_query;
use crate::sso_error::SsoError;

/// Longest `state`, in bytes. Stricter than WorkOS says: what travels as a SAML RelayState has 80
/// bytes altogether (SAML 2.0 Bindings §3.4.3), and a state that fits there arrives everywhere.
const LONGEST_STATE: usize = 64;

/// A request that may go on to the sign-in page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    pub client_id: String,
    pub reply: Reply,
    pub connection_id: String,
    pub challenge: Option<CodeChallenge>,
    pub login_hint: Option<String>,
}

/// Where the answer goes: an allowed redirect URI, and the state to echo there (none when
/// IdP-initiated).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub redirect_uri: String,
    pub state: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Shown to the person; nothing is redirected.
    Page { title: &'static str, text: String },
    /// The URL of the error redirect.
    Redirect(String),
}

impl Reply {
    #[must_use]
    pub fn with_code(&self, code: &str) -> String {
        self.with(vec![("code", code)])
    }

    #[must_use]
    pub fn with_error(&self, error: SsoError) -> String {
        self.with(vec![("error", error.code()), ("error_description", error.description())])
    }

    fn with<'a>(&'a self, mut pairs: Vec<(&str, &'a str)>) -> String {
        pairs.extend(self.state.as_deref().map(|state| ("state", state)));
        with_query(&self.redirect_uri, &pairs)
    }
}

impl From<RepeatedParameterError> for Refusal {
    fn from(RepeatedParameterError(name): RepeatedParameterError) -> Self {
        page("Error: Invalid request", format!("The parameter “{name}” was sent more than once."))
    }
}

/// # Errors
/// A page as long as client and redirect URI are not known to be good, and for requests that WorkOS
/// has no redirect code for; otherwise the error redirect.
pub fn check(
    environment: &Environment,
    query: &Parameters,
) -> Result<AuthorizationRequest, Refusal> {
    let Common { client_id, reply, challenge, login_hint } = common(environment, query)?;
    if reply.state.as_ref().is_some_and(|state| state.len() > LONGEST_STATE) {
        return Err(long_state());
    }
    let selected = selector(query)?.and_then(|selector| environment.select(selector));
    match selected {
        Ok(connection) => {
            let connection_id = connection.id.clone();
            Ok(AuthorizationRequest { client_id, reply, connection_id, challenge, login_hint })
        }
        Err(error) => Err(Refusal::Redirect(reply.with_error(error))),
    }
}

/// What `/sso/authorize` and `/user_management/authorize` have in common.
#[derive(Debug)]
struct Common {
    client_id: String,
    reply: Reply,
    challenge: Option<CodeChallenge>,
    login_hint: Option<String>,
}

fn common(environment: &Environment, query: &Parameters) -> Result<Common, Refusal> {
    let client = query.one("client_id")?.and_then(|id| environment.client_by_id(id));
    let client = client.ok_or_else(|| {
        let text = "The “client_id” of this request is missing, or belongs to no application here.";
        page("Error: Invalid client ID", text.to_owned())
    })?;
    let redirect_uri =
        allowed_redirect_uri(environment, query)?.ok_or_else(|| unknown_redirect_uri(None))?;
    let challenge = challenge(query)?;
    if query.one("response_type")? != Some("code") {
        return Err(page("Error: Invalid request", "“response_type” has to be “code”.".to_owned()));
    }
    let state = query.one("state")?.map(str::to_owned);
    let login_hint = query.one("login_hint")?.map(str::to_owned);
    let client_id = client.id.clone();
    Ok(Common { client_id, reply: Reply { redirect_uri, state }, challenge, login_hint })
}

fn long_state() -> Refusal {
    page("Error: Invalid request", format!("“state” is longer than {LONGEST_STATE} bytes."))
}

/// The start at the identity provider's side: no client, no state, no PKCE; the answer goes to the
/// default redirect URI or to the one given, as WorkOS takes it from RelayState.
///
/// # Errors
/// A page for a connection that does not exist or a redirect URI that is not allowed; else the
/// error redirect.
pub fn check_idp_initiated(
    environment: &Environment,
    query: &Parameters,
) -> Result<AuthorizationRequest, Refusal> {
    let connection =
        query.one("connection")?.and_then(|id| environment.connection(id)).ok_or_else(|| {
            page(
                "Error: Invalid connection",
                "There is no connection of that ID to start from.".to_owned(),
            )
        })?;
    let redirect_uri = allowed_redirect_uri(environment, query)?;
    let redirect_uri =
        redirect_uri.unwrap_or_else(|| environment.default_redirect_uri().to_owned());
    let reply = Reply { redirect_uri, state: None };
    if let Err(error) = environment.select(ConnectionSelector::Connection(&connection.id)) {
        return Err(Refusal::Redirect(reply.with_error(error)));
    }
    if !connection.idp_initiated {
        let url = reply.with_error(SsoError::IdpInitiatedSsoDisabled);
        let organization_id = connection.organization_id.as_deref().unwrap_or_default();
        let ids = [("connection_id", connection.id.as_str()), ("organization_id", organization_id)];
        return Err(Refusal::Redirect(with_query(&url, &ids)));
    }
    let login_hint = query.one("login_hint")?.map(str::to_owned);
    Ok(AuthorizationRequest {
        client_id: environment.client().id.clone(),
        reply,
        connection_id: connection.id.clone(),
        challenge: None,
        login_hint,
    })
}

fn allowed_redirect_uri(
    environment: &Environment,
    query: &Parameters,
) -> Result<Option<String>, Refusal> {
    match query.one("redirect_uri")? {
        Some(uri) if !environment.allows_redirect_uri(uri) => Err(unknown_redirect_uri(Some(uri))),
        uri => Ok(uri.map(str::to_owned)),
    }
}

fn unknown_redirect_uri(uri: Option<&str>) -> Refusal {
    let text = match uri {
        Some(uri) => format!("“{uri}” is not among the redirect URIs of this application."),
        None => "The request has no “redirect_uri”.".to_owned(),
    };
    page("Error: Invalid redirect URI", text)
}

fn challenge(query: &Parameters) -> Result<Option<CodeChallenge>, Refusal> {
    match (query.one("code_challenge")?, query.one("code_challenge_method")?) {
        (None, None) => Ok(None),
        (Some(text), Some("S256")) if CodeChallenge::parse(text).is_some() => {
            Ok(CodeChallenge::parse(text))
        }
        _ => {
            let text = "“code_challenge” has to be 43 characters of base64url, \
                        “code_challenge_method” “S256”.";
            Err(page("Error: Invalid request", text.to_owned()))
        }
    }
}

fn selector(query: &Parameters) -> Result<Result<ConnectionSelector<'_>, SsoError>, Refusal> {
    if query.one("domain")?.is_some() {
        return Ok(Err(SsoError::DomainConnectionSelectorNotAllowed));
    }
    let given = (query.one("connection")?, query.one("organization")?, query.one("provider")?);
    Ok(match given {
        (Some(id), None, None) => Ok(ConnectionSelector::Connection(id)),
        (None, Some(id), None) => Ok(ConnectionSelector::Organization(id)),
        (None, None, Some(name)) => Ok(ConnectionSelector::Provider(name)),
        _ => Err(SsoError::InvalidConnectionSelector),
    })
}

fn page(title: &'static str, text: String) -> Refusal {
    Refusal::Page { title, text }
}
