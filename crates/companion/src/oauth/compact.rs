//! The binary form of a pushed request, as it travels in a link that people copy and in cookies:
//! ids as bytes, the redirect URI as its rule, the scope as a bit set, text that is base64url or a
//! ULID as what it stands for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::pushed_request::PushedRequest;
use crate::admission::UpstreamSelector;
use crate::clients::{ClientRecord, RedirectChoice};
use crate::domain::{AttemptId, Scope, Thumbprint};

/// See the module. The client is not in it: it is what the seal is bound to, or stands beside it.
#[derive(Serialize, Deserialize)]
pub struct CompactRequest {
    redirect: RedirectChoice,
    state: Text,
    code_challenge: [u8; 32],
    scope: u8,
    jkt: [u8; 32],
    selector: CompactSelector,
    login_hint: Option<String>,
    device_name: Option<String>,
    attempt: Option<[u8; 16]>,
    deadline: u32,
}

#[derive(Serialize, Deserialize)]
enum CompactSelector {
    Connection(Text, Option<Text>),
    Organization(Text),
    Provider(Text),
    Hosted,
}

/// Text, shorter where its characters say less than a byte each.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Text {
    Plain(String),
    /// Base64url without padding.
    Base64(Vec<u8>),
    /// Letters, `_` and a ULID, as the ids of WorkOS are.
    Ulid(String, [u8; 16]),
}

impl CompactRequest {
    /// The compact form; none if the client has no rule for the redirect URI.
    pub fn of(request: &PushedRequest, client: &ClientRecord) -> Option<Self> {
        let challenge = URL_SAFE_NO_PAD.decode(&request.code_challenge).ok()?;
        Some(Self {
            redirect: client.choose(&request.redirect_uri)?,
            state: Text::of(&request.state),
            code_challenge: challenge.try_into().ok()?,
            scope: bits(&Scope::parse(&request.scope)),
            jkt: *request.jkt.as_bytes(),
            selector: CompactSelector::of(&request.selector),
            login_hint: request.login_hint.clone(),
            device_name: request.device_name.clone(),
            attempt: request.attempt.map(|attempt| *attempt.as_bytes()),
            deadline: request.deadline.try_into().ok()?,
        })
    }

    /// The same without what is not needed once the person is on the way to the provider.
    pub fn without_hint(self) -> Self {
        Self { login_hint: None, ..self }
    }

    /// The request; none if the client has no such rule (any more).
    pub fn request(self, client: &ClientRecord) -> Option<PushedRequest> {
        Some(PushedRequest {
            client_id: client.id.clone(),
            redirect_uri: client.redirect_uri(self.redirect)?,
            state: self.state.text(),
            code_challenge: URL_SAFE_NO_PAD.encode(self.code_challenge),
            scope: words(self.scope).as_str().to_owned(),
            jkt: Thumbprint::from_bytes(self.jkt),
            selector: self.selector.selector(),
            login_hint: self.login_hint,
            device_name: self.device_name,
            attempt: self.attempt.map(AttemptId::from_bytes),
            deadline: self.deadline.into(),
        })
    }
}

impl CompactSelector {
    fn of(selector: &UpstreamSelector) -> Self {
        match selector {
            UpstreamSelector::Connection { id, organization } => {
                Self::Connection(Text::of(id), organization.as_deref().map(Text::of))
            }
            UpstreamSelector::Organization(id) => Self::Organization(Text::of(id)),
            UpstreamSelector::Provider(name) => Self::Provider(Text::of(name)),
            UpstreamSelector::Hosted => Self::Hosted,
        }
    }

    fn selector(self) -> UpstreamSelector {
        match self {
            Self::Connection(id, organization) => UpstreamSelector::Connection {
                id: id.text(),
                organization: organization.map(Text::text),
            },
            Self::Organization(id) => UpstreamSelector::Organization(id.text()),
            Self::Provider(name) => UpstreamSelector::Provider(name.text()),
            Self::Hosted => UpstreamSelector::Hosted,
        }
    }
}

impl Text {
    fn of(text: &str) -> Self {
        let plain = || Self::Plain(text.to_owned());
        let shorter = ulid(text).or_else(|| URL_SAFE_NO_PAD.decode(text).ok().map(Self::Base64));
        // Only what comes back letter by letter.
        shorter.filter(|short| short.as_text() == text).unwrap_or_else(plain)
    }

    fn as_text(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Base64(bytes) => URL_SAFE_NO_PAD.encode(bytes),
            Self::Ulid(prefix, bytes) => {
                let value = u128::from_be_bytes(*bytes);
                let digit = |place: u32| usize::try_from(value >> (5 * place) & 31).unwrap_or(0);
                let digits = (0..26).rev().map(|place| char::from(CROCKFORD[digit(place)]));
                prefix.chars().chain(['_']).chain(digits).collect()
            }
        }
    }

    fn text(self) -> String {
        match self {
            Self::Plain(text) => text,
            short => short.as_text(),
        }
    }
}

/// Crockford's base 32, the digits of a ULID.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

fn ulid(text: &str) -> Option<Text> {
    let (prefix, digits) = text.rsplit_once('_')?;
    let place = |digit: u8| CROCKFORD.iter().position(|known| *known == digit);
    let value = digits
        .bytes()
        .try_fold(0_u128, |value, digit| Some(value << 5 | u128::try_from(place(digit)?).ok()?))?;
    (digits.len() == 26).then(|| Text::Ulid(prefix.to_owned(), value.to_be_bytes()))
}

fn bits(scope: &Scope) -> u8 {
    let granted = Scope::KNOWN.iter().enumerate().filter(|(_, word)| scope.has(word));
    granted.map(|(place, _)| 1_u8 << place).sum()
}

fn words(bits: u8) -> Scope {
    let known = Scope::KNOWN.iter().enumerate();
    let granted = known.filter(|(place, _)| bits & 1 << place != 0).map(|(_, word)| *word);
    Scope::parse(&granted.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_letter_by_letter() {
        for text in [
            "",
            "_",
            "x",
            "org_acme",
            "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
            "org_81EHWNCE74X7JSDV0X3SZ3KJNY",
            "org_01ehwnce74x7jsdv0x3sz3kjny",
            "conn_01EMULATOROKTA",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN",
            "GoogleOAuth",
            "\u{fc} / ~",
        ] {
            assert_eq!(Text::of(text).text(), text);
        }
        let id = Text::of("org_01EHWNCE74X7JSDV0X3SZ3KJNY");
        assert!(matches!(id, Text::Ulid(..)), "{id:?}");
    }

    #[test]
    fn every_scope_comes_back() {
        assert!(Scope::KNOWN.len() <= 8);
        for bits_of in 0..16 {
            assert_eq!(bits(&words(bits_of)), bits_of);
        }
    }
}
