//! `POST /user_management/authenticate`: a form or JSON, one grant each. The client is checked
//! before a code or a token is touched.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::authkit::{Agent, AuthKit, Authenticated, AuthenticationError, Context};
use crate::emulator::Emulator;
use crate::environment::Environment;
use crate::http::answers::ApiError;
use crate::http::body::read_body;
use crate::parameters::{Parameters, RepeatedParameterError};
use crate::secret::Secret;
use crate::sign_in::PASSWORD;
use crate::timestamp::Timestamp;

const EMAIL_VERIFICATION: &str = "urn:workos:oauth:grant-type:email-verification:code";
const MFA_TOTP: &str = "urn:workos:oauth:grant-type:mfa-totp";
const ORGANIZATION_SELECTION: &str = "urn:workos:oauth:grant-type:organization-selection";

/// Why there is no session.
enum Refused {
    Request(ApiError),
    Authentication(AuthenticationError),
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self::Request(error)
    }
}

impl From<AuthenticationError> for Refused {
    fn from(error: AuthenticationError) -> Self {
        Self::Authentication(error)
    }
}

impl IntoResponse for AuthenticationError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::BAD_REQUEST);
        (status, [(header::CACHE_CONTROL, "no-store")], Json(self.body())).into_response()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Request(error) => error.into_response(),
            Self::Authentication(error) => error.into_response(),
        }
    }
}

pub async fn authenticate(
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let form = match read_body(&headers, &body) {
        Ok(form) => Form(form),
        Err(refused) => return Ok(refused.into_response()),
    };
    let agent =
        Agent { ip_address: form.text("ip_address")?, user_agent: form.text("user_agent")? };
    let outcome = emulator.transition(agent, |authkit, context| {
        let client_id = form.client(context.environment)?;
        let authenticated = form.grant(authkit, context, &client_id)?;
        let claims = claims(context.environment, &authenticated, &client_id, context.now);
        Ok::<_, Refused>((authenticated, claims))
    })?;
    let (authenticated, claims) = match outcome {
        Ok(done) => done,
        Err(refused) => return Ok(refused.into_response()),
    };
    let access_token = emulator.signing_key()?.sign(&claims)?;
    let answer = json!({
        "user": authenticated.user,
        "organization_id": authenticated.organization_id,
        "access_token": access_token.expose(),
        "refresh_token": authenticated.refresh_token.expose(),
        "authentication_method": authenticated.method.name(),
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// The claims of an access token (workos.com/docs/authkit/sessions).
fn claims(
    environment: &Environment,
    authenticated: &Authenticated,
    client_id: &str,
    now: Timestamp,
) -> Value {
    let settings = environment.authkit();
    let mut claims = json!({
        "iss": settings.issuer,
        "sub": authenticated.user_id,
        "sid": authenticated.session_id,
        "jti": authenticated.token_id,
        "client_id": client_id,
        "iat": now.seconds(),
        "exp": now.seconds() + settings.access_token_lifetime_seconds,
    });
    if let Some(organization_id) = &authenticated.organization_id {
        claims["org_id"] = json!(organization_id);
        claims["role"] = json!(authenticated.role);
        claims["roles"] = json!(authenticated.role.iter().collect::<Vec<_>>());
        claims["permissions"] = json!([]);
    }
    claims
}

struct Form(Parameters);

impl Form {
    fn one(&self, name: &'static str) -> Result<Option<&str>, ApiError> {
        self.0.one(name).map_err(|RepeatedParameterError(name)| {
            ApiError::invalid_parameters(format!("`{name}` was sent more than once."))
        })
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, ApiError> {
        Ok(self.one(name)?.map(str::to_owned))
    }

    fn required(&self, name: &'static str) -> Result<&str, ApiError> {
        let message = || ApiError::invalid_parameters(format!("`{name}` is required."));
        self.one(name)?.ok_or_else(message)
    }

    fn secret(&self, name: &'static str) -> Result<Secret, ApiError> {
        self.required(name).map(Secret::from)
    }

    /// The id of the client that asks; a secret that is there has to be right.
    fn client(&self, environment: &Environment) -> Result<String, Refused> {
        let client = self.one("client_id")?.and_then(|id| environment.client_by_id(id));
        let secret = self.one("client_secret")?.map(Secret::from);
        match client {
            Some(client) if secret.is_none_or(|secret| secret == client.api_key) => {
                Ok(client.id.clone())
            }
            _ => {
                let description = "Invalid client ID or client secret.";
                Err(AuthenticationError::oauth("invalid_client", description).into())
            }
        }
    }

    fn needs_secret(&self) -> Result<(), Refused> {
        match self.one("client_secret")? {
            Some(_) => Ok(()),
            None => {
                let description = "This grant needs the client secret.";
                Err(AuthenticationError::oauth("invalid_client", description).into())
            }
        }
    }

    fn grant(
        &self,
        authkit: &mut AuthKit,
        context: &mut Context<'_>,
        client_id: &str,
    ) -> Result<Authenticated, Refused> {
        let token = || self.secret("pending_authentication_token");
        let signed_in = match self.required("grant_type")? {
            "authorization_code" => {
                let verifier = self.one("code_verifier")?.map(Secret::from);
                if verifier.is_none() {
                    self.needs_secret()?;
                }
                let code = self.secret("code")?;
                self.no_invitation()?;
                authkit.redeem(context, &code, client_id, verifier.as_ref())?
            }
            "refresh_token" => {
                let (token, organization) =
                    (self.secret("refresh_token")?, self.one("organization_id")?);
                return Ok(authkit.refresh(context, client_id, &token, organization)?);
            }
            "password" => {
                self.needs_secret()?;
                let right = self.required("password")? == PASSWORD;
                let email = self.required("email")?;
                self.no_invitation()?;
                authkit.sign_in_with_password(client_id, email, right)?
            }
            EMAIL_VERIFICATION => {
                self.needs_secret()?;
                authkit.verify_email(context, client_id, &token()?, &self.secret("code")?)?
            }
            MFA_TOTP => {
                self.needs_secret()?;
                let (id, code) =
                    (self.required("authentication_challenge_id")?, self.secret("code")?);
                authkit.pass_mfa(context, client_id, &token()?, (id, &code))?
            }
            ORGANIZATION_SELECTION => {
                self.needs_secret()?;
                let id = self.required("organization_id")?;
                authkit.select_organization(context, client_id, &token()?, id)?
            }
            _ => {
                let description = "The grant type is not supported.";
                return Err(AuthenticationError::oauth("invalid_request", description).into());
            }
        };
        let signed_in = authkit.proceed(context, signed_in)?;
        Ok(authkit.begin_session(context, &signed_in)?)
    }

    /// There are no invitations here, so no token can be one.
    fn no_invitation(&self) -> Result<(), Refused> {
        match self.one("invitation_token")? {
            None => Ok(()),
            Some(_) => {
                let description = "The invitation is invalid or has expired.";
                Err(AuthenticationError::oauth("invitation_invalid", description).into())
            }
        }
    }
}
