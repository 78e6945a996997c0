//! `GET /user_management/authorize`: on to the hosted page, or to the page of the identity provider
//! that the request selects; both have paths of their own and get the request in their query.

use axum::extract::{RawForm, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::authorization::{Way, check_authkit};
use crate::emulator::Emulator;
use crate::http::answers::{found, refusal};
use crate::http::sign_in::{self, Flow};
use crate::parameters::Parameters;

/// AuthKit's own page.
pub const HOSTED_PATH: &str = "/authkit/sign-in";
/// The page of an identity provider, on behalf of AuthKit.
pub const PROVIDER_PATH: &str = "/identity-provider/authkit";

pub async fn authorize(State(emulator): State<Emulator>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let parameters = Parameters::parse(query.as_bytes());
    let checked = emulator.with(|state| check_authkit(&state.environment, &parameters));
    match checked.map(|request| request.way) {
        Ok(Way::Hosted(_)) => found(&format!("{HOSTED_PATH}?{query}")),
        Ok(Way::Connection(_)) => found(&format!("{PROVIDER_PATH}?{query}")),
        Err(refused) => refusal(refused, found),
    }
}

pub async fn show_provider(
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    sign_in::show(Flow::AuthKit, &emulator, query, &headers)
}

pub async fn submit_provider(
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
    RawForm(form): RawForm,
) -> Response {
    sign_in::submit(Flow::AuthKit, &emulator, query, &form)
}
