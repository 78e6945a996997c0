//! `GET /oauth/userinfo`: who is signed in, for a bound access token and a proof over it (RFC 9449
//! §7).

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::bound::signed_in;
use crate::domain::{Scope, User};
use crate::web::{AppState, OAuthError};

/// See the module.
pub async fn userinfo(
    State(app): AppState,
    method: Method,
    headers: HeaderMap,
) -> Result<Json<Value>, OAuthError> {
    let (session, scope) = signed_in(&app, &headers, &method, "/oauth/userinfo").await?;
    Ok(Json(said(&session.user, &scope)))
}

/// By scope: `email` tells the address, `profile` the name and where the person belongs.
fn said(user: &User, scope: &Scope) -> Value {
    let mut said = json!({ "sub": user.id });
    if scope.has("email") {
        said["email"] = user.email.as_str().into();
    }
    if scope.has("profile") {
        said["name"] = user.name.clone().into();
        if let Some(connection) = &user.connection {
            said["connection_id"] = connection.id.as_str().into();
            said["connection_type"] = connection.kind.as_str().into();
        }
        if let Some(organization) = &user.organization {
            said["org_id"] = organization.id.as_str().into();
            said["organization_name"] = organization.name.clone().into();
        }
    }
    said
}
