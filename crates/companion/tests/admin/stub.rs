//! A provider whose every answer can be planted, and the administration of a service that uses it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use keyport_companion::admin::Administration;
use keyport_companion::admission::AdmissionPolicy;
use keyport_companion::ambient::Clock;
use keyport_companion::app::{App, Parts};
use keyport_companion::clients::ClientRecord;
use keyport_companion::config::UpstreamSettings;
use keyport_companion::domain::{Random, SecretText, SystemRandom, Timestamp};
use keyport_companion::issuer::Issuer;
use keyport_companion::keys::{KeyFile, Keys};
use keyport_companion::storage::{SqliteSettings, SqliteStorage, StorageParts};
use keyport_companion::upstream::Upstreams;
use keyport_companion::upstream::workos_sso::WorkosSso;
use keyport_messages::Messages;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The time of the service, and what the provider says it is.
pub const NOON: i64 = 1_800_000_000;
const NOON_THERE: &str = "Fri, 15 Jan 2027 08:00:00 GMT";
/// The public address.
pub const ISSUER: &str = "https://sign-in.acme.test";

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(NOON)
    }
}

/// What is planted: status and body by method and path, and more.
pub struct Plan {
    pub answers: BTreeMap<&'static str, (u16, Value)>,
    pub date: &'static str,
    pub retry_after: Option<&'static str>,
    pub api_key: &'static str,
    pub client_id: &'static str,
    pub issuer: &'static str,
    pub organizations: Vec<String>,
}

pub fn list(items: &[Value]) -> (u16, Value) {
    let metadata = json!({ "before": null, "after": null });
    (200, json!({ "object": "list", "data": items, "list_metadata": metadata }))
}

pub fn redirect(uri: &str, default: bool) -> Value {
    json!({ "object": "redirect_uri", "id": "redirect_1", "uri": uri, "default": default,
            "created_at": "", "updated_at": "" })
}

pub fn webhook(status: &str) -> Value {
    json!({ "object": "webhook_endpoint", "id": "we_1", "status": status, "events": [],
            "endpoint_url": format!("{ISSUER}/webhooks/workos"), "secret": "planted_webhook_secret",
            "created_at": "", "updated_at": "" })
}

pub fn connection(state: &str) -> Value {
    json!({ "object": "connection", "id": "conn_acme", "organization_id": "org_acme",
            "connection_type": "OktaSAML", "name": "Acme", "state": state, "status": "linked",
            "domains": [], "created_at": "", "updated_at": "" })
}

pub fn certificate(until: &str) -> Value {
    json!({ "object": "saml_idp_signing_certificate", "id": "cert_1", "value": "PEM",
            "not_before": "2026-01-01T00:00:00.000Z", "not_after": until, "created_at": "" })
}

impl Default for Plan {
    /// Everything is right.
    fn default() -> Self {
        let organization = json!({ "object": "organization", "id": "org_acme", "name": "Acme",
            "domains": [], "metadata": {}, "created_at": "", "updated_at": "" });
        let certificates =
            [certificate("2026-12-01T00:00:00.000Z"), certificate("2027-06-01T00:00:00.000Z")];
        let answers = BTreeMap::from([
            ("GET /connections", list(&[connection("active")])),
            ("GET /connections/conn_acme", (200, connection("active"))),
            ("POST /sso/token", (400, json!({ "error": "invalid_grant" }))),
            ("GET /organizations/org_acme", (200, organization)),
            (
                "GET /user_management/redirect_uris",
                list(&[redirect(&format!("{ISSUER}/callback"), true)]),
            ),
            ("GET /webhook_endpoints", list(&[webhook("enabled")])),
            (
                "GET /connections/conn_acme/saml_idp_signing_certs",
                (200, json!({ "object": "list", "data": certificates })),
            ),
        ]);
        Self {
            answers,
            date: NOON_THERE,
            retry_after: None,
            api_key: "sk_test_planted",
            client_id: "client_planted",
            issuer: ISSUER,
            organizations: vec!["org_acme".to_owned()],
        }
    }
}

impl Plan {
    pub fn answering(mut self, route: &'static str, answer: (u16, Value)) -> Self {
        self.answers.insert(route, answer);
        self
    }
}

async fn answer(State(plan): State<Arc<Mutex<Plan>>>, method: Method, uri: Uri) -> Response {
    let plan = plan.lock().unwrap();
    let route = format!("{method} {}", uri.path());
    let absent = (404, json!({ "message": "Not Found" }));
    let (status, body) = plan.answers.get(route.as_str()).cloned().unwrap_or(absent);
    let mut response = (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
    response.headers_mut().insert("date", plan.date.parse().unwrap());
    if let Some(seconds) = plan.retry_after {
        response.headers_mut().insert("retry-after", seconds.parse().unwrap());
    }
    response
}

/// A service with files of its own and the provider of a plan.
pub struct Office {
    pub administration: Administration,
    pub folder: tempfile::TempDir,
}

impl Office {
    pub async fn open(plan: Plan) -> Self {
        let (api_key, client_id) = (plan.api_key, plan.client_id.to_owned());
        let (issuer, organizations) = (plan.issuer, plan.organizations.clone());
        let routes = Router::new().fallback(answer).with_state(Arc::new(Mutex::new(plan)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let settings = UpstreamSettings {
            base_url,
            client_id,
            api_key: SecretText::new(api_key),
            authkit_domain: None,
        };
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("companion.key");
        std::fs::write(&key_file, "a key").unwrap();
        std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let keys = Arc::new(Keys::derive(&KeyFile::draw(&SystemRandom)));
        let parts = |_: Option<&str>| Ok(StorageParts::new(Arc::clone(&keys), Arc::clone(&random)));
        let database = folder.path().join("companion.sqlite");
        let storage =
            SqliteStorage::open(&database, &parts, SqliteSettings::default(), Noon.now()).unwrap();
        let app = App::new(Parts {
            issuer: Issuer::new(issuer).unwrap(),
            clients: vec![ClientRecord::keyport_desktop()],
            policy: AdmissionPolicy::new(organizations, Vec::new(), None),
            upstreams: Upstreams::new(Arc::new(WorkosSso::new(&settings).unwrap())),
            storage: Arc::new(storage),
            keys,
            clock: Arc::new(Noon),
            random,
            words: Messages::english(),
        });
        Self { administration: Administration { app, key_file }, folder }
    }
}
