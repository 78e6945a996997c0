//! A branch: one opening of a pushed request in one browser, sealed into the upstream `state`. It brings back
//! everything the callback needs, so nothing is stored until a provider has answered.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::request::{PushedRequest, Unusable};
use crate::domain::{BranchId, BrowserHash, Scope, Timestamp};
use crate::keys::{Keys, Purpose, Random, SecretText};
use crate::storage::OpenedBranch;

/// How long a person may take at the provider.
const LIFETIME: Duration = Duration::from_secs(600);

/// See the module. No `Debug`: it holds the upstream code verifier.
#[derive(Serialize, Deserialize)]
pub struct Branch {
    #[serde(rename = "q")]
    pub request: PushedRequest,
    #[serde(rename = "b")]
    pub id: BranchId,
    #[serde(rename = "h")]
    pub browser: BrowserHash,
    #[serde(rename = "p")]
    verifier: String,
    #[serde(rename = "t")]
    deadline: i64,
}

impl Branch {
    /// Opens the request in a browser.
    pub fn open(
        request: PushedRequest,
        browser: BrowserHash,
        random: &dyn Random,
        now: Timestamp,
    ) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self {
            request,
            id: BranchId::draw(random),
            browser,
            verifier: URL_SAFE_NO_PAD.encode(bytes),
            deadline: now.plus(LIFETIME).seconds(),
        }
    }

    /// S256 of the upstream verifier (RFC 7636 §4.2).
    pub fn code_challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier))
    }

    /// The upstream verifier.
    pub fn verifier(&self) -> SecretText {
        SecretText::new(&self.verifier)
    }

    /// The upstream `state`.
    pub fn seal(&self, keys: &Keys, random: &dyn Random) -> Option<String> {
        let text = serde_json::to_string(self).ok()?;
        Some(keys.seal(Purpose::Branch, &text, random))
    }

    /// Opens a `state` that came back.
    ///
    /// # Errors
    /// It is not ours or too old.
    pub fn unseal(state: &str, keys: &Keys, now: Timestamp) -> Result<Self, Unusable> {
        let text = keys.open(Purpose::Branch, state).map_err(|_| Unusable::Foreign)?;
        let branch: Self = serde_json::from_str(text.expose()).map_err(|_| Unusable::Foreign)?;
        if now.has_reached(Timestamp::from_seconds(branch.deadline)) {
            return Err(Unusable::Expired);
        }
        Ok(branch)
    }

    /// As the storage journals it.
    pub fn opened(&self) -> OpenedBranch {
        let request = &self.request;
        OpenedBranch {
            branch: self.id,
            request: request.id,
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
