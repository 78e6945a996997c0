//! Where the companion's endpoints are: its metadata, RFC 8414. The issuer must be byte-equal to
//! the companion we were told to use, and every endpoint must be of the issuer's origin, so that
//! nothing can send a secret elsewhere.

use http::{Method, Request, StatusCode};
use keyport_core::Problem;
use serde::Deserialize;
use url::Url;

use super::error::{self, HttpError};
use super::wire::{Body, Wire};

/// The companion's issuer identifier, RFC 8414 §2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    url: Url,
    text: String,
}

impl Issuer {
    /// The issuer that the configured companion must have.
    #[must_use]
    pub fn of(companion: &Url) -> Self {
        let text = match companion.as_str() {
            text if companion.path() == "/" => text.trim_end_matches('/'),
            text => text,
        };
        Self { url: companion.clone(), text: text.to_owned() }
    }

    /// As it stands in metadata and in `iss`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn origin(&self) -> url::Origin {
        self.url.origin()
    }

    /// Where the browser is sent after a loopback callback.
    #[must_use]
    pub fn handoff_page(&self, handoff: &str) -> Option<Url> {
        Url::parse(&format!("{}/handoff/{handoff}", self.text)).ok()
    }

    /// RFC 8414 §3.1: the well-known part goes between host and path.
    fn metadata_url(&self) -> Url {
        let mut url = self.url.clone();
        let path = format!(
            "/.well-known/oauth-authorization-server{}",
            self.url.path().trim_end_matches('/')
        );
        url.set_path(&path);
        url
    }
}

/// The endpoints that this client uses.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    pub authorize: Url,
    pub push: Url,
    pub token: Url,
    pub revoke: Url,
    pub userinfo: Url,
    pub attempt: Url,
    /// Not at every companion.
    pub sessions: Option<Url>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    pushed_authorization_request_endpoint: Url,
    revocation_endpoint: Url,
    userinfo_endpoint: Url,
    keyport_attempt_endpoint: Url,
    keyport_sessions_endpoint: Option<Url>,
    code_challenge_methods_supported: Vec<String>,
    dpop_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

pub(super) async fn discover(wire: &Wire, issuer: &Issuer) -> Result<Endpoints, HttpError> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(issuer.metadata_url().as_str())
        .header(http::header::ACCEPT, "application/json")
        .body(Body::default())
        .map_err(|_| Problem::Internal)?;
    let response = wire.send(request).await?;
    if response.status() != StatusCode::OK {
        return Err(error::of_answer(&response).into());
    }
    Ok(endpoints(response.body(), issuer)?)
}

fn endpoints(body: &[u8], issuer: &Issuer) -> Result<Endpoints, Problem> {
    let metadata: Metadata = serde_json::from_slice(body).map_err(|_| Problem::UnexpectedAnswer)?;
    if metadata.issuer != issuer.text {
        // Read as a URL, so that nothing but an address gets into the log.
        let announced = Url::parse(&metadata.issuer).ok();
        let announced = announced.as_ref().map(Url::as_str).unwrap_or("no address");
        tracing::warn!(set = issuer.text, announced, "the companion has another address");
        return Err(Problem::IssuerMismatch);
    }
    let offers = |list: &[String], value: &str| list.iter().any(|offered| offered == value);
    let fits = offers(&metadata.code_challenge_methods_supported, "S256")
        && offers(&metadata.dpop_signing_alg_values_supported, "ES256")
        && metadata.authorization_response_iss_parameter_supported;
    let endpoints = Endpoints {
        authorize: metadata.authorization_endpoint,
        push: metadata.pushed_authorization_request_endpoint,
        token: metadata.token_endpoint,
        revoke: metadata.revocation_endpoint,
        userinfo: metadata.userinfo_endpoint,
        attempt: metadata.keyport_attempt_endpoint,
        sessions: metadata.keyport_sessions_endpoint,
    };
    let Endpoints { authorize, push, token, revoke, userinfo, attempt, sessions } = &endpoints;
    let at_home = [authorize, push, token, revoke, userinfo, attempt]
        .into_iter()
        .chain(sessions)
        .all(|url| url.origin() == issuer.url.origin());
    if fits && at_home {
        Ok(endpoints)
    } else {
        tracing::warn!(fits, at_home, "the companion's metadata is not that of the companion");
        Err(Problem::UnexpectedAnswer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://sign-in.acme.test";

    fn issuer(url: &str) -> Issuer {
        Issuer::of(&Url::parse(url).unwrap())
    }

    fn metadata(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
        let mut metadata = serde_json::json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/oauth/authorize"),
            "token_endpoint": format!("{ISSUER}/oauth/token"),
            "pushed_authorization_request_endpoint": format!("{ISSUER}/oauth/par"),
            "revocation_endpoint": format!("{ISSUER}/oauth/revoke"),
            "userinfo_endpoint": format!("{ISSUER}/oauth/userinfo"),
            "keyport_attempt_endpoint": format!("{ISSUER}/oauth/attempt"),
            "code_challenge_methods_supported": ["S256"],
            "dpop_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": true,
        });
        change(&mut metadata);
        serde_json::to_vec(&metadata).unwrap()
    }

    #[test]
    fn the_issuer_is_the_companion_byte_for_byte() {
        let ours = issuer("https://sign-in.acme.test/");
        assert_eq!(ours.as_str(), ISSUER);
        assert!(endpoints(&metadata(|_| ()), &ours).is_ok());
        for other in
            ["https://sign-in.acme.test/", "https://SIGN-IN.acme.test", "https://evil.test"]
        {
            let answer = metadata(|m| m["issuer"] = other.into());
            assert_eq!(endpoints(&answer, &ours).err(), Some(Problem::IssuerMismatch), "{other}");
        }
    }

    #[test]
    fn localhost_and_127_0_0_1_differ_and_the_error_says_so() {
        let set = issuer("http://localhost:8788");
        let answer = metadata(|m| m["issuer"] = "http://127.0.0.1:8788".into());
        assert_eq!(endpoints(&answer, &set).err(), Some(Problem::IssuerMismatch));
    }

    #[test]
    fn an_endpoint_elsewhere_is_refused() {
        for name in [
            "authorization_endpoint",
            "token_endpoint",
            "pushed_authorization_request_endpoint",
            "revocation_endpoint",
            "userinfo_endpoint",
            "keyport_attempt_endpoint",
            "keyport_sessions_endpoint",
        ] {
            for elsewhere in ["https://evil.test/x", "http://sign-in.acme.test/x"] {
                let answer = metadata(|m| m[name] = elsewhere.into());
                assert!(endpoints(&answer, &issuer(ISSUER)).is_err(), "{name} {elsewhere}");
            }
        }
    }

    #[test]
    fn a_companion_that_cannot_do_what_we_rely_on_is_refused() {
        for (name, value) in [
            ("code_challenge_methods_supported", serde_json::json!(["plain"])),
            ("dpop_signing_alg_values_supported", serde_json::json!(["RS256"])),
            ("authorization_response_iss_parameter_supported", serde_json::json!(false)),
        ] {
            let answer = metadata(|m| m[name] = value);
            assert!(endpoints(&answer, &issuer(ISSUER)).is_err(), "{name}");
        }
    }

    #[test]
    fn the_metadata_of_an_issuer_with_a_path_is_before_the_path() {
        assert_eq!(
            issuer("https://a.test/keyport").metadata_url().as_str(),
            "https://a.test/.well-known/oauth-authorization-server/keyport"
        );
        assert_eq!(
            issuer("https://a.test").metadata_url().as_str(),
            "https://a.test/.well-known/oauth-authorization-server"
        );
    }
}
