//! What the person wants, from the page or the terminal to the machine: the same enum all the way.
//! NOT what a program reports; that is an [`Event`](crate::Event) of its own.

use serde::Deserialize;

use crate::account::AccountId;
use crate::request::SignInRequest;

/// What the person wants of sign-in and sessions, as the window's page names it. One that the state
/// does not allow changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Intent {
    /// Sign in, beside the accounts that are there. An attempt that waits is replaced.
    SignIn {
        /// Chooses the company by its domain. Without one the companion's default organization is
        /// asked for.
        email: Option<String>,
    },
    /// As [`SignIn`](Self::SignIn), with everything that a program can say about it. The page
    /// cannot: it has no name there.
    #[serde(skip)]
    SignInWith(SignInRequest),
    /// Open the browser for the same attempt again.
    OpenAgain,
    /// Copy the link of the attempt.
    CopyLink,
    /// Give up the attempt.
    Cancel,
    /// The last sign-in with the next receiver that was not tried for it.
    AnotherWay,
    /// The same again: the last sign-in, or reading a keychain that could not be read.
    TryAgain,
    /// Go on where the keychain is a problem: sessions of this process are kept in memory.
    ContinueWithoutSaving,
    /// The problem was read.
    Dismiss,
    /// Show another account of this device.
    ShowAccount {
        /// The account to show.
        account: AccountId,
    },
    /// Sign out of the account that is shown.
    SignOut,
    /// Sign out of all accounts.
    SignOutOfAll,
    /// List where the person of the account that is shown is signed in.
    ShowSessions,
    /// End one of the sessions that are listed.
    EndSession {
        /// The companion's name of it.
        session: String,
    },
    /// Sign the person of the account that is shown out on every device.
    SignOutEverywhere,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Intent, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn reads_an_intent_as_the_page_sends_it() {
        let email = Some("ada@acme.test".to_owned());
        let sent = r#"{"name": "sign-in", "email": "ada@acme.test"}"#;
        assert_eq!(read(sent).unwrap(), Intent::SignIn { email });
        assert_eq!(read(r#"{"name": "sign-in"}"#).unwrap(), Intent::SignIn { email: None });
        assert_eq!(read(r#"{"name": "try-again"}"#).unwrap(), Intent::TryAgain);
        let account = AccountId("one".to_owned());
        let sent = r#"{"name": "show-account", "account": "one"}"#;
        assert_eq!(read(sent).unwrap(), Intent::ShowAccount { account });
    }

    #[test]
    fn the_page_cannot_choose_receivers_or_the_store() {
        for name in ["sign-in-with", "SignInWith"] {
            assert!(read(&format!(r#"{{"name": "{name}", "store": "memory"}}"#)).is_err());
        }
        let sent = r#"{"name": "sign-in", "store": "memory", "receivers": ["loopback"]}"#;
        assert_eq!(read(sent).unwrap(), Intent::SignIn { email: None });
        assert!(read(r#"{"name": "show-account"}"#).is_err(), "an account is named");
    }
}
