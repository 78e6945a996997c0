//! The upstream `state` and its cookie. The state is a deadline and 128 random bits; what it stands
//! for is the sealed value of a cookie of that name. A browser keeps at most eight of them: one
//! more puts the oldest out.

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::browser::cookies;
use crate::domain::{Random, Timestamp, UpstreamAuthorizationId};
use crate::issuer::Issuer;

/// Cookies of one browser at most.
const AT_MOST: usize = 8;
/// Their names and values together, in bytes.
const ALTOGETHER: usize = 6 * 1024;
/// Cookies that cannot be ours and are removed with one answer, at most.
const REMOVED: usize = 64;
/// How long a browser keeps one, in seconds.
const LIFETIME: u32 = 600;

/// An upstream `state`: base64url, 27 characters. Its deadline only chooses words where the cookie
/// is gone.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamState([u8; 20], String);

/// What a browser has brought for a state.
pub enum FoundCookie<'a> {
    /// No cookie of that name.
    Nothing,
    /// One.
    Sealed(&'a str),
    /// Several of one name: none is believed.
    Several,
}

impl UpstreamState {
    /// A new one.
    pub fn draw(deadline: Timestamp, random: &dyn Random) -> Self {
        let mut bytes = [0; 20];
        random.fill(&mut bytes[4..]);
        let seconds = u32::try_from(deadline.seconds()).unwrap_or_default();
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        Self(bytes, URL_SAFE_NO_PAD.encode(bytes))
    }

    /// A `state` that came back; none if it has not the form of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        Some(Self(bytes, text.to_owned()))
    }

    /// As it goes upstream.
    pub fn as_str(&self) -> &str {
        &self.1
    }

    /// What the seal of its cookie is bound to.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The id of its upstream authorization in log and database: a digest, so that neither holds
    /// the state.
    pub fn authorization(&self) -> UpstreamAuthorizationId {
        let digest: [u8; 32] = Sha256::digest(self.0).into();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        UpstreamAuthorizationId::from_bytes(id)
    }

    /// Whether its time is over, as it says itself.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.has_reached(Timestamp::from_seconds(self.deadline().into()))
    }

    fn deadline(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// Its cookie in a request.
    pub fn find_cookie<'a>(&self, headers: &'a HeaderMap, issuer: &Issuer) -> FoundCookie<'a> {
        let name = format!("{}{}", prefix(issuer), self.1);
        let mut values = cookies(headers).filter_map(|(key, value)| (key == name).then_some(value));
        match (values.next(), values.next()) {
            (None, _) => FoundCookie::Nothing,
            (Some(value), None) => FoundCookie::Sealed(value),
            (Some(_), Some(_)) => FoundCookie::Several,
        }
    }

    /// `Set-Cookie` of its cookie, and of those that it puts out. Those that are not usable go
    /// first, and no usable one for their sake: on loopback http another local service can have set
    /// them (RFC 6265 §8.5).
    pub fn set_cookies(
        &self,
        sealed: &str,
        headers: &HeaderMap,
        issuer: &Issuer,
        is_usable: impl Fn(&Self, &str) -> bool,
    ) -> Vec<HeaderValue> {
        let (mut kept, mut out) = (Vec::new(), Vec::new());
        for (text, value) in of_request(headers, issuer) {
            match Self::parse(text).filter(|state| is_usable(state, value)) {
                Some(state) => kept.push((state, prefix(issuer).len() + text.len() + value.len())),
                None if out.len() < REMOVED => out.extend(cookie(issuer, text, "", 0)),
                None => {}
            }
        }
        // The oldest first; of one age in the order of the browser, which is that of their making
        // (RFC 6265 §5.4).
        kept.sort_by_key(|(state, _)| state.deadline());
        let mut size = sealed.len() + kept.iter().map(|(_, size)| size).sum::<usize>();
        for (index, (state, bytes)) in kept.iter().enumerate() {
            if kept.len() - index < AT_MOST && size <= ALTOGETHER {
                break;
            }
            size -= bytes;
            out.extend(state.clear_cookie(issuer));
        }
        out.extend(self.set_cookie(sealed, issuer));
        out
    }

    /// `Set-Cookie` of its cookie, whatever else the browser keeps.
    pub fn set_cookie(&self, sealed: &str, issuer: &Issuer) -> Option<HeaderValue> {
        cookie(issuer, &self.1, sealed, LIFETIME)
    }

    /// `Set-Cookie` that removes its cookie.
    pub fn clear_cookie(&self, issuer: &Issuer) -> Option<HeaderValue> {
        cookie(issuer, &self.1, "", 0)
    }
}

/// The cookies of a browser that have a name of ours: what it says of the state, and the value.
fn of_request<'a>(
    headers: &'a HeaderMap,
    issuer: &Issuer,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let prefix = prefix(issuer);
    cookies(headers).filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value)))
}

fn prefix(issuer: &Issuer) -> &'static str {
    if issuer.is_https() { "__Host-keyport-state-" } else { "keyport-state-" }
}

fn cookie(issuer: &Issuer, state: &str, value: &str, lifetime: u32) -> Option<HeaderValue> {
    let name = prefix(issuer);
    let secure = if issuer.is_https() { "; Secure" } else { "" };
    let cookie = format!(
        "{name}{state}={value}; Path=/; Max-Age={lifetime}; HttpOnly; SameSite=Lax{secure}"
    );
    HeaderValue::from_str(&cookie).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SystemRandom;

    #[test]
    fn on_https_the_cookie_is_held_to_this_host_and_to_tls() {
        let issuer = Issuer::new("https://sign-in.acme.test").unwrap();
        let state = UpstreamState::draw(Timestamp::from_seconds(1_800_000_000), &SystemRandom);
        let set = state.set_cookies("sealed", &HeaderMap::new(), &issuer, |_, _| true);
        let expected = format!(
            "__Host-keyport-state-{}=sealed; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure",
            state.as_str()
        );
        assert_eq!(set, [expected.as_str()]);
        assert_eq!(state.as_str().len(), 27);
    }

    #[test]
    fn a_state_says_when_it_is_over_and_comes_back_from_its_text() {
        let at = |seconds| Timestamp::from_seconds(seconds);
        let state = UpstreamState::draw(at(600), &SystemRandom);
        let back = UpstreamState::parse(state.as_str()).unwrap();
        assert!(!back.is_over(at(599)) && back.is_over(at(600)));
        assert_eq!(back.authorization(), state.authorization());
        for other in ["", "guess", "AAAA", &state.as_str()[1..], &format!("{}A", state.as_str())] {
            assert!(UpstreamState::parse(other).is_none(), "{other}");
        }
    }
}
