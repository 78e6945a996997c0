//! A request to sign in, and what an attempt for it is made of: the receivers of this client and
//! the random values that the caller draws.

use thiserror::Error;

use crate::attempt::{AttemptId, CallbackReceiver, Hints, ReceiverSecrets, SessionStore};
use crate::text::is_unsafe;

/// An email address has at most this many bytes, RFC 5321 §4.5.3.1.
const LONGEST_EMAIL: usize = 254;
/// The longest id or name of a provider, in bytes; theirs are a quarter of it.
const LONGEST_ID: usize = 128;

/// Everything that can be said about a sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignInRequest {
    /// Who, or through what.
    pub hints: Hints,
    /// The receivers, the one that the browser is sent through first. Empty for the usual one.
    pub receivers: Vec<CallbackReceiver>,
    /// Where to keep the session.
    pub store: SessionStore,
}

/// The callback receivers of a client, in the order in which they are tried. Configuration of the
/// machine; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverOrder {
    usual: CallbackReceiver,
    others: Vec<CallbackReceiver>,
}

/// The random values of one attempt, drawn by the caller. They come with every intent; one that
/// begins no attempt leaves them unused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draws {
    /// New for each intent.
    pub attempt: AttemptId,
    /// For every receiver that a request could name.
    pub receivers: Vec<ReceiverSecrets>,
}

/// One of the [`Hints`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HintName {
    /// [`Hints::email`].
    Email,
    /// [`Hints::organization`].
    Organization,
    /// [`Hints::connection`].
    Connection,
    /// [`Hints::provider`].
    Provider,
}

/// Why a text cannot be the hint that it shall be. It is not part of the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HintError {
    /// Without an address or a domain, too long, or with blanks or unsafe characters.
    #[error("not an email address")]
    NotAnEmail,
    /// An id of another kind.
    #[error("it begins with {0}")]
    OtherKind(&'static str),
    /// Empty, too long, or with other characters than an id has.
    #[error("only letters, digits, _ and - are in such a name, {LONGEST_ID} at most")]
    NotAnId,
    /// At most one of them can be meant.
    #[error("only one of organization, connection and provider can be named")]
    Several,
}

impl HintName {
    /// Whether `text` can be this hint at all. Whether it is known says the companion.
    ///
    /// # Errors
    /// Why not.
    pub fn check(self, text: &str) -> Result<(), HintError> {
        match self {
            Self::Email => check_email(text),
            Self::Organization => check_id(text, "org_"),
            Self::Connection => check_id(text, "conn_"),
            Self::Provider => check_id(text, ""),
        }
    }
}

fn check_email(text: &str) -> Result<(), HintError> {
    let is_whole = text.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    let is_plain = !text.chars().any(|c| c.is_whitespace() || is_unsafe(c));
    if is_whole && is_plain && text.len() <= LONGEST_EMAIL {
        Ok(())
    } else {
        Err(HintError::NotAnEmail)
    }
}

fn check_id(text: &str, beginning: &'static str) -> Result<(), HintError> {
    let rest = text.strip_prefix(beginning).ok_or(HintError::OtherKind(beginning))?;
    let is_plain = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_plain && !rest.is_empty() && text.len() <= LONGEST_ID {
        Ok(())
    } else {
        Err(HintError::NotAnId)
    }
}

impl Hints {
    /// Those of a person who typed this, or nothing.
    #[must_use]
    pub fn of_email(email: Option<String>) -> Self {
        Self { email: email.filter(|email| !email.is_empty()), ..Self::default() }
    }

    /// Whether each of them can be meant, and all of them together. To be asked before anything is
    /// sent.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), HintError> {
        let selectors = [
            (HintName::Organization, &self.organization),
            (HintName::Connection, &self.connection),
            (HintName::Provider, &self.provider),
        ];
        for (name, text) in selectors.into_iter().chain([(HintName::Email, &self.email)]) {
            text.as_deref().map_or(Ok(()), |text| name.check(text))?;
        }
        let named = selectors.iter().filter(|(_, text)| text.is_some()).count();
        if named > 1 { Err(HintError::Several) } else { Ok(()) }
    }
}

impl ReceiverOrder {
    /// This receiver and no other.
    #[must_use]
    pub const fn only(usual: CallbackReceiver) -> Self {
        Self { usual, others: Vec::new() }
    }

    /// Every receiver there is, this one first.
    #[must_use]
    pub fn beginning_with(usual: CallbackReceiver) -> Self {
        let others = CallbackReceiver::ALL.into_iter().filter(|other| *other != usual);
        Self { usual, others: others.collect() }
    }

    /// The one that a sign-in is begun with.
    #[must_use]
    pub const fn usual(&self) -> CallbackReceiver {
        self.usual
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = CallbackReceiver> {
        std::iter::once(self.usual).chain(self.others.iter().copied())
    }
}

impl Draws {
    /// The values of these receivers, in this order.
    pub(crate) fn of(self, receivers: &[CallbackReceiver]) -> Vec<ReceiverSecrets> {
        let drawn = |receiver: &CallbackReceiver| {
            self.receivers.iter().find(|drawn| drawn.receiver == *receiver).cloned()
        };
        receivers.iter().filter_map(drawn).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: HintName, text: &str) -> Hints {
        let (mut hints, text) = (Hints::default(), Some(text.to_owned()));
        match name {
            HintName::Email => hints.email = text,
            HintName::Organization => hints.organization = text,
            HintName::Connection => hints.connection = text,
            HintName::Provider => hints.provider = text,
        }
        hints
    }

    #[test]
    fn an_empty_email_is_no_hint_and_every_other_is_one() {
        let kept = |email: &str| Hints::of_email(Some(email.to_owned())).email;
        assert_eq!((kept(""), kept("ada").as_deref()), (None, Some("ada")));
        assert_eq!(kept(&"a".repeat(255)).map(|email| email.len()), Some(255));
    }

    #[test]
    fn what_can_be_meant_is_a_hint() {
        let longest = format!("{}@acme.test", "a".repeat(LONGEST_EMAIL - 10));
        for (name, text) in [
            (HintName::Email, "ada@acme.test"),
            (HintName::Email, "Zoë.李雷+a@例え.test"),
            (HintName::Email, &longest),
            (HintName::Organization, "org_01EMULATORACME"),
            (HintName::Connection, "conn_01EMULATOROKTA"),
            (HintName::Provider, "GoogleOAuth"),
        ] {
            assert_eq!(of(name, text).check(), Ok(()), "{name:?} {text:?}");
        }
        let (email, organization) = (Some("ada@acme.test".into()), Some("org_1".into()));
        assert_eq!(Hints { email, organization, ..Hints::default() }.check(), Ok(()));
    }

    #[test]
    fn what_cannot_be_meant_is_no_hint() {
        use HintError::{NotAnEmail, NotAnId, OtherKind, Several};
        let long = format!("{}@acme.test", "a".repeat(LONGEST_EMAIL - 9));
        for email in ["ada", "@acme.test", "ada@", "a@b@c", "ada @acme.test", &long] {
            assert_eq!(of(HintName::Email, email).check(), Err(NotAnEmail), "{email:?}");
        }
        let ids = [
            (HintName::Organization, "org_", OtherKind("org_")),
            (HintName::Connection, "conn_", OtherKind("conn_")),
            (HintName::Provider, "", NotAnId),
        ];
        for (name, beginning, other_kind) in ids {
            assert_eq!(of(name, "").check(), Err(other_kind), "{name:?}");
            let long = "a".repeat(LONGEST_ID + 1);
            for rest in ["", " ", "a/../b", "é", &long] {
                let text = format!("{beginning}{rest}");
                assert_eq!(of(name, &text).check(), Err(NotAnId), "{name:?} {text:?}");
            }
        }
        for unsafe_one in ['\0', '\r', '\n', '\u{85}', '\u{202e}', '\u{2066}', '\u{200b}'] {
            let in_email = format!("ada{unsafe_one}@acme.test");
            assert_eq!(of(HintName::Email, &in_email).check(), Err(NotAnEmail), "{in_email:?}");
            for (name, beginning, _) in ids {
                let text = format!("{beginning}a{unsafe_one}");
                assert_eq!(of(name, &text).check(), Err(NotAnId), "{text:?}");
            }
        }
        let mut two = of(HintName::Organization, "org_1");
        two.provider = Some("GoogleOAuth".into());
        assert_eq!(two.check(), Err(Several));
    }

    #[test]
    fn the_usual_receiver_comes_first_and_each_one_once() {
        for usual in CallbackReceiver::ALL {
            let order: Vec<_> = ReceiverOrder::beginning_with(usual).iter().collect();
            assert_eq!((order[0], order.len()), (usual, CallbackReceiver::ALL.len()));
            assert_eq!(ReceiverOrder::only(usual).iter().collect::<Vec<_>>(), [usual]);
        }
    }
}
