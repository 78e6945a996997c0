//! AuthKit (User Management), against an environment of its own.

mod authenticate;
mod authorize;
mod challenges;
mod factors;
mod hosted;
mod reading;
mod sessions;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use url::Url;

use crate::support::{CLIENT, Callback, REDIRECT_URI, Service, answer};

const ENVIRONMENT: &str = include_str!("../authkit.json");
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// Names of the grants of challenges.
const EMAIL: &str = "urn:workos:oauth:grant-type:email-verification:code";
const MFA: &str = "urn:workos:oauth:grant-type:mfa-totp";
const ORGANIZATION: &str = "urn:workos:oauth:grant-type:organization-selection";

impl Service {
    async fn authkit() -> Self {
        Self::with_seed(ENVIRONMENT).await
    }

    fn authkit_url(&self, changes: &[(&str, &str)]) -> String {
        self.url_of(
            "/user_management/authorize",
            &[
                ("client_id", CLIENT.0),
                ("redirect_uri", REDIRECT_URI),
                ("response_type", "code"),
                ("state", "st&te=?"),
                ("provider", "authkit"),
            ],
            changes,
        )
    }

    /// The page to which a request leads.
    async fn page_of(&self, url: &str) -> String {
        let answer = self.open(url).await;
        let status = answer.status();
        assert_eq!(status, 302, "{}", answer.text().await.unwrap());
        let target = answer.headers()["location"].to_str().unwrap();
        Url::parse(&self.url).unwrap().join(target).unwrap().into()
    }

    async fn post_form(&self, url: &str, form: &[(&str, &str)]) -> Response {
        self.http.post(url).form(form).send().await.unwrap()
    }

    /// Signs in at the page of an identity provider.
    async fn provider_code(&self, selector: (&str, &str), email: &str) -> String {
        let page = self.page_of(&self.authkit_url(&[("provider", ""), selector])).await;
        let form = [("email", email), ("password", "keyport")];
        Callback::of(&self.post_form(&page, &form).await).code().to_owned()
    }

    fn authenticate(&self, body: &Value) -> RequestBuilder {
        let mut whole = json!({ "client_id": CLIENT.0, "client_secret": CLIENT.1 });
        let members = body.as_object().unwrap().clone();
        whole.as_object_mut().unwrap().extend(members);
        self.http.post(format!("{}/user_management/authenticate", self.url)).json(&whole)
    }

    async fn grant(&self, body: Value) -> (u16, Value) {
        answer(self.authenticate(&body)).await
    }

    async fn code_grant(&self, code: &str) -> (u16, Value) {
        self.grant(json!({ "grant_type": "authorization_code", "code": code })).await
    }

    async fn password(&self, email: &str) -> (u16, Value) {
        let grant = json!({ "grant_type": "password", "email": email, "password": "keyport" });
        self.grant(grant).await
    }

    async fn api_post(&self, path: &str, body: Value) -> (u16, Value) {
        answer(self.http.post(format!("{}{path}", self.url)).bearer_auth(CLIENT.1).json(&body))
            .await
    }

    /// The code that was "sent".
    async fn sent_code(&self, challenge: &Value) -> String {
        let id = challenge["email_verification_id"].as_str().unwrap();
        let (_, sent) = self.api(&format!("/user_management/email_verification/{id}")).await;
        sent["code"].as_str().unwrap().to_owned()
    }

    async fn advance(&self, seconds: u64) {
        let url = format!("{}/_emulator/clock", self.url);
        let body = json!({ "advance_seconds": seconds });
        assert_eq!(self.http.post(url).json(&body).send().await.unwrap().status(), 204);
    }
}

/// The code that is right now on the machine's clock, put forward by some seconds.
fn totp(secret: &str, ahead: u64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    totp.generate(now.as_secs() + ahead).to_string()
}

fn assert_refused((status, body): &(u16, Value), error: &str) {
    assert_eq!((*status, body["error"].as_str()), (400, Some(error)), "{body}");
    assert!(body["error_description"].is_string() && body.get("code").is_none(), "{body}");
}

fn assert_plain((status, body): &(u16, Value), code: &str) {
    assert_eq!((*status, body["code"].as_str()), (400, Some(code)), "{body}");
    assert!(body["message"].is_string() && body.get("error").is_none(), "{body}");
}

fn assert_challenge<'a>((status, body): &'a (u16, Value), code: &str) -> &'a str {
    assert_eq!((*status, body["code"].as_str()), (403, Some(code)), "{body}");
    assert!(body["message"].is_string() && body.get("error").is_none(), "{body}");
    body["pending_authentication_token"].as_str().unwrap()
}

/// The claims of an access token, not verified.
fn claims(answer: &Value) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let token = answer["access_token"].as_str().unwrap();
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
