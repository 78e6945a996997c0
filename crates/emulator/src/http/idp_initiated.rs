//! `/idp-initiated`: a sign-in that starts at the identity provider's own portal. The code arrives
//! without a state, at the default redirect URI. Not a WorkOS route: it stands for the tile in the
//! customer's portal.

use axum::extract::{RawForm, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::sign_in::{self, Flow};
use crate::emulator::Emulator;

pub async fn show(
    State(emulator): State<Emulator>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    sign_in::show(Flow::IdpInitiated, &emulator, query, &headers)
}

pub async fn submit(
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
    RawForm(form): RawForm,
) -> Response {
    sign_in::submit(Flow::IdpInitiated, &emulator, query, &form)
}
