//! Ends sessions at the companion (RFC 7009): one that was kept, and each one that it has begun and
//! that nothing keeps. NOT here: when a session ends.

use std::fmt;
use std::time::Duration;

use keyport_core::secret::{AccessToken, RefreshToken};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::time::timeout;
use url::{Url, form_urlencoded};

use super::companion::CompanionClient;
use super::dpop::DeviceKey;
use super::error::{self, HttpError};
use super::oauth::form;
use super::wire::{Body, Wire};

/// More than a revocation has, in bytes.
const LONGEST_FORM: usize = 8 * 1024;
/// What revoking a session may take: one try.
pub(crate) const REVOKE: Duration = Duration::from_secs(3);

/// Either token ends its session (RFC 7009 section 2.1).
pub(super) enum Revocable {
    Refresh(RefreshToken),
    Access(AccessToken),
}

impl Revocable {
    /// What an answer gives, though it may be refused for anything else in it: its refresh token,
    /// or the access token where there is no other.
    pub(super) fn in_answer(body: &[u8]) -> Option<Self> {
        let answer =
            serde_json::Deserializer::from_slice(body).into_iter::<Value>().next()?.ok()?;
        let text = |name: &str| answer[name].as_str().filter(|text| !text.is_empty());
        let refresh = text("refresh_token").map(|text| Self::Refresh(RefreshToken::new(text)));
        refresh.or_else(|| text("access_token").map(|text| Self::Access(AccessToken::new(text))))
    }

    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Refresh(token) => ("refresh_token", token.expose()),
            Self::Access(token) => ("access_token", token.expose()),
        }
    }
}

/// A session that the companion has begun and that nothing keeps yet. It is kept or it is revoked:
/// with [`revoke`](Self::revoke), or by a task of its own when this is dropped otherwise.
#[must_use = "a session that is not kept is revoked"]
pub(crate) struct Unkept {
    token: Option<Revocable>,
    revocation: Revocation,
}

impl Unkept {
    /// The session is kept by whoever calls this.
    pub(crate) fn keep(&mut self) {
        self.token = None;
    }

    /// One try, as far as the companion answers within 3 s.
    pub(super) async fn revoke(mut self) {
        if let Some(token) = &self.token {
            self.revocation.try_once(token).await;
        }
        // Not before: given up midway, it is tried again.
        self.token = None;
    }
}

impl Drop for Unkept {
    fn drop(&mut self) {
        if let (Some(token), Ok(runtime)) = (self.token.take(), Handle::try_current()) {
            let revocation = self.revocation.clone();
            runtime.spawn(async move { revocation.try_once(&token).await });
        }
    }
}

impl fmt::Debug for Unkept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unkept").finish_non_exhaustive()
    }
}

/// Revokes without the companion that it is of: it may outlive it.
#[derive(Clone)]
struct Revocation {
    wire: Wire,
    endpoint: Url,
    client_id: String,
}

impl Revocation {
    async fn try_once(&self, token: &Revocable) {
        match timeout(REVOKE, self.send(token)).await {
            Ok(Ok(())) => tracing::info!("a session that is not kept was revoked"),
            Ok(Err(_)) | Err(_) => tracing::warn!("a session that is not kept was not revoked"),
        }
    }

    /// Built by hand: the `oauth2` crate refuses a revocation endpoint over http, which a companion
    /// on this machine has.
    async fn send(&self, token: &Revocable) -> Result<(), HttpError> {
        let (hint, token) = token.parts();
        let body =
            encoded([("client_id", &*self.client_id), ("token", token), ("token_type_hint", hint)]);
        let response = self.wire.send(form(&self.endpoint, body)?).await?;
        if error::is_revoked(&response) { Ok(()) } else { Err(error::of_answer(&response).into()) }
    }
}

impl CompanionClient {
    /// Ends the session at the companion. A token that it does not know is as good as revoked.
    ///
    /// # Errors
    /// When it did not say so.
    pub async fn revoke(&self, token: &RefreshToken) -> Result<(), HttpError> {
        let endpoint = &self.endpoints().await?.revoke;
        self.revocation(endpoint).send(&Revocable::Refresh(token.clone())).await
    }

    /// Ends the session of this name, whose tokens are gone, with a proof by its device key. One
    /// that the companion does not know, or whose key this is not, is as good as ended.
    ///
    /// # Errors
    /// When it did not say so.
    pub(crate) async fn revoke_named(
        &self,
        key: &DeviceKey,
        session: &str,
    ) -> Result<(), HttpError> {
        let endpoint = &self.endpoints().await?.revoke;
        let body = encoded([("client_id", &*self.client_id), ("session_id", session)]);
        let response = self.send_proven(key, None, form(endpoint, body)?).await?;
        if error::is_revoked(&response) { Ok(()) } else { Err(error::of_answer(&response).into()) }
    }

    /// Revokes a session that nothing keeps any more, once and in a task of its own. Where the
    /// companion was not found yet nothing is done: no session was begun there.
    ///
    /// # Panics
    /// Never; outside a tokio runtime nothing is done.
    pub(crate) fn abandon(&self, token: RefreshToken) {
        if let Some(endpoints) = self.known_endpoints() {
            drop(self.unkept(Some(Revocable::Refresh(token)), &endpoints.revoke));
        }
    }

    pub(super) fn unkept(&self, token: Option<Revocable>, endpoint: &Url) -> Unkept {
        Unkept { token, revocation: self.revocation(endpoint) }
    }

    fn revocation(&self, endpoint: &Url) -> Revocation {
        Revocation {
            wire: self.wire.clone(),
            endpoint: endpoint.clone(),
            client_id: self.client_id.clone(),
        }
    }
}

/// Parameters as a form, in memory that is large enough from the start and wiped on drop.
fn encoded<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Body {
    let form = String::with_capacity(LONGEST_FORM);
    let mut form = form_urlencoded::Serializer::new(form);
    Body::new(form.extend_pairs(parameters).finish().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_gives_is_found_whatever_else_is_in_it() {
        for (body, found) in [
            (r#"{"refresh_token":"r","access_token":"a"}"#, Some(("refresh_token", "r"))),
            (r#"{"refresh_token":"r","access_token":7}"#, Some(("refresh_token", "r"))),
            (r#"{"refresh_token":"r","expires_in":-1}<html>"#, Some(("refresh_token", "r"))),
            (r#"{"refresh_token":"q","refresh_token":"r"}"#, Some(("refresh_token", "r"))),
            (r#"{"refresh_token":"","access_token":"a"}"#, Some(("access_token", "a"))),
            (r#"{"access_token":"a"}"#, Some(("access_token", "a"))),
            (r#"["r"]"#, None),
            (r#""r""#, None),
            ("", None),
        ] {
            let given = Revocable::in_answer(body.as_bytes());
            assert_eq!(given.as_ref().map(Revocable::parts), found, "{body}");
        }
    }
}
