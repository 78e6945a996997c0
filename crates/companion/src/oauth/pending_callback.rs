//! A callback that waits for its turn at the provider, and the page that it gets when there is
//! none, or when the database is unavailable.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use keyport_problems::Problem;

use super::upstream_authorization::UpstreamAuthorization;
use crate::app::App;
use crate::pages::{Page, ProblemPage};
use crate::upstream::Arrival;
use crate::web::state_cookie::UpstreamState;

/// Seconds after which the page tries again.
const TRY_AGAIN: HeaderValue = HeaderValue::from_static("5");

/// A callback that used nothing: the same address works a moment later, and the page asks for it by
/// itself. Its cookie, sealed anew, carries the place that it holds.
pub struct PendingCallback {
    pub state: UpstreamState,
    pub authorization: Arc<UpstreamAuthorization>,
    pub arrival: Arrival,
}

impl PendingCallback {
    /// The page of a service that cannot go on now, which tries again by itself.
    pub fn try_again(&self, app: &App, problem: Problem) -> Response {
        let page = Page::Problem(ProblemPage {
            problem,
            attempt: None,
            open: None,
            status: StatusCode::SERVICE_UNAVAILABLE,
        });
        let cookie = self.cookie(app).map(|cookie| (header::SET_COOKIE, cookie));
        let again = [(header::RETRY_AFTER, TRY_AGAIN), (header::REFRESH, TRY_AGAIN)];
        (again, AppendHeaders(cookie), page).into_response()
    }

    fn cookie(&self, app: &App) -> Option<HeaderValue> {
        let client = app.client(&self.authorization.request.client_id)?;
        let place = Some(self.arrival.place(app.now()));
        let sealed =
            self.authorization.seal(&self.state, place, &client, &app.keys, &*app.random)?;
        self.state.set_cookie(&sealed, &app.issuer)
    }
}
