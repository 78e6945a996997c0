//! A companion of `docs/protocol.md`, small and strict: every proof is checked, every code and token counted, and the tests can
//! make it fail in the ways a network and a service fail.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

use super::{PATIENCE, proof};

pub type Fields = BTreeMap<String, String>;

/// What goes wrong with one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answered so, without being looked at.
    Answers(u16, Value),
    /// Done, and then the answer is lost on the way.
    LosesTheAnswer,
    /// Lost before it is looked at.
    LosesTheRequest,
    /// Waits for the test before it is looked at.
    Waits(watch::Receiver<bool>),
    /// Waits for the test and is then answered so.
    WaitsAndAnswers(watch::Receiver<bool>, u16, Value),
}

/// One request as it was taken.
#[derive(Clone, Debug)]
pub struct Seen {
    pub what: String,
    pub fields: Fields,
    pub thumbprint: String,
}

#[derive(Default)]
pub struct World {
    pub seen: Vec<Seen>,
    pub faults: BTreeMap<&'static str, VecDeque<Fault>>,
    pub attempts: BTreeMap<String, Value>,
    pub outcomes: Vec<(String, Value)>,
    pub cancelled: Vec<String>,
    pub revoked: Vec<String>,
    pub over: bool,
    /// The token endpoint says nothing of the account, as a companion of another make may.
    pub is_plain: bool,
    pushed: BTreeMap<String, (Fields, String)>,
    codes: BTreeMap<String, String>,
    current: BTreeMap<String, String>,
    children: BTreeMap<String, String>,
    proofs: BTreeSet<String>,
    nonce: u32,
    count: u32,
}

pub struct TestCompanion {
    pub url: Url,
    world: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    issuer: String,
    world: Mutex<World>,
    changed: watch::Sender<()>,
}

impl TestCompanion {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Shared {
            issuer: issuer.clone(),
            world: Mutex::default(),
            changed: watch::Sender::new(()),
        });
        let router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/oauth/par", post(push))
            .route("/oauth/token", post(token))
            .route("/oauth/revoke", post(revoke))
            .route("/oauth/userinfo", get(userinfo))
            .route("/oauth/attempt/{attempt}", any(attempt))
            .with_state(world.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url: Url::parse(&issuer).unwrap(), world, serving }
    }

    /// Gone, as when the network is: nobody answers at its address.
    pub async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    pub fn issuer(&self) -> &str {
        &self.world.issuer
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.world.lock().unwrap()
    }

    pub fn next_fails(&self, what: &'static str, fault: Fault) {
        self.world().faults.entry(what).or_default().push_back(fault);
    }

    /// The nonce that clients have is good no longer.
    pub fn changes_nonce(&self) {
        self.world().nonce += 1;
    }

    /// How many requests of this kind were taken.
    pub fn count(&self, what: &str) -> usize {
        self.world().seen.iter().filter(|seen| seen.what == what).count()
    }

    pub fn seen(&self, what: &str) -> Vec<Seen> {
        self.world().seen.iter().filter(|seen| seen.what == what).cloned().collect()
    }

    /// Waits until the world is so.
    pub async fn until<T>(&self, mut ready: impl FnMut(&World) -> Option<T>) -> T {
        let mut changes = self.world.changed.subscribe();
        timeout(PATIENCE, async {
            loop {
                if let Some(found) = ready(&self.world()) {
                    return found;
                }
                changes.changed().await.unwrap();
            }
        })
        .await
        .expect("the companion sees it")
    }

    /// What the person's browser does with the URL: signs in, continues, and is sent back.
    pub fn signs_in(&self, authorization_url: &str) -> String {
        let (redirect_uri, state) = self.request_of(authorization_url);
        let mut world = self.world();
        world.count += 1;
        let code = format!("code-canary-{}", world.count);
        let request_uri = request_uri(authorization_url);
        world.codes.insert(code.clone(), request_uri);
        let mut back = Url::parse(&redirect_uri).unwrap();
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &state)
            .append_pair("iss", &self.world.issuer);
        if back.scheme() == "http" {
            back.query_pairs_mut().append_pair("handoff", "handoff-1");
        }
        back.into()
    }

    /// Redirect URI and state of the request behind the URL.
    pub fn request_of(&self, authorization_url: &str) -> (String, String) {
        let world = self.world();
        let (fields, _) = &world.pushed[&request_uri(authorization_url)];
        (fields["redirect_uri"].clone(), fields["state"].clone())
    }

    /// What the attempt endpoint says from now on.
    pub fn attempt_is(&self, attempt: &str, standing: Value) {
        self.world().attempts.insert(attempt.to_owned(), standing);
    }
}

fn request_uri(authorization_url: &str) -> String {
    let url = Url::parse(authorization_url).unwrap();
    let pairs: Fields = url.query_pairs().into_owned().collect();
    assert_eq!(pairs["client_id"], "keyport-desktop");
    assert_eq!(pairs.len(), 2, "nothing else is in the authorization URL");
    pairs["request_uri"].clone()
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

fn exchange(world: &mut World, seen: &Seen) -> Response {
    let Some(request_uri) = world.codes.remove(&seen.fields["code"]) else {
        return invalid_grant();
    };
    let (pushed, thumbprint) = world.pushed[&request_uri].clone();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&seen.fields["code_verifier"]));
    assert_eq!(pushed["code_challenge"], challenge);
    assert_eq!(pushed["code_challenge_method"], "S256");
    assert_eq!(pushed["redirect_uri"], seen.fields["redirect_uri"]);
    assert_eq!(thumbprint, seen.thumbprint, "the key that pushed redeems");
    world.count += 1;
    let refresh = format!("kpr_canary-{}", world.count);
    world.current.insert(refresh.clone(), seen.thumbprint.clone());
    let mut answer = tokens(world, &refresh);
    if world.is_plain {
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

/// The rule of the design: the current token rotates, its immediate parent gives the same child until that child is presented.
fn refresh(world: &mut World, seen: &Seen) -> Response {
    let presented = &seen.fields["refresh_token"];
    if world.over {
        return invalid_grant();
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
            invalid_grant()
        }
    }
}

fn tokens(world: &mut World, refresh: &str) -> Value {
    world.count += 1;
    json!({
        "access_token": format!("at_canary-{}", world.count),
        "token_type": "DPoP",
        "expires_in": 300,
        "refresh_token": refresh,
        "scope": "openid profile email offline_access",
    })
}

fn invalid_grant() -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response()
}

async fn revoke(State(shared): State<Arc<Shared>>, Form(fields): Form<Fields>) -> StatusCode {
    shared.world.lock().unwrap().revoked.push(fields["token"].clone());
    shared.changed.send_replace(());
    StatusCode::OK
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
            |_, _| {
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

impl Shared {
    /// Proof, nonce and fault first; then what the endpoint does.
    #[allow(clippy::too_many_arguments, reason = "one place for what every endpoint checks")]
    async fn take(
        &self,
        what: &'static str,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        access_token: Option<&str>,
        fields: Fields,
        then: impl FnOnce(&mut World, &Seen) -> Response,
    ) -> Response {
        let url = format!("{}{path}", self.issuer);
        let proof = headers["dpop"].to_str().unwrap();
        let (thumbprint, jti, nonce) = proof::check(proof, method.as_str(), &url, access_token);
        let expected = {
            let mut world = self.world.lock().unwrap();
            assert!(world.proofs.insert(jti), "a proof is used once");
            format!("nonce-{}", world.nonce)
        };
        if nonce.as_deref() != Some(&expected) {
            return self.asks_for_nonce(what, &expected);
        }
        let fault = {
            let mut world = self.world.lock().unwrap();
            world.faults.get_mut(what).and_then(VecDeque::pop_front)
        };
        let seen = Seen { what: what.to_owned(), fields, thumbprint };
        let response = match fault {
            Some(Fault::Answers(status, body)) => {
                self.note(&seen);
                (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
            }
            Some(Fault::LosesTheRequest) => {
                self.note(&seen);
                lost()
            }
            Some(Fault::LosesTheAnswer) => {
                self.done(&seen, then);
                lost()
            }
            Some(Fault::Waits(go)) => {
                self.waits(&seen, go).await;
                self.done(&seen, then)
            }
            Some(Fault::WaitsAndAnswers(go, status, body)) => {
                self.waits(&seen, go).await;
                self.note(&seen);
                (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
            }
            None => self.done(&seen, then),
        };
        with_nonce(response, &expected)
    }

    fn done(&self, seen: &Seen, then: impl FnOnce(&mut World, &Seen) -> Response) -> Response {
        let response = then(&mut self.world.lock().unwrap(), seen);
        self.note(seen);
        response
    }

    async fn waits(&self, seen: &Seen, mut go: watch::Receiver<bool>) {
        self.note(&Seen { what: format!("{} waits", seen.what), ..seen.clone() });
        let _ = go.wait_for(|go| *go).await;
    }

    fn note(&self, seen: &Seen) {
        self.world.lock().unwrap().seen.push(seen.clone());
        self.changed.send_replace(());
    }

    fn asks_for_nonce(&self, what: &str, nonce: &str) -> Response {
        let resource = ["userinfo", "standing", "report", "cancel"].contains(&what);
        let challenge = [("www-authenticate", "DPoP error=\"use_dpop_nonce\"")];
        let body = Json(json!({"error": "use_dpop_nonce"}));
        let response = if resource {
            (StatusCode::UNAUTHORIZED, challenge, body).into_response()
        } else {
            (StatusCode::BAD_REQUEST, body).into_response()
        };
        with_nonce(response, nonce)
    }
}

fn with_nonce(mut response: Response, nonce: &str) -> Response {
    response.headers_mut().insert(HeaderName::from_static("dpop-nonce"), nonce.parse().unwrap());
    response
}

/// The head of an answer, and then the connection breaks.
fn lost() -> Response {
    let broken = futures_util::stream::once(async {
        Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    Response::new(Body::from_stream(broken))
}
