//! The operator's requests as HTTP over the socket: one POST each, JSON both ways.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};

use super::{AdminError, AdminErrorKind, Administration, Request};
use super::{EndSessions, ExportAudit, ListSessions, ListUsers};

type Shared = Arc<Administration>;

/// The routes of the socket.
pub fn router(administration: Shared) -> Router {
    let router = Router::new();
    let router = with::<ListSessions>(router);
    let router = with::<EndSessions>(router);
    let router = with::<ListUsers>(router);
    let router = with::<ExportAudit>(router);
    router.with_state(administration)
}

fn with<R: Request>(router: Router<Shared>) -> Router<Shared> {
    router.route(R::PATH, post(carry_out::<R>))
}

async fn carry_out<R: Request>(
    State(administration): State<Shared>,
    Json(request): Json<R>,
) -> Result<Json<R::Answer>, (StatusCode, Json<AdminError>)> {
    match request.carry_out(&administration).await {
        Ok(answer) => Ok(Json(answer)),
        Err(error) => Err((status(error.kind), Json(error))),
    }
}

/// For whoever reads along; the tool reads the body.
const fn status(kind: AdminErrorKind) -> StatusCode {
    match kind {
        AdminErrorKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        AdminErrorKind::Usage => StatusCode::BAD_REQUEST,
        AdminErrorKind::Refused => StatusCode::FORBIDDEN,
        AdminErrorKind::NotFound => StatusCode::NOT_FOUND,
        AdminErrorKind::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
    }
}
