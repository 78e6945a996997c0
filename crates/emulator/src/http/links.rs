//! `/sso/logout/authorize` and `/portal/generate_link` (API key required), and the pages to which
//! their links lead; and the list of redirect URIs.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answers::{ApiError, found, oauth_error, page};
use super::body::{json_object, read_body};
use super::key::ApiKey;
use crate::emulator::{self, Emulator};
use crate::ids::derived;
use crate::listing::{Paging, one};
use crate::pages;
use crate::parameters::Parameters;
use crate::secret::Secret;
use crate::timestamp::SEEDED;

/// The values of `intent`.
const INTENTS: [&str; 7] = [
    "sso",
    "dsync",
    "audit_logs",
    "log_streams",
    "domain_verification",
    "certificate_renewal",
    "bring_your_own_key",
];
/// The only connection type with a sign-out (the text of the error names it).
const WITH_LOGOUT: &str = "GenericOIDC";

/// Where the emulator is, as the caller sees it.
fn base(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    format!("http://{}", host.unwrap_or("127.0.0.1"))
}

pub async fn authorize_logout(
    _: ApiKey,
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let form = read_body(&headers, &body)?;
    let id = one(&form, "profile_id").map_err(ApiError::unprocessable)?;
    let id = id.ok_or_else(|| ApiError::unprocessable("`profile_id` is required."))?;
    let token = emulator::draw_secret()?;
    let supported = emulator.with(|state| {
        let connection = state.links.connection_of(id);
        let connection = connection.and_then(|id| state.environment.connection(id))?;
        let supported = connection.connection_type == WITH_LOGOUT;
        if supported {
            let now = state.now();
            state.links.offer_logout(&token, now);
        }
        Some(supported)
    });
    match supported {
        None => Err(ApiError::not_found("Profile", id)),
        Some(false) => Ok(oauth_error(
            "connection_invalid",
            "Single Logout is only supported for GenericOIDC connections.",
        )),
        Some(true) => {
            let url = format!("{}/sso/logout?token={}", base(&headers), token.expose());
            let answer = json!({ "logout_url": url, "logout_token": token.expose() });
            Ok((StatusCode::CREATED, Json(answer)).into_response())
        }
    }
}

/// In the browser: the session at the provider ends.
pub async fn logout(
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes());
    let token = one(&query, "token").map_err(ApiError::unprocessable)?.map(Secret::from);
    let taken = token.is_some_and(|token| {
        emulator.with(|state| {
            let now = state.now();
            state.links.take_logout(&token, now)
        })
    });
    if !taken {
        let text = "The “token” of this sign-out is missing, was used, or has expired.";
        return Ok(page(StatusCode::BAD_REQUEST, pages::problem("Error: Invalid token", text)));
    }
    emulator.with(|state| state.sessions.end_all());
    Ok(match emulator.with(|state| state.environment.sign_out_redirect(None)) {
        Some(target) => found(&target),
        None => page(StatusCode::OK, pages::notice("You are signed out")),
    })
}

pub async fn generate_portal_link(
    _: ApiKey,
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let body = json_object(&body)?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let organization = text("organization")
        .ok_or_else(|| ApiError::unprocessable("`organization` is required."))?;
    let intent = text("intent").unwrap_or("sso");
    if !INTENTS.contains(&intent) {
        let message = format!("`intent` is one of {}.", INTENTS.join(", "));
        return Err(ApiError::unprocessable(message));
    }
    let contacts = body.get("it_contact_emails").and_then(Value::as_array);
    if contacts.is_some_and(|contacts| contacts.len() > 20) {
        return Err(ApiError::unprocessable("There are more than 20 `it_contact_emails`."));
    }
    let token = emulator::draw_secret()?;
    let known = emulator.with(|state| {
        let known = state.environment.organization(organization).is_some();
        let now = state.now();
        state.links.offer_portal(&token, organization, now);
        known
    });
    if !known {
        return Err(ApiError::not_found("Organization", organization));
    }
    let link = format!("{}/portal?token={}", base(&headers), token.expose());
    Ok((StatusCode::CREATED, Json(json!({ "link": link }))))
}

/// The page that stands in for the admin portal.
pub async fn portal(
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes());
    let token = one(&query, "token").map_err(ApiError::unprocessable)?.map(Secret::from);
    let name = emulator.with(|state| {
        let organization = state.links.portal(&token?, state.now())?;
        Some(state.environment.organization(organization)?.name.clone())
    });
    Ok(match name {
        Some(name) => page(StatusCode::OK, pages::notice(&format!("Admin portal of {name}"))),
        None => {
            let text = "This link to the admin portal is not known, or has expired.";
            page(StatusCode::BAD_REQUEST, pages::problem("Error: Invalid link", text))
        }
    })
}

/// `GET /user_management/redirect_uris`, with the default one.
pub async fn redirect_uris(
    _: ApiKey,
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes());
    let paging = Paging::read(&query).map_err(ApiError::unprocessable)?;
    let rows: Vec<(String, String, bool)> = emulator.with(|state| {
        let uris = state.environment.redirect_uris();
        uris.map(|(uri, default)| (derived("ruri_", &[&uri]), uri, default)).collect()
    });
    let page = paging.page(rows.iter(), |(id, ..)| id, |_| true);
    let shape = |(id, uri, default): &(String, String, bool)| {
        json!({
            "object": "redirect_uri",
            "id": id,
            "uri": uri,
            "default": default,
            "created_at": SEEDED,
            "updated_at": SEEDED,
        })
    };
    Ok(Json(page.map_err(ApiError::unprocessable)?.json(shape)))
}
