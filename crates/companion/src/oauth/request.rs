//! The pushed authorization request (RFC 9126): read, judged, and sealed into its `request_uri`, so that nothing
//! is stored before somebody has signed in.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::admission::{Hints, Selector};
use crate::client_record::ClientRecord;
use crate::domain::{AttemptId, RequestId, Scope, Thumbprint, Timestamp, cleaned};
use crate::keys::{Keys, Purpose, Random};
use crate::web::Fault;
use crate::web::form::Form;

/// How long a pushed request may be opened.
pub const LIFETIME: Duration = Duration::from_secs(600);

const URN: &str = "urn:ietf:params:oauth:request_uri:";
const LONGEST_STATE: usize = 512;
const LONGEST_NAME: usize = 64;
const LONGEST_HINT: usize = 254;

/// What was pushed, proved and admitted. No `Debug`: it holds the client's `state`.
#[derive(Clone, Serialize, Deserialize)]
pub struct PushedRequest {
    /// Drawn at PAR.
    #[serde(rename = "i")]
    pub id: RequestId,
    /// The app.
    #[serde(rename = "c")]
    pub client_id: String,
    /// Where the code goes.
    #[serde(rename = "r")]
    pub redirect_uri: String,
    /// The app's own `state`; empty if it sent none.
    #[serde(rename = "s")]
    pub state: String,
    /// S256.
    #[serde(rename = "v")]
    pub code_challenge: String,
    /// Granted scope.
    #[serde(rename = "o")]
    pub scope: String,
    /// The device key.
    #[serde(rename = "k")]
    pub jkt: Thumbprint,
    /// The one selector that goes upstream.
    #[serde(rename = "u")]
    pub selector: Selector,
    /// An email to fill in upstream.
    #[serde(rename = "l", skip_serializing_if = "Option::is_none", default)]
    pub login_hint: Option<String>,
    /// What the device says of itself.
    #[serde(rename = "d", skip_serializing_if = "Option::is_none", default)]
    pub device_name: Option<String>,
    /// The client's attempt.
    #[serde(rename = "a", skip_serializing_if = "Option::is_none", default)]
    pub attempt: Option<AttemptId>,
    /// First second at which it may not be opened any more.
    #[serde(rename = "e")]
    pub deadline: i64,
}

/// A request that has been read but not admitted.
pub struct Draft {
    /// All but the selector.
    pub request: PushedRequest,
    /// What it asks for.
    pub hints: Hints,
}

/// Why a `request_uri` is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// Not sealed here.
    Foreign,
    /// Too old.
    Expired,
}

impl Draft {
    /// Reads the form.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(
        form: &Form,
        client: &ClientRecord,
        jkt: Thumbprint,
        id: RequestId,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        check_protocol(form)?;
        let redirect_uri = form.required("redirect_uri")?;
        if !client.allows(redirect_uri) {
            return Err(Fault::invalid_request(
                "the redirect_uri is not registered for this client",
            ));
        }
        if form.value("dpop_jkt").is_some_and(|named| named != jkt.to_string()) {
            return Err(Fault::new(
                "invalid_dpop_proof",
                "dpop_jkt names another key than the proof",
            ));
        }
        let request = PushedRequest {
            id,
            client_id: client.id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            state: state(form)?,
            code_challenge: challenge(form)?,
            scope: Scope::parse(form.value("scope").unwrap_or("profile email")).as_str().to_owned(),
            jkt,
            selector: Selector::Organization(String::new()),
            login_hint: hint(form, "login_hint")?,
            device_name: form.value("device_name").and_then(|said| cleaned(said, LONGEST_NAME)),
            attempt: attempt(form)?,
            deadline: now.plus(LIFETIME).seconds(),
        };
        Ok(Self { hints: hints(form)?, request })
    }

    /// The request with the selector it was admitted with.
    pub fn admitted(self, selector: Selector) -> PushedRequest {
        PushedRequest { selector, ..self.request }
    }
}

impl PushedRequest {
    /// The `request_uri`.
    pub fn seal(&self, keys: &Keys, random: &dyn Random) -> Option<String> {
        let text = serde_json::to_string(self).ok()?;
        Some(format!("{URN}{}", keys.seal(Purpose::RequestUri, &text, random)))
    }

    /// Opens a `request_uri`.
    ///
    /// # Errors
    /// It is not ours or too old.
    pub fn unseal(request_uri: &str, keys: &Keys, now: Timestamp) -> Result<Self, Unusable> {
        let sealed = request_uri.strip_prefix(URN).ok_or(Unusable::Foreign)?;
        let text = keys.open(Purpose::RequestUri, sealed).map_err(|_| Unusable::Foreign)?;
        let request: Self = serde_json::from_str(text.expose()).map_err(|_| Unusable::Foreign)?;
        if now.has_reached(Timestamp::from_seconds(request.deadline)) {
            return Err(Unusable::Expired);
        }
        Ok(request)
    }
}

fn check_protocol(form: &Form) -> Result<(), Fault> {
    if form.required("response_type")? != "code" {
        return Err(Fault::new("unsupported_response_type", "response_type must be code"));
    }
    if form.value("response_mode").is_some_and(|mode| mode != "query") {
        return Err(Fault::invalid_request("response_mode must be query"));
    }
    if form.has("prompt") {
        return Err(Fault::invalid_request("prompt is not supported: leave it out"));
    }
    if form.value("request_uri").is_some() || form.value("request").is_some() {
        return Err(Fault::invalid_request("request and request_uri may not be pushed"));
    }
    if form.value("code_challenge_method") != Some("S256") {
        return Err(Fault::invalid_request("code_challenge_method must be S256"));
    }
    Ok(())
}

fn challenge(form: &Form) -> Result<String, Fault> {
    let challenge = form.required("code_challenge")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if challenge.len() == 43 && challenge.bytes().all(plain) {
        Ok(challenge.to_owned())
    } else {
        Err(Fault::invalid_request("code_challenge must be a base64url SHA-256"))
    }
}

fn state(form: &Form) -> Result<String, Fault> {
    let state = form.value("state").unwrap_or("");
    if state.len() > LONGEST_STATE || !state.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err(Fault::invalid_request("state must be at most 512 printable ASCII characters"));
    }
    Ok(state.to_owned())
}

fn attempt(form: &Form) -> Result<Option<AttemptId>, Fault> {
    let parsed = form.value("attempt").map(str::parse).transpose();
    parsed.map_err(|_| Fault::invalid_request("attempt must be 32 lower-case hex digits"))
}

fn hint(form: &Form, name: &str) -> Result<Option<String>, Fault> {
    let hint = form.owned(name);
    if hint
        .as_ref()
        .is_some_and(|hint| hint.len() > LONGEST_HINT || hint.chars().any(char::is_control))
    {
        return Err(Fault::invalid_request("a hint is too long or holds control characters"));
    }
    Ok(hint)
}

fn hints(form: &Form) -> Result<Hints, Fault> {
    let hints = Hints {
        login_hint: hint(form, "login_hint")?,
        organization: hint(form, "organization")?,
        connection: hint(form, "connection")?,
        provider: hint(form, "provider")?,
    };
    let named = [&hints.organization, &hints.connection, &hints.provider];
    if named.into_iter().flatten().count() > 1 {
        return Err(Fault::invalid_request("name one of organization, connection and provider"));
    }
    Ok(hints)
}
