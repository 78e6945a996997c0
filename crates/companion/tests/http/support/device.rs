//! A device: proofs and challenges are made here from the RFCs.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyport_companion::domain::{Random, SystemRandom};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Browser, NOON, REDIRECT, Service, parameter};

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

    /// The value of a hidden field of the page's form.
    pub fn hidden(&self, name: &str) -> Option<String> {
        let after = self.body.split(&format!("type=\"hidden\" name=\"{name}\" value=\"")).nth(1)?;
        after.split('"').next().map(str::to_owned)
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
    base16ct::lower::encode_string(&bytes)
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
