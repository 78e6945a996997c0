//! The end of users and memberships: `DELETE` of both, and `PUT …/deactivate` and `…/reactivate` of
//! a membership. Each makes its events; the sessions of a deleted user end. API key required.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::Value;

use super::memberships::shape;
use super::sessions;
use crate::authkit::Agent;
use crate::emulator::Emulator;
use crate::http::answers::ApiError;
use crate::http::key::ApiKey;
use crate::seed::MembershipStatus;

pub async fn delete_user(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let deleted = emulator.transition(Agent::default(), |authkit, context| {
        let user = authkit.users.remove_user(&id)?;
        let sessions: Vec<String> = authkit.sessions.of_user(&id).map(|it| it.id.clone()).collect();
        for session in sessions {
            sessions::end(authkit, context, &session);
        }
        context.record("user.deleted", user.json());
        Some(())
    })?;
    deleted.map(|()| StatusCode::NO_CONTENT).ok_or_else(|| ApiError::not_found("User", &id))
}

pub async fn delete_membership(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let deleted = emulator.transition(Agent::default(), |authkit, context| {
        let membership = authkit.users.remove_membership(&id)?;
        context.record("organization_membership.deleted", membership.event_json());
        Some(())
    })?;
    deleted.map(|()| StatusCode::NO_CONTENT).ok_or_else(|| unknown(&id))
}

pub async fn deactivate(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    change(&emulator, &id, MembershipStatus::Inactive)
}

pub async fn reactivate(
    _: ApiKey,
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    change(&emulator, &id, MembershipStatus::Active)
}

fn change(
    emulator: &Emulator,
    id: &str,
    status: MembershipStatus,
) -> Result<Json<Value>, ApiError> {
    emulator.transition(Agent::default(), |authkit, context| {
        let found = authkit.users.memberships.iter_mut().find(|it| it.id == id);
        let membership = found.ok_or_else(|| unknown(id))?;
        if membership.status == MembershipStatus::Pending {
            let message = "A pending organization membership cannot be reactivated. The user \
                           needs to accept the invitation instead.";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, message)
                .with_code("cannot_reactivate_pending_organization_membership"));
        }
        if membership.status != status {
            (membership.status, membership.updated_at) = (status, context.now);
            let data = membership.event_json();
            context.record("organization_membership.updated", data);
        }
        Ok(())
    })??;
    let shaped = emulator.with(|state| {
        let found = state.authkit.users.memberships.iter().find(|it| it.id == id);
        found.map(|it| shape(state, it))
    });
    shaped.map(Json).ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found("Organization membership", id)
}
