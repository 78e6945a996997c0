//! One emulator per test on a free port, and the few steps of a sign-in as a client walks them.

use std::collections::BTreeMap;

use keyport_emulator::{Emulator, Seed, serve};
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

pub const ENVIRONMENT: &str = include_str!("environment.json");
pub const REDIRECT_URI: &str = "http://127.0.0.1:5555/callback";
pub const CLIENT: (&str, &str) = ("client_test", "sk_test_of_the_tests");

pub struct Service {
    pub url: String,
    pub http: Client,
}

/// The redirect that ends a sign-in: the URI without its query, and the query.
#[derive(Debug)]
pub struct Callback {
    pub to: String,
    pub query: BTreeMap<String, String>,
}

impl Callback {
    pub fn of(answer: &Response) -> Self {
        assert!(answer.status().is_redirection(), "{} is no redirect", answer.status());
        let location = answer.headers()["location"].to_str().unwrap();
        let (to, _) = location.split_once('?').unwrap();
        let pairs: Vec<_> = Url::parse(location).unwrap().query_pairs().into_owned().collect();
        let query = BTreeMap::from_iter(pairs.clone());
        assert_eq!(query.len(), pairs.len(), "a parameter is repeated in {location}");
        Self { to: to.to_owned(), query }
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub fn code(&self) -> &str {
        self.value("code").unwrap_or_else(|| panic!("no code in {self:?}"))
    }
}

impl Service {
    pub async fn start() -> Self {
        Self::with_seed(ENVIRONMENT).await
    }

    pub async fn with_seed(seed: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let emulator = Emulator::new(Seed::parse(seed).unwrap());
        tokio::spawn(serve(listener, emulator, std::future::pending()));
        Self { url, http: client() }
    }

    /// The URL of a good authorization request for `conn_acme`, with `changes` made: an empty value
    /// takes away.
    pub fn authorize_url(&self, changes: &[(&str, &str)]) -> String {
        let query = [
            ("client_id", CLIENT.0),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("state", "st&te=?"),
            ("connection", "conn_acme"),
        ];
        self.url_of("/sso/authorize", &query, changes)
    }

    /// The same for any path.
    pub fn url_of(&self, path: &str, query: &[(&str, &str)], changes: &[(&str, &str)]) -> String {
        let mut query = BTreeMap::from_iter(query.iter().copied());
        query.extend(changes.iter().copied());
        query.retain(|_, value| !value.is_empty());
        Url::parse_with_params(&format!("{}{path}", self.url), query).unwrap().into()
    }

    pub async fn open(&self, url: &str) -> Response {
        self.http.get(url).send().await.unwrap()
    }

    /// Opens the page and submits its form, as a browser does.
    pub async fn submit(&self, url: &str, email: &str, password: &str) -> Response {
        let page = self.open(url).await;
        assert_eq!(page.status(), 200, "{}", page.text().await.unwrap());
        self.http.post(url).form(&[("email", email), ("password", password)]).send().await.unwrap()
    }

    pub async fn sign_in(&self, url: &str, email: &str) -> Callback {
        Callback::of(&self.submit(url, email, "keyport").await)
    }

    /// A fresh code for Ada.
    pub async fn code(&self, changes: &[(&str, &str)]) -> String {
        self.sign_in(&self.authorize_url(changes), "ada@acme.test").await.code().to_owned()
    }

    /// Exchanges with the right client and `more`; a later value of the same name wins, an empty
    /// one takes away.
    pub async fn exchange(&self, code: &str, more: &[(&str, &str)]) -> (u16, Value) {
        answer(self.token_request(code, more)).await
    }

    pub fn token_request(&self, code: &str, more: &[(&str, &str)]) -> RequestBuilder {
        let mut form = BTreeMap::from([
            ("client_id", CLIENT.0),
            ("client_secret", CLIENT.1),
            ("grant_type", "authorization_code"),
            ("code", code),
        ]);
        form.extend(more.iter().copied());
        form.retain(|_, value| !value.is_empty());
        self.http.post(format!("{}/sso/token", self.url)).form(&form)
    }

    /// A GET with the API key.
    pub async fn api(&self, path: &str) -> (u16, Value) {
        answer(self.http.get(format!("{}{path}", self.url)).bearer_auth(CLIENT.1)).await
    }

    pub async fn order(&self, fault: Value) {
        let ordered = self
            .http
            .post(format!("{}/_emulator/faults", self.url))
            .json(&fault)
            .send()
            .await
            .unwrap();
        assert_eq!(ordered.status(), 204, "{}", ordered.text().await.unwrap());
    }

    pub async fn calls(&self) -> Value {
        answer(self.http.get(format!("{}/_emulator/calls", self.url))).await.1
    }
}

pub fn client() -> Client {
    // One connection per request: a reset must not hit a request that reuses the connection and is
    // then retried.
    Client::builder().redirect(Policy::none()).no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

/// Status and JSON; `null` for an empty body.
pub async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.text().await.unwrap();
    match body.as_str() {
        "" => (status, json!(null)),
        text => (status, serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))),
    }
}
