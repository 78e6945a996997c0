//! A provider that answers as WorkOS does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::user_management::{UserManagement, user_management};

/// What the provider knows and has been asked.
#[derive(Default)]
pub struct Provider {
    pub exchanges: AtomicUsize,
    pub bodies: Mutex<Vec<Value>>,
    pub profiles: Mutex<BTreeMap<String, Value>>,
    pub refuse_with: Mutex<Option<(u16, Value)>>,
    /// `Retry-After` of that refusal.
    pub retry_after: Mutex<Option<&'static str>>,
    pub lookups: AtomicUsize,
    /// The list of events, the oldest first, and how it was asked for.
    pub events: Mutex<Vec<Value>>,
    pub event_queries: Mutex<Vec<BTreeMap<String, String>>>,
    pub hold: Mutex<Option<Arc<tokio::sync::Semaphore>>>,
    pub users: UserManagement,
    pub url: OnceLock<String>,
}

pub(super) async fn start_provider() -> (Arc<Provider>, String) {
    let provider = Arc::new(Provider::default());
    let routes = Router::new()
        .route("/sso/authorize", get(authorization))
        .route("/sso/token", post(exchange))
        .route("/connections", get(connections))
        .route("/connections/{id}", get(connection))
        .route("/organizations/{id}", get(organization))
        .route("/events", get(events))
        .merge(user_management())
        .with_state(Arc::clone(&provider));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    provider.url.set(url.clone()).unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (provider, url)
}

/// Ada of Acme, as `/sso/token` tells of her.
pub fn ada() -> Value {
    json!({
        "object": "profile", "id": "prof_1", "organization_id": "org_acme",
        "connection_id": "conn_acme", "connection_type": "OktaSAML", "idp_id": "ada-1",
        "email": "ada@acme.test", "first_name": "Ada", "last_name": "Lovelace",
        "name": "Ada Lovelace", "raw_attributes": { "secret": "raw_attribute_planted" },
    })
}

async fn exchange(State(provider): State<Arc<Provider>>, Json(body): Json<Value>) -> Response {
    provider.exchanges.fetch_add(1, Ordering::SeqCst);
    provider.bodies.lock().unwrap().push(body.clone());
    let hold = provider.hold.lock().unwrap().clone();
    if let Some(hold) = hold {
        hold.acquire().await.unwrap().forget();
    }
    if let Some((status, answer)) = provider.refuse_with.lock().unwrap().clone() {
        return refusal(status, answer);
    }
    let profile = provider
        .profiles
        .lock()
        .unwrap()
        .get(body["code"].as_str().unwrap())
        .cloned()
        .unwrap_or_else(ada);
    let answer = json!({
        "token_type": "Bearer", "access_token": "upstream_planted", "expires_in": 600,
        "profile": profile,
    });
    Json(answer).into_response()
}

/// Text is the page of a gateway in between.
fn refusal(status: u16, answer: Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    match answer {
        Value::String(page) => (status, Html(page)).into_response(),
        answer => (status, Json(answer)).into_response(),
    }
}

/// As far as a request without a selector comes: a page of its own for an unknown client, else
/// straight back.
async fn authorization(Query(query): Query<BTreeMap<String, String>>) -> Response {
    let redirect_uri = "http://127.0.0.1:8788/callback";
    if query["client_id"] != "client_1" || query["redirect_uri"] != redirect_uri {
        return (StatusCode::BAD_REQUEST, "Error: Invalid redirect URI").into_response();
    }
    let back = format!("{redirect_uri}?error=invalid_connection_selector");
    (StatusCode::FOUND, [("location", back)]).into_response()
}

fn listed(id: &str, organization: &str, state: &str, domain: &str) -> Value {
    json!({
        "object": "connection", "id": id, "organization_id": organization,
        "connection_type": "OktaSAML", "name": "A connection", "state": state, "status": "linked",
        "created_at": "", "updated_at": "",
        "domains": [{ "id": "org_domain_1", "object": "connection_domain", "domain": domain }],
    })
}

fn all_connections() -> Vec<Value> {
    vec![
        listed("conn_acme", "org_acme", "active", "acme.test"),
        listed("conn_evil", "org_evil", "active", "evil.test"),
        listed("conn_off", "org_acme", "inactive", "off.test"),
        listed("conn_twin_a", "org_acme", "active", "twin.test"),
        listed("conn_twin_b", "org_acme", "active", "twin.test"),
    ]
}

async fn connections(
    State(provider): State<Arc<Provider>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    provider.lookups.fetch_add(1, Ordering::SeqCst);
    let mut headers = HeaderMap::new();
    if let Some((status, answer)) = provider.refuse_with.lock().unwrap().clone() {
        if let Some(seconds) = *provider.retry_after.lock().unwrap() {
            headers.insert("retry-after", HeaderValue::from_static(seconds));
        }
        return (headers, refusal(status, answer)).into_response();
    }
    let domain = query.get("domain").cloned().unwrap_or_default();
    let data: Vec<Value> = all_connections()
        .into_iter()
        .filter(|connection| connection["domains"][0]["domain"] == domain.as_str())
        .collect();
    let metadata = json!({ "before": null, "after": null });
    let list = json!({ "object": "list", "data": data, "list_metadata": metadata });
    (headers, Json(list)).into_response()
}

async fn events(
    State(provider): State<Arc<Provider>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    provider.event_queries.lock().unwrap().push(query.clone());
    if let Some((status, answer)) = provider.refuse_with.lock().unwrap().clone() {
        let wait = provider.retry_after.lock().unwrap().unwrap_or("1");
        return ([("retry-after", wait)], refusal(status, answer)).into_response();
    }
    let all = provider.events.lock().unwrap().clone();
    let begin = match query.get("after") {
        None => 0,
        Some(after) => match all.iter().position(|event| event["id"] == after.as_str()) {
            Some(place) => place + 1,
            None => {
                let message = json!({ "message": "no such event" });
                return (StatusCode::UNPROCESSABLE_ENTITY, Json(message)).into_response();
            }
        },
    };
    let page: Vec<Value> =
        all.into_iter().skip(begin).take(query["limit"].parse().unwrap()).collect();
    Json(json!({ "object": "list", "data": page, "list_metadata": { "after": null } }))
        .into_response()
}

async fn connection(Path(id): Path<String>) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let found = all_connections().into_iter().find(|connection| connection["id"] == id.as_str());
    found.map(Json).ok_or((StatusCode::NOT_FOUND, Json(json!({ "message": "no such connection" }))))
}

async fn organization(Path(id): Path<String>) -> Json<Value> {
    Json(json!({
        "object": "organization", "id": id, "name": "Acme Rockets", "domains": [], "metadata": {},
        "created_at": "", "updated_at": "",
    }))
}
