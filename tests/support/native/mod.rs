//! A native client of the tests, written from the RFCs alone: PAR (9126), PKCE (7636), DPoP with
//! nonce (9449), `iss` (9207). It shares no code with our client and never retries by itself except
//! for a nonce, so that a test decides what is sent.

mod answer;
mod key;
mod sessions;

use std::sync::Mutex;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{Jar, Person, World};

pub use answer::{Answer, Session};
pub use key::{DeviceKey, random};

/// The registered client.
pub const CLIENT: &str = "keyport-desktop";
/// A loopback redirect URI without a listener: the scripted browser stops before it.
pub const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";

/// One pushed authorization request.
#[derive(Clone, Debug)]
pub struct Pushed {
    /// Where the browser goes.
    pub url: String,
    /// What the callback must carry.
    pub state: String,
    /// For the token endpoint.
    pub verifier: String,
    /// The attempt's id.
    pub attempt: String,
}

/// One device with its key.
pub struct NativeClient {
    http: reqwest::Client,
    issuer: String,
    /// Swapped by a test that steals.
    pub key: DeviceKey,
    nonce: Mutex<Option<String>>,
}

impl NativeClient {
    /// A new device of this world; fails as [`of`](Self::of).
    pub fn new(world: &World) -> Result<Self> {
        Self::of(world.issuer())
    }

    /// A new device of the companions with this issuer.
    ///
    /// # Errors
    /// When key or HTTP client cannot be made.
    pub fn of(issuer: &str) -> Result<Self> {
        // A companion that was started again must not be met through a connection to its
        // predecessor.
        Self::with_idle_connections(issuer, 0)
    }

    /// A new device that uses its connections again, for many requests one after another; fails as
    /// [`of`](Self::of).
    pub fn keeping_connections(world: &World) -> Result<Self> {
        Self::with_idle_connections(world.issuer(), 1)
    }

    fn with_idle_connections(issuer: &str, most: usize) -> Result<Self> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(most)
            .timeout(crate::wait::WAIT_TIMEOUT)
            .build()?;
        Ok(Self {
            http,
            issuer: issuer.to_owned(),
            key: DeviceKey::draw()?,
            nonce: Mutex::new(None),
        })
    }

    /// Pushes a request with these hints and gives the address for the browser.
    ///
    /// # Errors
    /// When it is refused; the message shows the answer.
    pub async fn push(&self, hints: &[(&str, &str)]) -> Result<Pushed> {
        let (pushed, answer) = self.try_push(hints).await?;
        ensure!(answer.status == StatusCode::CREATED, "{} {}", answer.status, answer.body);
        Ok(pushed)
    }

    /// Pushes a request with these parameters over the usual ones; the answer may be a refusal.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn try_push(&self, parameters: &[(&str, &str)]) -> Result<(Pushed, Answer)> {
        let (state, verifier, attempt) = (random(16)?, random(32)?, hex(&random(32)?));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let mut form = vec![
            ("client_id", CLIENT),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "openid profile email offline_access"),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("attempt", &attempt),
        ];
        form.retain(|(name, _)| !parameters.iter().any(|(other, _)| other == name));
        form.extend_from_slice(parameters);
        let answer = self.post("/oauth/par", &form).await?;
        let mut url = Url::parse(&format!("{}/oauth/authorize", self.issuer))?;
        url.query_pairs_mut()
            .append_pair("client_id", CLIENT)
            .append_pair("request_uri", answer.text("request_uri"));
        Ok((Pushed { url: url.into(), state, verifier, attempt }, answer))
    }

    /// Exchanges the code of a callback.
    ///
    /// # Errors
    /// When nothing answers, or the callback is not one of this request.
    pub async fn redeem(&self, pushed: &Pushed, callback: &str) -> Result<Answer> {
        let callback = Url::parse(callback)?;
        let parameter = |name: &str| {
            let found = callback.query_pairs().find(|(n, _)| n == name);
            found
                .map(|(_, value)| value.into_owned())
                .with_context(|| format!("no {name} in {callback}"))
        };
        ensure!(parameter("state")? == pushed.state, "the callback is of another request");
        ensure!(parameter("iss")? == self.issuer, "the callback is of another issuer");
        self.redeem_code(&parameter("code")?, &pushed.verifier).await
    }

    /// Exchanges a code with a verifier, whosever they are.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn redeem_code(&self, code: &str, verifier: &str) -> Result<Answer> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("code", code),
            ("code_verifier", verifier),
        ];
        self.post("/oauth/token", &form).await
    }

    /// Presents a refresh token.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn refresh(&self, token: &str) -> Result<Answer> {
        let form =
            [("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", token)];
        self.post("/oauth/token", &form).await
    }

    /// RFC 7009.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn revoke(&self, token: &str) -> Result<Answer> {
        self.post("/oauth/revoke", &[("client_id", CLIENT), ("token", token)]).await
    }

    /// Asks, tells or cancels at the attempt endpoint; the body is JSON.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn attempt(
        &self,
        method: Method,
        attempt: &str,
        body: Option<Value>,
    ) -> Result<Answer> {
        self.send(method, &format!("/oauth/attempt/{attempt}"), body.map(Body::Json), None).await
    }

    /// The whole way with a scripted browser of its own.
    ///
    /// # Errors
    /// When any step is refused.
    pub async fn sign_in(&self, person: Person<'_>) -> Result<Session> {
        let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
        self.sign_in_with(&mut browser, person, &[]).await
    }

    /// The whole way in a given browser with these hints.
    ///
    /// # Errors
    /// When any step is refused.
    pub async fn sign_in_with(
        &self,
        browser: &mut Jar,
        person: Person<'_>,
        hints: &[(&str, &str)],
    ) -> Result<Session> {
        let pushed = self.push(hints).await?;
        let callback = person.sign_in(browser, &pushed.url).await?;
        self.redeem(&pushed, &callback).await?.session()
    }

    /// A proof for one request that is sent by other means, with the nonce that was given last.
    ///
    /// # Errors
    /// When signing fails.
    pub fn proof(&self, method: &str, path: &str) -> Result<String> {
        let nonce = self.nonce.lock().ok().and_then(|nonce| nonce.clone());
        let url = format!("{}{path}", self.issuer);
        self.key.proof(method, &url, nonce.as_deref(), None)
    }

    /// Posts a form with a proof.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Answer> {
        let owned =
            form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.send(Method::POST, path, Some(Body::Form(owned)), None).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Body>,
        access: Option<&str>,
    ) -> Result<Answer> {
        let (first, asked) = self.send_once(&method, path, body.as_ref(), access).await?;
        if !asked {
            return Ok(first);
        }
        let (second, again) = self.send_once(&method, path, body.as_ref(), access).await?;
        ensure!(!again, "use_dpop_nonce twice running");
        Ok(second)
    }

    /// Sends once; the flag says that the server wants a newer nonce, which is then at hand.
    async fn send_once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Body>,
        access: Option<&str>,
    ) -> Result<(Answer, bool)> {
        let url = format!("{}{path}", self.issuer);
        let nonce = self.nonce.lock().ok().and_then(|nonce| nonce.clone());
        let proof = self.key.proof(method.as_str(), &url, nonce.as_deref(), access)?;
        let mut request = self.http.request(method.clone(), &url).header("dpop", proof);
        if let Some(access) = access {
            request = request.header("authorization", format!("DPoP {access}"));
        }
        request = match body {
            Some(Body::Form(form)) => request.form(form),
            Some(Body::Json(json)) => request.json(json),
            None => request,
        };
        let answer = request.send().await?;
        let challenge = answer
            .headers()
            .get("www-authenticate")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        if let (Some(fresh), Ok(mut kept)) = (answer.headers().get("dpop-nonce"), self.nonce.lock())
        {
            *kept = fresh.to_str().ok().map(str::to_owned);
        }
        let status = answer.status();
        let body: Value = answer.json().await.unwrap_or(Value::Null);
        let asked = body["error"] == "use_dpop_nonce" || challenge.contains("use_dpop_nonce");
        Ok((Answer { status, body }, asked))
    }
}

enum Body {
    Form(Vec<(String, String)>),
    Json(Value),
}

/// An attempt id out of any random text.
fn hex(random: &str) -> String {
    Sha256::digest(random).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
