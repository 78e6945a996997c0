//! The pushed authorization request (RFC 9126): read, judged, and sealed into its `request_uri`, so
//! that nothing is stored before a person has signed in.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::compact::CompactRequest;
use super::pushed_request::PushedRequest;
use crate::admission::{SelectorHints, UpstreamSelector};
use crate::clients::ClientRecord;
use crate::domain::{AttemptId, Random, RequestId, Scope, Thumbprint, Timestamp, cleaned};
use crate::keys::{Keys, Purpose};
use crate::web::OAuthError;
use crate::web::form::Form;

/// How long a pushed request may be opened.
pub const LIFETIME: Duration = Duration::from_secs(600);

const URN: &str = "urn:ietf:params:oauth:request_uri:";
const LONGEST_STATE: usize = 512;
const LONGEST_NAME: usize = 64;
const LONGEST_HINT: usize = 254;

/// Why a `request_uri` is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestError {
    /// Not sealed here.
    Foreign,
    /// Too old.
    Expired,
}

/// Reads the form: by what the sign-in may be admitted, and the request that it becomes with the
/// selector it was admitted with.
///
/// # Errors
/// What is wrong with it.
pub fn read(
    form: &Form,
    client: &ClientRecord,
    jkt: Thumbprint,
    now: Timestamp,
) -> Result<(SelectorHints, impl FnOnce(UpstreamSelector) -> PushedRequest + use<>), OAuthError> {
    check_protocol(form)?;
    let redirect_uri = form.required("redirect_uri")?.to_owned();
    if client.choose(&redirect_uri).is_none() {
        return Err(OAuthError::invalid_request(
            "the redirect_uri is not registered for this client",
        ));
    }
    if form.value("dpop_jkt").is_some_and(|named| named != jkt.to_string()) {
        return Err(OAuthError::new(
            "invalid_dpop_proof",
            "dpop_jkt names another key than the proof",
        ));
    }
    let asked = Scope::parse(form.value("scope").unwrap_or("profile email"));
    let scope = client.granted(&asked).as_str().to_owned();
    let (state, code_challenge) = (state(form)?, challenge(form)?);
    let (login_hint, attempt) = (hint(form, "login_hint")?, attempt(form)?);
    let device_name = form.value("device_name").and_then(|said| cleaned(said, LONGEST_NAME));
    let client_id = client.id.clone();
    let deadline = now.plus(LIFETIME).seconds();
    let admitted = move |selector| PushedRequest {
        client_id,
        redirect_uri,
        state,
        code_challenge,
        scope,
        jkt,
        selector,
        login_hint,
        device_name,
        attempt,
        deadline,
    };
    Ok((hints(form)?, admitted))
}

impl PushedRequest {
    /// The `request_uri`, bound to its client, and the id of the request. The id is a digest of the
    /// `request_uri`, so that it need not travel in it.
    pub fn seal(
        &self,
        client: &ClientRecord,
        keys: &Keys,
        random: &dyn Random,
    ) -> Option<(RequestId, String)> {
        let content = postcard::to_stdvec(&CompactRequest::of(self, client)?).ok()?;
        let content = Zeroizing::new(content);
        let sealed = keys.seal_bytes(Purpose::RequestUri, client.id.as_bytes(), &content, random);
        Some((id(&sealed), format!("{URN}{sealed}")))
    }

    /// Opens a `request_uri` of this client.
    ///
    /// # Errors
    /// It is not ours, not this client's or too old.
    pub fn unseal(
        request_uri: &str,
        client: &ClientRecord,
        keys: &Keys,
        now: Timestamp,
    ) -> Result<(RequestId, Self), RequestError> {
        let sealed = request_uri.strip_prefix(URN).ok_or(RequestError::Foreign)?;
        let content = keys
            .open_bytes(Purpose::RequestUri, client.id.as_bytes(), sealed)
            .map_err(|_| RequestError::Foreign)?;
        let compact: CompactRequest =
            postcard::from_bytes(&content).map_err(|_| RequestError::Foreign)?;
        let request = compact.request(client).ok_or(RequestError::Foreign)?;
        if now.has_reached(Timestamp::from_seconds(request.deadline)) {
            return Err(RequestError::Expired);
        }
        Ok((id(sealed), request))
    }
}

fn id(sealed: &str) -> RequestId {
    let digest: [u8; 32] = Sha256::digest(sealed).into();
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    RequestId::from_bytes(id)
}

fn check_protocol(form: &Form) -> Result<(), OAuthError> {
    if form.required("response_type")? != "code" {
        return Err(OAuthError::new("unsupported_response_type", "response_type must be code"));
    }
    if form.value("response_mode").is_some_and(|mode| mode != "query") {
        return Err(OAuthError::invalid_request("response_mode must be query"));
    }
    if form.has("prompt") {
        return Err(OAuthError::invalid_request("prompt is not supported: leave it out"));
    }
    if form.value("request_uri").is_some() || form.value("request").is_some() {
        return Err(OAuthError::invalid_request("request and request_uri may not be pushed"));
    }
    if form.value("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request("code_challenge_method must be S256"));
    }
    Ok(())
}

fn challenge(form: &Form) -> Result<String, OAuthError> {
    let challenge = form.required("code_challenge")?;
    if URL_SAFE_NO_PAD.decode(challenge).is_ok_and(|digest| digest.len() == 32) {
        Ok(challenge.to_owned())
    } else {
        Err(OAuthError::invalid_request("code_challenge must be a base64url SHA-256"))
    }
}

fn state(form: &Form) -> Result<String, OAuthError> {
    let state = form.value("state").unwrap_or("");
    if state.len() > LONGEST_STATE || !state.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Err(OAuthError::invalid_request(
            "state must be at most 512 printable ASCII characters",
        ));
    }
    Ok(state.to_owned())
}

fn attempt(form: &Form) -> Result<Option<AttemptId>, OAuthError> {
    let parsed = form.value("attempt").map(str::parse).transpose();
    parsed.map_err(|_| OAuthError::invalid_request("attempt must be 32 lower-case hex digits"))
}

fn hint(form: &Form, name: &str) -> Result<Option<String>, OAuthError> {
    let hint = form.owned(name);
    if hint
        .as_ref()
        .is_some_and(|hint| hint.len() > LONGEST_HINT || hint.chars().any(char::is_control))
    {
        return Err(OAuthError::invalid_request("a hint is too long or holds control characters"));
    }
    Ok(hint)
}

fn hints(form: &Form) -> Result<SelectorHints, OAuthError> {
    let hints = SelectorHints {
        login_hint: hint(form, "login_hint")?,
        organization: hint(form, "organization")?,
        connection: hint(form, "connection")?,
        provider: hint(form, "provider")?,
    };
    let named = [&hints.organization, &hints.connection, &hints.provider];
    if named.into_iter().flatten().count() > 1 {
        return Err(OAuthError::invalid_request(
            "name one of organization, connection and provider",
        ));
    }
    Ok(hints)
}
