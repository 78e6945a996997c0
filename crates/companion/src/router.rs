//! The routes and the limits around them. CORS is off: no answer ever allows another origin.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use keyport_problems::Problem;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::App;
use crate::pages::{Page, ProblemPage};
use crate::web::OAuthError;
use crate::web::body::{TIME_LIMIT, read_body, read_event};
use crate::web::present::{accepts_html, present};
use crate::web::problem_address::{move_to_clean_address, problem};
use crate::{handoff, oauth, webhooks};

/// Longest that any answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
// Otherwise a caller whose body comes too slowly would be told that the service is at fault.
const _: () = assert!(TIME_LIMIT.as_millis() < ANSWER_TIMEOUT.as_millis());

/// The service.
pub fn router(app: Arc<App>) -> Router {
    proven(&app)
        .merge(browsed(&app))
        .merge(open())
        .merge(told())
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIMEOUT))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), present))
        .with_state(app)
}

/// For the app: requests carry a DPoP proof, or at a revocation may.
fn proven(app: &Arc<App>) -> Router<Arc<App>> {
    let while_set_up = middleware::from_fn_with_state(Arc::clone(app), refuse_while_setup_is_wrong);
    Router::new()
        .route("/oauth/par", post(oauth::par::push).layer(while_set_up))
        .route("/oauth/token", post(oauth::token::token))
        .route("/oauth/userinfo", get(oauth::userinfo::userinfo))
        .route(
            "/oauth/attempt/{attempt}",
            get(oauth::attempt::state).post(oauth::attempt::outcome).delete(oauth::attempt::cancel),
        )
        .route("/oauth/revoke", post(oauth::revoke::revoke))
        .route("/oauth/sessions", get(oauth::sessions::list).delete(oauth::sessions::end_all))
        .route("/oauth/sessions/{id}", delete(oauth::sessions::end))
        .route_layer(middleware::from_fn_with_state(TIME_LIMIT, read_body))
        .route_layer(middleware::from_fn_with_state(Arc::clone(app), hand_out_nonce))
}

/// For the browser.
fn browsed(app: &Arc<App>) -> Router<Arc<App>> {
    let while_set_up = middleware::from_fn_with_state(Arc::clone(app), refuse_while_setup_is_wrong);
    let clean = middleware::from_fn(move_to_clean_address);
    Router::new()
        .route("/", get(async || Page::Home))
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
        .route("/oauth/authorize", get(oauth::authorize::authorize).layer(while_set_up))
        .route("/callback", get(oauth::callback::callback).layer(clean))
        .route("/problem/{code}/{reference}", get(problem))
        .route("/handoff/{grant}", get(handoff::routes::page).post(handoff::routes::answer))
        .route("/handoff/{grant}/go", get(handoff::routes::go))
        .route("/handoff/{grant}/status", get(handoff::routes::status))
        .route_layer(middleware::from_fn_with_state(TIME_LIMIT, read_body))
        .route_layer(middleware::from_fn(refuse_head))
}

/// For any caller, without a proof.
fn open() -> Router<Arc<App>> {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(oauth::metadata::metadata))
        .route("/oauth/jwks", get(oauth::metadata::jwks))
        .route("/oauth/introspect", post(oauth::introspect::introspect))
        .route("/health", get(async || axum::Json(serde_json::json!({ "status": "ok" }))))
        .route("/ready", get(oauth::metadata::ready))
        .route_layer(middleware::from_fn_with_state(TIME_LIMIT, read_body))
}

/// For the provider: each request carries its signature.
fn told() -> Router<Arc<App>> {
    Router::new()
        .route("/webhooks/workos", post(webhooks::receive::workos))
        .route_layer(middleware::from_fn_with_state(TIME_LIMIT, read_event))
}

/// A person who came back from the provider could not be signed in: no code would be exchanged.
async fn refuse_while_setup_is_wrong(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    if !app.setup.now().is_wrong() {
        return next.run(request).await;
    }
    if accepts_html(request.headers()) {
        return Page::Problem(ProblemPage {
            problem: Problem::SetupWrong,
            attempt: None,
            open: None,
            status: StatusCode::SERVICE_UNAVAILABLE,
        })
        .into_response();
    }
    OAuthError::unavailable().with_problem(Problem::SetupWrong).into_response()
}

/// A GET here may use something up, and the framework answers HEAD with the same handler: scanners
/// must not complete a sign-in.
async fn refuse_head(request: Request, next: Next) -> Response {
    if request.method() == Method::HEAD {
        (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")]).into_response()
    } else {
        next.run(request).await
    }
}

/// Every answer of an endpoint that wants a proof carries the nonce for the next one (RFC 9449
/// §8.2).
async fn hand_out_nonce(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(nonce) = HeaderValue::from_str(&app.keys.dpop_nonce(app.now())) {
        response.headers_mut().insert("dpop-nonce", nonce);
    }
    response
}
