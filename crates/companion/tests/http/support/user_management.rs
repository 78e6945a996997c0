//! User Management of the provider: what `/user_management/authenticate` answers next, the keys of
//! its tokens, and a user's sessions.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{NOON, Provider};

/// What it answers and has been asked.
#[derive(Default)]
pub struct UserManagement {
    /// What it answers next; after that, Ada is signed in.
    pub answers: Mutex<VecDeque<(u16, Value)>>,
    pub bodies: Mutex<Vec<Value>>,
    /// Members of Ada's answer that are others.
    pub changes: Mutex<Value>,
    /// Claims of her access token that are others.
    pub claims: Mutex<Value>,
    /// Sessions that have ended, and the status and `Retry-After` of a list that is refused.
    pub ended: Mutex<Vec<String>>,
    pub lists: Mutex<Vec<String>>,
    pub refuse_list: Mutex<Option<(u16, &'static str)>>,
}

pub(super) fn user_management() -> Router<Arc<Provider>> {
    Router::new()
        .route("/user_management/authenticate", post(authenticate))
        .route("/user_management/users/{id}/sessions", get(sessions))
        .route("/sso/jwks/client_1", get(jwks))
}

/// Makes RSA keys once: that takes a while.
static KEYS: LazyLock<[KeyPair; 2]> =
    LazyLock::new(|| [(); 2].map(|()| KeyPair::generate(KeySize::Rsa2048).unwrap()));

/// An access token of WorkOS with these claims; `key` 1 is not in its list.
pub fn workos_token(claims: &Value, key: usize) -> String {
    let der = KEYS[key].as_der().unwrap();
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    header.kid = Some("key_1".into());
    let signing = jsonwebtoken::EncodingKey::from_rsa_der(pkcs1(der.as_ref()));
    jsonwebtoken::encode(&header, claims, &signing).unwrap()
}

/// The RSA key inside PKCS #8: the content of its last octet string.
fn pkcs1(pkcs8: &[u8]) -> &[u8] {
    let start = pkcs8.windows(2).skip(4).position(|window| window == [0x30, 0x82]).unwrap() + 4;
    &pkcs8[start..]
}

async fn jwks() -> Json<Value> {
    let public = KEYS[0].public_key();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    Json(json!({ "keys": [{
        "kty": "RSA", "alg": "RS256", "use": "sig", "kid": "key_1",
        "n": part(public.modulus().big_endian_without_leading_zero()),
        "e": part(public.exponent().big_endian_without_leading_zero()),
    }]}))
}

/// Changes members of an object; null takes one away.
fn change(object: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
            value => object[name] = value.clone(),
        }
    }
}

async fn authenticate(State(provider): State<Arc<Provider>>, Json(body): Json<Value>) -> Response {
    let users = &provider.users;
    users.bodies.lock().unwrap().push(body);
    if let Some((status, answer)) = users.answers.lock().unwrap().pop_front() {
        return (StatusCode::from_u16(status).unwrap(), Json(answer)).into_response();
    }
    let mut answer = json!({
        "user": {
            "object": "user", "id": "user_ada", "email": "ada@acme.test", "email_verified": true,
            "first_name": "Ada", "last_name": "Lovelace", "created_at": "", "updated_at": "",
            "metadata": { "note": "metadata_planted" },
        },
        "organization_id": "org_acme", "authentication_method": "Password",
        "refresh_token": "upstream_refresh_planted",
    });
    change(&mut answer, &users.changes.lock().unwrap());
    let mut claims = json!({
        "iss": format!("{}/", provider.url.get().unwrap()), "sub": answer["user"]["id"],
        "sid": "session_1", "exp": NOON + 300, "iat": NOON, "jti": "1",
    });
    if let Some(organization) = answer.get("organization_id") {
        claims["org_id"] = organization.clone();
    }
    let changes = users.claims.lock().unwrap().clone();
    change(&mut claims, &changes);
    let key = usize::from(changes.get("other_key").is_some());
    answer["access_token"] = workos_token(&claims, key).into();
    Json(answer).into_response()
}

async fn sessions(State(provider): State<Arc<Provider>>, Path(id): Path<String>) -> Response {
    let users = &provider.users;
    users.lists.lock().unwrap().push(id.clone());
    if let Some((status, wait)) = *users.refuse_list.lock().unwrap() {
        let status = StatusCode::from_u16(status).unwrap();
        return (status, [("retry-after", wait)], Json(json!({"message": "no"}))).into_response();
    }
    let ended = users.ended.lock().unwrap().clone();
    let session = |id: &str| {
        let over = ended.iter().any(|ended| ended == id);
        json!({
            "object": "session", "id": id, "user_id": "user_ada", "auth_method": "password",
            "status": if over { "revoked" } else { "active" },
            "expires_at": "2030-01-01T00:00:00.000Z", "ended_at": null,
            "created_at": "", "updated_at": "",
        })
    };
    let data: Vec<Value> = ["session_1", "session_2"].map(session).into();
    let metadata = json!({ "before": null, "after": null });
    Json(json!({ "object": "list", "data": data, "list_metadata": metadata })).into_response()
}
