//! The endpoints of the test companion: who is called with what, and what the simple ones answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Form, Json, Router};
use serde_json::{Value, json};

use super::companion::{Fields, Seen, Shared, World};
use super::tokens::{exchange, refresh};

pub(super) fn router(world: Arc<Shared>) -> Router {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/oauth/par", post(push))
        .route("/oauth/token", post(token))
        .route("/oauth/revoke", post(revoke))
        .route("/oauth/userinfo", get(userinfo))
        .route("/oauth/attempt/{attempt}", any(attempt))
        .with_state(world)
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", shared.issuer);
    Json(json!({
        "issuer": shared.issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "pushed_authorization_request_endpoint": at("/oauth/par"),
        "revocation_endpoint": at("/oauth/revoke"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "jwks_uri": at("/oauth/jwks"),
        "keyport_attempt_endpoint": at("/oauth/attempt"),
        "require_pushed_authorization_requests": true,
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn push(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    shared
        .take("push", Method::POST, "/oauth/par", &headers, None, fields, |world, seen| {
            world.count += 1;
            let request_uri = format!("urn:ietf:params:oauth:request_uri:{}", world.count);
            world
                .pushed
                .insert(request_uri.clone(), (seen.fields.clone(), seen.thumbprint.clone()));
            let answer = json!({"request_uri": request_uri, "expires_in": 600});
            (StatusCode::CREATED, Json(answer)).into_response()
        })
        .await
}

async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let what = if fields["grant_type"] == "refresh_token" { "refresh" } else { "exchange" };
    shared
        .take(what, Method::POST, "/oauth/token", &headers, None, fields, |world, seen| {
            if what == "refresh" { refresh(world, seen) } else { exchange(world, seen) }
        })
        .await
}

async fn revoke(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    if fields.contains_key("session_id") {
        let ended = |_: &mut World, _: &Seen| StatusCode::OK.into_response();
        let (what, path) = ("revoke named", "/oauth/revoke");
        return shared.take(what, Method::POST, path, &headers, None, fields, ended).await;
    }
    let mut world = shared.world.lock().unwrap();
    world.revoked.push(fields["token"].clone());
    shared.changed.send_replace(());
    match &world.revocation {
        Some(body) => Json(body.clone()).into_response(),
        None => StatusCode::OK.into_response(),
    }
}

async fn userinfo(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let token =
        headers["authorization"].to_str().unwrap().strip_prefix("DPoP ").unwrap().to_owned();
    shared
        .take(
            "userinfo",
            Method::GET,
            "/oauth/userinfo",
            &headers,
            Some(&token),
            Fields::new(),
            |world, _| {
                if let Some(claims) = &world.claims {
                    return Json(claims.clone()).into_response();
                }
                Json(json!({
                    "sub": "user_ada", "email": "ada@acme.test", "name": "Ada Lovelace",
                    "org_id": "org_1", "organization_name": "Acme",
                    "connection_id": "conn_1", "connection_type": "OktaSAML",
                }))
                .into_response()
            },
        )
        .await
}

async fn attempt(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let what = match method {
        Method::GET => "standing",
        Method::POST => "report",
        _ => "cancel",
    };
    let fields = Fields::from([("attempt".to_owned(), id.clone())]);
    shared
        .take(what, method, uri.path(), &headers, None, fields, |world, _| match what {
            "standing" => {
                let standing = world.attempts.get(&id).cloned();
                Json(standing.unwrap_or(json!({"state": "waiting"}))).into_response()
            }
            "report" => {
                world.outcomes.push((id.clone(), serde_json::from_slice(&body).unwrap()));
                StatusCode::NO_CONTENT.into_response()
            }
            _ => {
                world.cancelled.push(id.clone());
                StatusCode::NO_CONTENT.into_response()
            }
        })
        .await
}
