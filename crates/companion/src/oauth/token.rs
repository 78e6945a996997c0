//! `POST /oauth/token`: a code or a refresh token for a session (RFC 6749 §4.1.3 and §6, RFC 9449
//! §5). The order of refusals is the storage's; only `invalid_grant` is terminal for the client.

use std::net::IpAddr;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Value, json};

use super::gate::prove;
use crate::app::App;
use crate::clients::ClientRecord;
use crate::domain::{
    EndedBecause, IssuedSession, PeerAddress, RefreshRefusal, Scope, SecretText, Session,
    SessionId, SessionSelector, Thumbprint, Timestamp,
};
use crate::keys::{AccessClaims, AuthorizationCode, Confirmation};
use crate::storage::{RedeemCode, Redemption, RotateRefresh, Rotation};
use crate::web::form::Form;
use crate::web::present::AboutSession;
use crate::web::{AppState, OAuthError};

/// A successful answer (RFC 6749 §5.1).
#[derive(Serialize)]
pub struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// The session: by this name a device that signed out offline ends it later.
    keyport_session: SessionId,
    /// Who signed in; with a code only.
    #[serde(skip_serializing_if = "Option::is_none")]
    keyport_account: Option<Value>,
}

type Answer = (Extension<AboutSession>, Json<TokenResponse>);

/// See the module.
pub async fn token(
    State(app): AppState,
    Extension(peer): Extension<PeerAddress>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, OAuthError> {
    let jkt = prove(&app, &headers, &method, "/oauth/token", None)?;
    let form = Form::from_body(&headers, &body)?;
    let client = app.client(form.required("client_id")?).ok_or(OAuthError::invalid_client())?;
    check_resource(&app, &form)?;
    let sender = Sender { client: &client, jkt, address: Some(peer.0.to_canonical()) };
    match form.required("grant_type")? {
        "authorization_code" => redeem(&app, &form, &sender).await,
        "refresh_token" => rotate(&app, &form, &sender).await,
        _ => Err(OAuthError::new(
            "unsupported_grant_type",
            "authorization_code and refresh_token are supported",
        )),
    }
}

/// The only resource there is, is this service itself (RFC 8707).
pub(super) fn check_resource(app: &App, form: &Form) -> Result<(), OAuthError> {
    match form.value("resource") {
        Some(resource) if resource.trim_end_matches('/') != app.issuer.as_str() => {
            Err(OAuthError::new("invalid_target", "no such resource"))
        }
        _ => Ok(()),
    }
}

/// Whom a request to the token endpoint comes from.
struct Sender<'a> {
    client: &'a ClientRecord,
    /// The device key of the proof.
    jkt: Thumbprint,
    address: Option<IpAddr>,
}

async fn redeem(app: &App, form: &Form, sender: &Sender<'_>) -> Result<Answer, OAuthError> {
    let redemption = RedeemCode {
        code: AuthorizationCode::received(form.required("code")?),
        client_id: sender.client.id.clone(),
        jkt: sender.jkt,
        address: sender.address,
        verifier: SecretText::new(form.required("code_verifier")?),
        redirect_uri: form.owned("redirect_uri"),
    };
    let now = app.now();
    match app.storage.redeem_code(redemption, now).await? {
        Redemption::Redeemed(issued) => {
            still_admitted(app, &issued.session).await?;
            let (session, user) = (issued.session.id, issued.session.user.id);
            tracing::info!(%session, %user, "signed in");
            let scope = sender.client.granted(&issued.session.scope);
            let keyport_account = Some(account(&issued.session));
            let answer = TokenResponse { keyport_account, ..answer(app, &issued, &scope, now) };
            Ok((Extension(AboutSession(session)), Json(answer)))
        }
        Redemption::Refused(reason) => {
            tracing::warn!(?reason, "code refused");
            Err(OAuthError::invalid_grant())
        }
    }
}

async fn rotate(app: &App, form: &Form, sender: &Sender<'_>) -> Result<Answer, OAuthError> {
    let token = SecretText::new(form.required("refresh_token")?);
    let now = app.now();
    let Sender { client, jkt, address } = *sender;
    let request = RotateRefresh { token, client_id: client.id.clone(), jkt, address };
    match app.storage.rotate_refresh(request, now).await? {
        Rotation::Rotated(issued) => {
            still_admitted(app, &issued.session).await?;
            let scope = narrowed(form.value("scope"), &client.granted(&issued.session.scope));
            let about = AboutSession(issued.session.id);
            Ok((Extension(about), Json(answer(app, &issued, &scope, now))))
        }
        Rotation::Refused(reason) => {
            tracing::warn!(?reason, "refresh token refused");
            let told = match reason {
                RefreshRefusal::Ended(because) => because.problem(),
                _ => None,
            };
            Err(OAuthError { problem: told, ..OAuthError::invalid_grant() })
        }
    }
}

/// Admission is judged again before a token leaves: the operator may have changed the rules. A
/// person who is not admitted any more is signed out on this device.
async fn still_admitted(app: &App, session: &Session) -> Result<(), OAuthError> {
    let Err(problem) =
        app.policy.now().admit_user(&session.user, |kind| app.upstreams.is_social(kind))
    else {
        return Ok(());
    };
    let because = EndedBecause::NotAdmitted;
    app.storage.end_sessions(SessionSelector::Session(session.id), because, app.now()).await?;
    tracing::warn!(session = %session.id, problem = problem.code(), "not admitted any more");
    Err(OAuthError { problem: because.problem(), ..OAuthError::invalid_grant() })
}

/// A refresh may ask for less, never for more (RFC 6749 §6); what it asks beyond is ignored.
fn narrowed(asked: Option<&str>, granted: &Scope) -> Scope {
    let Some(asked) = asked else { return granted.clone() };
    let both: Vec<&str> = asked.split(' ').filter(|word| granted.has(word)).collect();
    Scope::parse(&both.join(" "))
}

fn answer(app: &App, issued: &IssuedSession, scope: &Scope, now: Timestamp) -> TokenResponse {
    let ends = issued.access_deadline.seconds();
    let claims = claims(app, &issued.session, scope, now, ends);
    TokenResponse {
        access_token: app.keys.access_token_key().sign(&claims).expose().to_owned(),
        token_type: "DPoP",
        expires_in: ends - now.seconds(),
        scope: scope.as_str().to_owned(),
        refresh_token: issued.refresh_token.as_ref().map(|token| token.expose().to_owned()),
        keyport_session: issued.session.id,
        keyport_account: None,
    }
}

fn claims(app: &App, session: &Session, scope: &Scope, now: Timestamp, ends: i64) -> AccessClaims {
    let mut id = [0; 16];
    app.random.fill(&mut id);
    AccessClaims {
        iss: app.issuer.as_str().to_owned(),
        aud: app.issuer.as_str().to_owned(),
        sub: session.user.id,
        sid: session.id,
        client_id: session.client_id.clone(),
        org_id: session.user.organization.as_ref().map(|organization| organization.id.clone()),
        connection_id: session.user.connection.as_ref().map(|connection| connection.id.clone()),
        auth_time: session.auth_time.seconds(),
        scope: scope.as_str().to_owned(),
        cnf: Confirmation { jkt: session.jkt },
        jti: base16ct::lower::encode_string(&id),
        iat: now.seconds(),
        exp: ends,
    }
}

fn account(session: &Session) -> Value {
    let user = &session.user;
    json!({
        "sub": user.id,
        "email": user.email,
        "name": user.name,
        "organization": user.organization,
        "connection": user.connection,
    })
}
