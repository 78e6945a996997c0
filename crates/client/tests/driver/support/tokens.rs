//! What the test companion's token endpoint gives and refuses.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::companion::{Seen, World};

pub(super) fn exchange(world: &mut World, seen: &Seen) -> Response {
    let Some(request_uri) = world.codes.remove(&seen.fields["code"]) else {
        return invalid_grant(None);
    };
    let (pushed, thumbprint) = world.pushed[&request_uri].clone();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&seen.fields["code_verifier"]));
    assert_eq!(pushed["code_challenge"], challenge);
    assert_eq!(pushed["code_challenge_method"], "S256");
    assert_eq!(pushed["redirect_uri"], seen.fields["redirect_uri"]);
    assert_eq!(thumbprint, seen.thumbprint, "the key that pushed redeems");
    // One person here, so one session for each key.
    let older = world.current.iter().filter(|(_, key)| **key == seen.thumbprint);
    let older: Vec<String> = older.map(|(token, _)| token.clone()).collect();
    world.current.retain(|_, key| *key != seen.thumbprint);
    world.children.retain(|_, child| !older.contains(child));
    world.ended.extend(older);
    world.count += 1;
    let refresh = format!("kpr_canary-{}", world.count);
    world.current.insert(refresh.clone(), seen.thumbprint.clone());
    let mut answer = tokens(world, &refresh);
    for (name, value) in world.answer.iter().flat_map(Value::as_object).flatten() {
        answer[name] = value.clone();
    }
    if world.is_plain {
        return Json(answer).into_response();
    }
    if let Some(account) = &world.account {
        answer["keyport_account"] = account.clone();
        return Json(answer).into_response();
    }
    answer["keyport_account"] = json!({
        "sub": "user_ada",
        "email": "ada@acme.test",
        "name": "Ada Lovelace",
        "organization": {"id": "org_1", "name": "Acme"},
        "connection": {"id": "conn_1", "type": "OktaSAML"},
    });
    Json(answer).into_response()
}

/// The rule of the design: the current token rotates, its immediate parent gives the same child
/// until that child is presented.
pub(super) fn refresh(world: &mut World, seen: &Seen) -> Response {
    let presented = &seen.fields["refresh_token"];
    if world.over || world.ended.contains(presented) {
        return invalid_grant(world.problem);
    }
    if let Some(child) = world.children.get(presented).cloned() {
        return Json(tokens(world, &child)).into_response();
    }
    match world.current.remove(presented) {
        Some(thumbprint) if thumbprint == seen.thumbprint => {
            world.children.retain(|_, child| child != presented);
            world.count += 1;
            let child = format!("kpr_canary-{}", world.count);
            world.current.insert(child.clone(), thumbprint);
            world.children.insert(presented.clone(), child.clone());
            Json(tokens(world, &child)).into_response()
        }
        _ => {
            world.over = true;
            invalid_grant(world.problem)
        }
    }
}

fn tokens(world: &mut World, refresh: &str) -> Value {
    world.count += 1;
    let access = format!("at_canary-{}", world.count);
    world.given.extend([access.clone(), refresh.to_owned()]);
    json!({
        "access_token": access,
        "token_type": "DPoP",
        "expires_in": 300,
        "refresh_token": refresh,
        "keyport_session": "session_1",
        "scope": "openid profile email offline_access",
    })
}

fn invalid_grant(problem: Option<&str>) -> Response {
    let mut body = json!({"error": "invalid_grant", "request_id": "request-1"});
    if let Some(problem) = problem {
        body["keyport_problem"] = problem.into();
    }
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}
