//! The service on a real port, a provider that answers as WorkOS does, a device and a browser. Nothing is shared
//! with the code under test: proofs, challenges and cookies are made here from the RFCs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyport_companion::admission::Policy;
use keyport_companion::ambient::Clock;
use keyport_companion::app::{App, Parts};
use keyport_companion::client_record::ClientRecord;
use keyport_companion::config::UpstreamSettings;
use keyport_companion::domain::Timestamp;
use keyport_companion::issuer::Issuer;
use keyport_companion::keys::{KeyFile, Keys, Random, SecretText, SystemRandom};
use keyport_companion::storage::{SqliteSettings, SqliteStorage};
use keyport_companion::upstream::Upstream;
use keyport_companion::web::{router, serve_until};
use keyport_words::Words;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::Url;

pub const API_KEY: &str = "sk_test_planted_key";
pub const REDIRECT: &str = "http://127.0.0.1:9/callback";
pub const SCHEME: &str = "dev.keyport.desktop:/callback";
pub const NOON: i64 = 1_800_000_000;

/// A clock that the test moves.
pub struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

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
    pub hold: Mutex<Option<Arc<tokio::sync::Semaphore>>>,
}

pub struct Service {
    pub url: String,
    pub provider: Arc<Provider>,
    pub clock: Arc<Hands>,
    pub provider_url: String,
    pub stop: Option<tokio::sync::oneshot::Sender<()>>,
    pub ended: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Service {
    /// Acme may enter, by name, by domain or by default.
    pub async fn start() -> Self {
        let acme = Some("org_acme".to_owned());
        Self::with_policy(Policy::new(vec!["org_acme".into()], vec!["GoogleOAuth".into()], acme))
            .await
    }

    pub async fn with_policy(policy: Policy) -> Self {
        let (provider, provider_url) = start_provider().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let clock = Arc::new(Hands(AtomicI64::new(NOON)));
        let folder = tempfile::tempdir().unwrap();
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let keys = Arc::new(Keys::derive(&KeyFile::draw(&*random)));
        let database = folder.path().join("companion.sqlite");
        let engine = SqliteSettings::default();
        let storage = SqliteStorage::open(
            &database,
            Arc::clone(&keys),
            Arc::clone(&random),
            engine,
            clock.now(),
        )
        .unwrap();
        let upstream = UpstreamSettings {
            base_url: provider_url.clone(),
            client_id: "client_1".into(),
            api_key: SecretText::new(API_KEY),
        };
        let app = App::new(Parts {
            issuer: Issuer::new(&url).unwrap(),
            clients: vec![ClientRecord::keyport_desktop()],
            policy,
            upstream: Upstream::new(&upstream).unwrap(),
            storage: Arc::new(storage),
            keys,
            clock: Arc::<Hands>::clone(&clock),
            random,
            words: Words::english(),
        });
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let serving = serve_until(listener, router(app), async move { drop(stopped.await) });
        let ended = tokio::spawn(serving);
        let stop = Some(stop);
        Self { url, provider, clock, provider_url, stop, ended, _folder: folder }
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn exchanges(&self) -> usize {
        self.provider.exchanges.load(Ordering::SeqCst)
    }
}

async fn start_provider() -> (Arc<Provider>, String) {
    let provider = Arc::new(Provider::default());
    let routes = Router::new()
        .route("/sso/authorize", get(authorization))
        .route("/sso/token", post(exchange))
        .route("/connections", get(connections))
        .route("/connections/{id}", get(connection))
        .route("/organizations/{id}", get(organization))
        .with_state(Arc::clone(&provider));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (provider, url)
}

/// Ada of Acme, as `/sso/token` tells of her.
pub fn ada() -> Value {
    json!({
        "object": "profile", "id": "prof_1", "organization_id": "org_acme", "connection_id": "conn_acme",
        "connection_type": "OktaSAML", "idp_id": "ada-1", "email": "ada@acme.test", "first_name": "Ada",
        "last_name": "Lovelace", "name": "Ada Lovelace", "raw_attributes": { "secret": "raw_attribute_planted" },
    })
}

async fn exchange(
    State(provider): State<Arc<Provider>>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    provider.exchanges.fetch_add(1, Ordering::SeqCst);
    provider.bodies.lock().unwrap().push(body.clone());
    let hold = provider.hold.lock().unwrap().clone();
    if let Some(hold) = hold {
        hold.acquire().await.unwrap().forget();
    }
    if let Some((status, answer)) = provider.refuse_with.lock().unwrap().clone() {
        return (StatusCode::from_u16(status).unwrap(), Json(answer));
    }
    let profile = provider
        .profiles
        .lock()
        .unwrap()
        .get(body["code"].as_str().unwrap())
        .cloned()
        .unwrap_or_else(ada);
    let answer = json!({ "token_type": "Bearer", "access_token": "upstream_planted", "expires_in": 600, "profile": profile });
    (StatusCode::OK, Json(answer))
}

/// As far as a request without a selector comes: a page of its own for strangers, else straight back.
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
        "object": "connection", "id": id, "organization_id": organization, "connection_type": "OktaSAML",
        "name": "A connection", "state": state, "status": "linked", "created_at": "", "updated_at": "",
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
) -> (StatusCode, HeaderMap, Json<Value>) {
    provider.lookups.fetch_add(1, Ordering::SeqCst);
    let mut headers = HeaderMap::new();
    if let Some((status, answer)) = provider.refuse_with.lock().unwrap().clone() {
        if let Some(seconds) = *provider.retry_after.lock().unwrap() {
            headers.insert("retry-after", HeaderValue::from_static(seconds));
        }
        return (StatusCode::from_u16(status).unwrap(), headers, Json(answer));
    }
    let domain = query.get("domain").cloned().unwrap_or_default();
    let data: Vec<Value> = all_connections()
        .into_iter()
        .filter(|connection| connection["domains"][0]["domain"] == domain.as_str())
        .collect();
    let metadata = json!({ "before": null, "after": null });
    let list = json!({ "object": "list", "data": data, "list_metadata": metadata });
    (StatusCode::OK, headers, Json(list))
}

async fn connection(Path(id): Path<String>) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let found = all_connections().into_iter().find(|connection| connection["id"] == id.as_str());
    found.map(Json).ok_or((StatusCode::NOT_FOUND, Json(json!({ "message": "no such connection" }))))
}

async fn organization(Path(id): Path<String>) -> Json<Value> {
    Json(json!({
        "object": "organization", "id": id, "name": "Acme Rockets", "domains": [], "metadata": {}, "created_at": "", "updated_at": "",
    }))
}

/// A device: its key, the last nonce, and one sign-in's secrets at a time.
pub struct Device {
    key: jsonwebtoken::EncodingKey,
    jwk: Value,
    pub nonce: Mutex<Option<String>>,
    pub http: reqwest::Client,
    /// Added to the true time in `iat`.
    pub clock_error: i64,
}

/// What the device keeps of a pushed request.
pub struct Pushed {
    pub request_uri: String,
    pub verifier: String,
    pub state: String,
    pub attempt: String,
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    pub fn error(&self) -> (u16, String) {
        (self.status, self.json()["error"].as_str().unwrap_or("").to_owned())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem code that the page names for IT.
    pub fn problem(&self) -> &str {
        let after = self
            .body
            .split("Problem ")
            .nth(1)
            .unwrap_or_else(|| panic!("no problem: {}", self.body));
        after.split(' ').next().unwrap()
    }
}

pub fn random() -> String {
    let mut bytes = [0; 32];
    SystemRandom.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn hex32() -> String {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn s256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

impl Device {
    pub fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        let jwk = json!({
            "kty": "EC", "crv": "P-256",
            "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65]),
        });
        let key = jsonwebtoken::EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { key, jwk, nonce: Mutex::default(), http, clock_error: 0 }
    }

    pub fn thumbprint(&self) -> String {
        let (x, y) = (self.jwk["x"].as_str().unwrap(), self.jwk["y"].as_str().unwrap());
        s256(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#))
    }

    /// A proof with these changes to its header and claims; `null` removes.
    pub fn proof(&self, method: &str, url: &str, header: &Value, claims: &Value) -> String {
        let mut head = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk });
        let mut body =
            json!({ "jti": random(), "htm": method, "htu": url, "iat": NOON + self.clock_error });
        if let Some(nonce) = &*self.nonce.lock().unwrap() {
            body["nonce"] = nonce.as_str().into();
        }
        for (target, changes) in [(&mut head, header), (&mut body, claims)] {
            for (name, value) in changes.as_object().into_iter().flatten() {
                target[name] = value.clone();
            }
            target.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        }
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message = format!("{}.{}", encode(&head), encode(&body));
        let signature = jsonwebtoken::crypto::sign(
            message.as_bytes(),
            &self.key,
            jsonwebtoken::Algorithm::ES256,
        )
        .unwrap();
        format!("{message}.{signature}")
    }

    /// One request with this proof, no second try.
    pub async fn send(&self, request: reqwest::RequestBuilder, proof: &str) -> Answer {
        let answer = Answer::of(request.header("dpop", proof).send().await.unwrap()).await;
        if let Some(nonce) = answer.headers.get("dpop-nonce") {
            *self.nonce.lock().unwrap() = Some(nonce.to_str().unwrap().to_owned());
        }
        answer
    }

    /// As a client does: once more with the nonce, if it was told to.
    pub async fn ask(
        &self,
        method: &str,
        url: &str,
        token: Option<&str>,
        body: Option<Body<'_>>,
    ) -> Answer {
        let claims = token.map_or(json!({}), |token| json!({ "ath": s256(token) }));
        for last in [false, true] {
            let proof = self.proof(method, url, &json!({}), &claims);
            let mut request = self.http.request(method.parse().unwrap(), url);
            if let Some(token) = token {
                request = request.header("authorization", format!("DPoP {token}"));
            }
            request = match &body {
                Some(Body::Form(form)) => request.form(form),
                Some(Body::Json(json)) => request.json(json),
                None => request,
            };
            let answer = self.send(request, &proof).await;
            if last || !answer.body.contains("use_dpop_nonce") {
                return answer;
            }
        }
        unreachable!()
    }

    pub async fn post(&self, service: &Service, path: &str, form: &[(&str, &str)]) -> Answer {
        self.ask("POST", &format!("{}{path}", service.url), None, Some(Body::Form(form))).await
    }

    /// The form of a good pushed request, with changes; an empty value removes.
    pub fn request(&self, changes: &[(&str, &str)]) -> (Pushed, Vec<(String, String)>) {
        let pushed = Pushed {
            request_uri: String::new(),
            verifier: random(),
            state: random(),
            attempt: hex32(),
        };
        let mut form: BTreeMap<String, String> = [
            ("client_id", "keyport-desktop"),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("scope", "openid profile email offline_access"),
            ("state", &pushed.state),
            ("code_challenge", &s256(&pushed.verifier)),
            ("code_challenge_method", "S256"),
            ("device_name", "Ada's laptop"),
            ("attempt", &pushed.attempt),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for (name, value) in changes {
            form.insert((*name).to_owned(), (*value).to_owned());
        }
        form.retain(|_, value| !value.is_empty());
        (pushed, form.into_iter().collect())
    }

    pub async fn try_push(&self, service: &Service, changes: &[(&str, &str)]) -> (Answer, Pushed) {
        let (pushed, form) = self.request(changes);
        let form: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        (self.post(service, "/oauth/par", &form).await, pushed)
    }

    pub async fn push(&self, service: &Service, changes: &[(&str, &str)]) -> Pushed {
        let (answer, pushed) = self.try_push(service, changes).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        Pushed { request_uri: answer.json()["request_uri"].as_str().unwrap().to_owned(), ..pushed }
    }

    pub async fn redeem(&self, service: &Service, code: &str, verifier: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "keyport-desktop"),
            ("code", code),
            ("code_verifier", verifier),
        ];
        self.post(service, "/oauth/token", &form).await
    }

    pub async fn refresh(&self, service: &Service, token: &str) -> Answer {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "keyport-desktop"),
            ("refresh_token", token),
        ];
        self.post(service, "/oauth/token", &form).await
    }

    pub async fn userinfo(&self, service: &Service, token: &str) -> Answer {
        self.ask("GET", &format!("{}/oauth/userinfo", service.url), Some(token), None).await
    }

    pub async fn attempt(
        &self,
        service: &Service,
        method: &str,
        attempt: &str,
        body: Option<Value>,
    ) -> Answer {
        let url = format!("{}/oauth/attempt/{attempt}", service.url);
        self.ask(method, &url, None, body.as_ref().map(Body::Json)).await
    }

    pub async fn attempt_state(&self, service: &Service, attempt: &str) -> Value {
        self.attempt(service, "GET", attempt, None).await.json()
    }

    /// The whole way, on a fresh browser; the answer of the token endpoint.
    pub async fn sign_in(&self, service: &Service) -> Value {
        let pushed = self.push(service, &[]).await;
        let mut browser = Browser::new();
        let callback = browser.come_back(service, &pushed).await;
        let answer = self.redeem(service, &parameter(&callback, "code"), &pushed.verifier).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }
}

pub enum Body<'a> {
    Form(&'a [(&'a str, &'a str)]),
    Json(&'a Value),
}

/// A browser profile: cookies, no scripts, follows nothing by itself.
pub struct Browser {
    pub http: reqwest::Client,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new() -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { http, cookies: BTreeMap::new() }
    }

    pub async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer =
            Answer::of(request.header("cookie", cookies.join("; ")).send().await.unwrap()).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let (name, value) =
                cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    pub async fn get(&mut self, url: &str) -> Answer {
        self.send(self.http.get(url).header("accept", "text/html")).await
    }

    /// Opens the pushed request; the provider's address that the browser is sent to.
    pub async fn authorize(&mut self, service: &Service, pushed: &Pushed) -> Url {
        let answer = self.get(&authorize_url(service, pushed)).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        Url::parse(answer.header("location")).unwrap()
    }

    /// The provider's answer arrives with this code.
    pub async fn callback(&mut self, service: &Service, provider: &Url, code: &str) -> Answer {
        let state = parameter(provider.as_str(), "state");
        self.get(&format!("{}/callback?code={code}&state={state}", service.url)).await
    }

    /// Up to the hand-off page; its address.
    pub async fn arrive(&mut self, service: &Service, pushed: &Pushed, code: &str) -> String {
        let provider = self.authorize(service, pushed).await;
        let answer = self.callback(service, &provider, code).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        format!("{}{}", service.url, answer.header("location"))
    }

    pub async fn press(&mut self, page: &str, button: &str) -> Answer {
        self.send(
            self.http.post(page).header("sec-fetch-site", "same-origin").form(&[(button, "1")]),
        )
        .await
    }

    /// The whole way to the callback, confirmed where it is asked for.
    pub async fn come_back(&mut self, service: &Service, pushed: &Pushed) -> String {
        let page = self.arrive(service, pushed, &random()).await;
        if self.get(&page).await.status == 200 {
            self.press(&page, "continue").await;
        }
        let answer = self.get(&format!("{page}/go")).await;
        answer
            .header("refresh")
            .strip_prefix("0; url=")
            .unwrap_or_else(|| panic!("{}", answer.body))
            .to_owned()
    }
}

pub fn authorize_url(service: &Service, pushed: &Pushed) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", "keyport-desktop")
        .append_pair("request_uri", &pushed.request_uri)
        .finish();
    format!("{}/oauth/authorize?{query}", service.url)
}

pub fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(key, _)| key == name)
        .unwrap_or_else(|| panic!("no {name} in {url}"))
        .1
        .into_owned()
}
