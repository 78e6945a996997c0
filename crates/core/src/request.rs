//! A request to sign in, and what an attempt for it is made of: the receivers of this client and
//! the random values that the caller draws.

use crate::attempt::{AttemptId, CallbackReceiver, Hints, ReceiverSecrets, Store};

/// An email address has at most this many bytes, RFC 5321 §4.5.3.1.
const LONGEST_EMAIL: usize = 254;

/// Everything that can be said about a sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignInRequest {
    /// Who, or through what.
    pub hints: Hints,
    /// The receivers, the one that the browser is sent through first. Empty for the usual one.
    pub receivers: Vec<CallbackReceiver>,
    /// Where to keep the session.
    pub store: Store,
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

impl Hints {
    /// Those of a person who typed this. What cannot be an address is left out.
    #[must_use]
    pub fn of_email(email: Option<String>) -> Self {
        let fits = |email: &String| !email.is_empty() && email.len() <= LONGEST_EMAIL;
        Self { email: email.filter(fits), ..Self::default() }
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

    #[test]
    fn an_email_that_is_empty_or_too_long_is_left_out() {
        let kept = |email: &str| Hints::of_email(Some(email.to_owned())).email;
        assert_eq!(kept("ada@acme.test").as_deref(), Some("ada@acme.test"));
        assert_eq!((kept(""), kept(&"a".repeat(255))), (None, None));
        assert_eq!(kept(&"a".repeat(254)).map(|email| email.len()), Some(254));
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
