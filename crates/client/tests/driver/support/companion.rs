//! A companion of `docs/protocol.md`, small and strict: every proof is checked, every code and
//! token counted, and the tests can make it fail in the ways a network and a service fail.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

use super::{WAIT_TIMEOUT, endpoints};

pub type Fields = BTreeMap<String, String>;

/// What goes wrong with one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answered so, without being looked at. An error gets the `request_id` that each error of a
    /// companion has.
    Answers(u16, Value),
    /// Something in between answers so, and the request does not arrive.
    AnsweredInBetween(u16, Value),
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
    /// The body of the answers to a revocation.
    pub revocation: Option<Value>,
    pub over: bool,
    /// `keyport_problem` beside `invalid_grant` of a refresh.
    pub problem: Option<&'static str>,
    /// Every token that was given.
    pub given: Vec<String>,
    /// The token endpoint says nothing of the account, as a companion of another make may.
    pub is_plain: bool,
    /// What the token endpoint says of the account instead of the usual facts.
    pub account: Option<Value>,
    /// Members that the answer to a code has instead of the usual ones.
    pub answer: Option<Value>,
    /// What userinfo answers instead of the usual claims.
    pub claims: Option<Value>,
    pub(super) pushed: BTreeMap<String, (Fields, String)>,
    pub(super) codes: BTreeMap<String, String>,
    pub(super) current: BTreeMap<String, String>,
    pub(super) children: BTreeMap<String, String>,
    /// Tokens of sessions that a newer sign-in with the same key has ended.
    pub(super) ended: BTreeSet<String>,
    pub(super) proofs: BTreeSet<String>,
    pub(super) nonce: u32,
    pub(super) count: u32,
}

pub struct TestCompanion {
    pub url: Url,
    world: Arc<Shared>,
    serving: JoinHandle<()>,
}

pub(super) struct Shared {
    pub(super) issuer: String,
    pub(super) world: Mutex<World>,
    pub(super) changed: watch::Sender<()>,
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
        let router = endpoints::router(world.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url: Url::parse(&issuer).unwrap(), world, serving }
    }

    /// Gone, as when the network is: no answer comes from its address.
    pub async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    /// Back at its address, with all that it knows.
    pub async fn start_again(&mut self) {
        let address = self.url.socket_addrs(|| None).unwrap()[0];
        let listener = TcpListener::bind(address).await.unwrap();
        let router = endpoints::router(self.world.clone());
        self.serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
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

    /// Waits until a request of this kind waits for the test.
    pub async fn until_waiting(&self, what: &str) {
        let waiting = format!("{what} waits");
        self.until(|world| world.seen.iter().any(|seen| seen.what == waiting).then_some(())).await;
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
        timeout(WAIT_TIMEOUT, async {
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
