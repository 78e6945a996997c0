//! The operator's requests as HTTP over the socket: one POST each, JSON both ways.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};

use super::{AdminError, AdminErrorKind, Administration, Request};
use super::{
    DeleteConnection, EndSessions, ExportAudit, ListCertificates, ListConnections,
    ListOrganizations, ListSessions, ListUsers, MakePortalLink, RunCheck, ShowConnection,
    ShowOrganization, WriteConnection,
};

type Shared = Arc<Administration>;

/// The routes of the socket.
pub fn router(administration: Shared) -> Router {
    let router = Router::new();
    let router = with::<ListSessions>(router);
    let router = with::<EndSessions>(router);
    let router = with::<ListUsers>(router);
    let router = with::<ExportAudit>(router);
    let router = with::<ListConnections>(router);
    let router = with::<ShowConnection>(router);
    let router = with::<WriteConnection>(router);
    let router = with::<DeleteConnection>(router);
    let router = with::<ListCertificates>(router);
    let router = with::<ListOrganizations>(router);
    let router = with::<ShowOrganization>(router);
    let router = with::<MakePortalLink>(router);
    let router = with::<RunCheck>(router);
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
