//! An upstream authorization: one opening of a pushed request in one browser. The upstream `state`
//! is its random id; what it stands for is sealed into a cookie of that name. So nothing is stored
//! until a provider has answered, and the browser that comes back must be the one that was sent.

use std::sync::Arc;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::compact::CompactRequest;
use super::pushed_request::PushedRequest;
use super::request::RequestError;
use crate::clients::ClientRecord;
use crate::domain::{
    BrowserHash, Random, RequestId, Scope, SecretText, Timestamp, UpstreamAuthorizationId,
};
use crate::keys::{Keys, Purpose};
use crate::storage::ReturnedAuthorization;
use crate::upstream::QueuePlace;
use crate::web::state_cookie::UpstreamState;

/// How long a person may take at the provider.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// See the module. No `Debug`: it holds the upstream code verifier.
pub struct UpstreamAuthorization {
    pub id: UpstreamAuthorizationId,
    /// The name of the upstream that it was opened at.
    pub upstream: String,
    pub request_id: RequestId,
    pub request: PushedRequest,
    pub browser: BrowserHash,
    /// The place that its callback was given when it was refused.
    pub place: Option<QueuePlace>,
    verifier: [u8; 32],
    deadline: i64,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    upstream: String,
    client_id: String,
    request_id: [u8; 16],
    request: CompactRequest,
    browser: [u8; 32],
    verifier: [u8; 32],
    deadline: u32,
    /// First arrival and last refusal of its callback.
    place: Option<(u32, u32)>,
}

impl UpstreamAuthorization {
    /// Opens the request in a browser under a new upstream `state`, at the upstream of this name.
    pub fn open(
        (request_id, request): (RequestId, PushedRequest),
        upstream: &str,
        browser: BrowserHash,
        random: &dyn Random,
        now: Timestamp,
    ) -> (UpstreamState, Self) {
        let deadline = now.plus(LIFETIME);
        let state = UpstreamState::draw(deadline, random);
        let mut verifier = [0; 32];
        random.fill(&mut verifier);
        let (id, deadline) = (state.authorization(), deadline.seconds());
        let upstream = upstream.to_owned();
        let place = None;
        (state, Self { id, upstream, request_id, request, browser, place, verifier, deadline })
    }

    /// S256 of the upstream verifier (RFC 7636 §4.2).
    pub fn code_challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(URL_SAFE_NO_PAD.encode(self.verifier)))
    }

    /// The upstream verifier.
    pub fn verifier(&self) -> SecretText {
        SecretText::new(URL_SAFE_NO_PAD.encode(self.verifier))
    }

    /// The value of the cookie that is named after the state.
    pub fn seal(
        &self,
        state: &UpstreamState,
        place: Option<QueuePlace>,
        client: &ClientRecord,
        keys: &Keys,
        random: &dyn Random,
    ) -> Option<String> {
        let sealed = Sealed {
            upstream: self.upstream.clone(),
            client_id: self.request.client_id.clone(),
            request_id: *self.request_id.as_bytes(),
            request: CompactRequest::of(&self.request, client)?.without_hint(),
            browser: *self.browser.as_bytes(),
            verifier: self.verifier,
            deadline: self.deadline.try_into().ok()?,
            place: place.and_then(|place| {
                let QueuePlace { first, given } = place;
                Some((first.seconds().try_into().ok()?, given.seconds().try_into().ok()?))
            }),
        };
        let content = Zeroizing::new(postcard::to_stdvec(&sealed).ok()?);
        Some(keys.seal_bytes(Purpose::UpstreamAuthorization, state.as_bytes(), &content, random))
    }

    /// Opens the cookie of a state that came back.
    ///
    /// # Errors
    /// It is not ours, not of this state or too old.
    pub fn unseal(
        cookie: &str,
        state: &UpstreamState,
        clients: &[Arc<ClientRecord>],
        keys: &Keys,
        now: Timestamp,
    ) -> Result<Self, RequestError> {
        let content = keys
            .open_bytes(Purpose::UpstreamAuthorization, state.as_bytes(), cookie)
            .map_err(|_| RequestError::Foreign)?;
        let sealed: Sealed = postcard::from_bytes(&content).map_err(|_| RequestError::Foreign)?;
        let client = clients.iter().find(|client| client.id == sealed.client_id);
        let request = client.and_then(|client| sealed.request.request(client));
        let deadline = i64::from(sealed.deadline);
        if now.has_reached(Timestamp::from_seconds(deadline)) {
            return Err(RequestError::Expired);
        }
        Ok(Self {
            id: state.authorization(),
            upstream: sealed.upstream,
            request_id: RequestId::from_bytes(sealed.request_id),
            request: request.ok_or(RequestError::Foreign)?,
            browser: BrowserHash::from_bytes(sealed.browser),
            place: sealed.place.map(|(first, given)| QueuePlace {
                first: Timestamp::from_seconds(first.into()),
                given: Timestamp::from_seconds(given.into()),
            }),
            verifier: sealed.verifier,
            deadline,
        })
    }

    /// As the storage journals it.
    pub fn opened(&self) -> ReturnedAuthorization {
        let request = &self.request;
        ReturnedAuthorization {
            id: self.id,
            request: self.request_id,
            attempt: request.attempt,
            jkt: request.jkt,
            browser: self.browser,
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            state: SecretText::new(&request.state),
            code_challenge: request.code_challenge.clone(),
            scope: Scope::parse(&request.scope),
            device_name: request.device_name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::UpstreamSelector;
    use crate::domain::SystemRandom;
    use crate::domain::Thumbprint;
    use crate::keys::KeyFile;

    #[test]
    fn the_cookie_carries_the_queue_place_of_its_own_state_only() {
        let client = ClientRecord::keyport_desktop();
        let keys = Keys::derive(&KeyFile::draw(&SystemRandom));
        let now = Timestamp::from_seconds(1_800_000_000);
        let request = PushedRequest {
            client_id: client.id.clone(),
            redirect_uri: "http://127.0.0.1:1/callback".into(),
            state: "state".into(),
            code_challenge: URL_SAFE_NO_PAD.encode([1; 32]),
            scope: "openid".into(),
            jkt: Thumbprint::from_bytes([2; 32]),
            selector: UpstreamSelector::Provider("GoogleOAuth".into()),
            login_hint: None,
            device_name: None,
            attempt: None,
            deadline: now.plus(LIFETIME).seconds(),
        };
        let id = RequestId::from_bytes([3; 16]);
        let browser = BrowserHash::from_bytes([4; 32]);
        let (state, authorization) =
            UpstreamAuthorization::open((id, request), "sso", browser, &SystemRandom, now);
        let place = QueuePlace { first: now, given: now.plus(Duration::from_secs(7)) };
        let clients = [Arc::new(client)];
        for place in [None, Some(place)] {
            let sealed =
                authorization.seal(&state, place, &clients[0], &keys, &SystemRandom).unwrap();
            let opened =
                UpstreamAuthorization::unseal(&sealed, &state, &clients, &keys, now).ok().unwrap();
            assert_eq!((opened.place, &*opened.upstream), (place, "sso"));
            let other = UpstreamState::draw(now.plus(LIFETIME), &SystemRandom);
            let moved = UpstreamAuthorization::unseal(&sealed, &other, &clients, &keys, now);
            assert!(matches!(moved, Err(RequestError::Foreign)));
        }
    }
}
