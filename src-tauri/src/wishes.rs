//! What the page says that the person wants, in the client's terms. It remembers the last sign-in that was asked for, so that the
//! same can be tried again, and nothing else.

use keyport_client::Intent;
use keyport_core::problem::NextStep;
use keyport_core::{Door, Hints, Screen, Store, View};
use serde::Deserialize;

/// One button, as the page names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// Through the email's company.
    SignIn,
    /// Through whatever the companion does without an email.
    SignInSso,
    /// As [`Wish::SignIn`], beside the account that is there.
    UseAnotherAccount,
    /// The same attempt again.
    OpenAgain,
    /// Its link.
    CopyLink,
    /// No more of it.
    Cancel,
    /// The same sign-in with another way back.
    AnotherWay,
    /// The same once more: the sign-in, or reading the keychain.
    TryAgain,
    /// Without the keychain, until the app is closed.
    ContinueWithoutSaving,
    /// The problem was read.
    Dismiss,
    /// No more session.
    SignOut,
}

/// The sign-in that was asked for last.
#[derive(Clone, Debug)]
pub struct Wishes {
    usual: Door,
    hints: Hints,
    door: Door,
    store: Store,
}

impl Wishes {
    /// Nothing was asked for yet; `usual` is the way back that this app prefers.
    #[must_use]
    pub fn new(usual: Door) -> Self {
        Self { usual, hints: Hints::default(), door: usual, store: Store::Keychain }
    }

    /// What `wish` means while `view` is shown.
    pub fn read(&mut self, wish: Wish, email: Option<String>, view: &View) -> Intent {
        match wish {
            Wish::SignIn | Wish::UseAnotherAccount => self.begin(email),
            Wish::SignInSso => self.begin(None),
            Wish::OpenAgain => Intent::OpenAgain,
            Wish::CopyLink => Intent::CopyLink,
            Wish::Cancel => Intent::Cancel,
            Wish::Dismiss => Intent::Dismiss,
            Wish::SignOut => Intent::SignOut,
            Wish::TryAgain if is_about_loading(view) => Intent::LoadAgain,
            Wish::TryAgain => self.sign_in(),
            Wish::AnotherWay => {
                self.door = Door::Loopback;
                self.sign_in()
            }
            Wish::ContinueWithoutSaving => {
                self.store = Store::Memory;
                if is_about_loading(view) { Intent::Dismiss } else { self.sign_in() }
            }
        }
    }

    fn begin(&mut self, email: Option<String>) -> Intent {
        self.hints = Hints { email, ..Hints::default() };
        self.door = self.usual;
        self.sign_in()
    }

    fn sign_in(&self) -> Intent {
        Intent::SignIn { hints: self.hints.clone(), doors: vec![self.door], store: self.store }
    }
}

/// Whether the keychain could not be read at the start, so that there is no sign-in to repeat.
fn is_about_loading(view: &View) -> bool {
    matches!(view.screen, Screen::Problem { next: NextStep::LoadAgain, .. })
}
