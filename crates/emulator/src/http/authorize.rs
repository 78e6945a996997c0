//! `/sso/authorize`: the sign-in page of the identity provider behind the connection that the
//! request selects.

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
    sign_in::show(Flow::Sso, &emulator, query, &headers)
}

pub async fn submit(
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
    RawForm(form): RawForm,
) -> Response {
    sign_in::submit(Flow::Sso, &emulator, query, &form)
}
