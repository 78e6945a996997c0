//! `/idp-initiated`: a sign-in that starts at the identity provider's own portal. The code arrives
//! without a state, at the default redirect URI. Not a WorkOS route: it stands for the tile in the
//! customer's portal.

use axum::extract::{RawForm, RawQuery, State};
use axum::response::Response;

use super::authorize::{show_checked, submit_checked};
use crate::authorization;
use crate::emulator::Emulator;

pub async fn show(State(emulator): State<Emulator>, RawQuery(query): RawQuery) -> Response {
    show_checked(&emulator, query, None, authorization::check_idp_initiated)
}

pub async fn submit(
    State(emulator): State<Emulator>,
    RawQuery(query): RawQuery,
    RawForm(form): RawForm,
) -> Response {
    submit_checked(&emulator, query, &form, authorization::check_idp_initiated)
}
