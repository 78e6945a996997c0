//! What the page says that the person wants, in the client's terms. It remembers the last sign-in
//! that was asked for, so that the same can be tried again, and the ways back that were tried for
//! it, so that another one is another one.

use keyport_client::Intent;
use keyport_core::problem::NextStep;
use keyport_core::{AccountId, CallbackReceiver, Hints, Screen, Store, View};
use serde::Deserialize;

/// One button or key, as the page names it.
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
    /// The same sign-in with a way back that was not tried yet.
    AnotherWay,
    /// The same once more: the sign-in, or reading the keychain.
    TryAgain,
    /// Without the keychain, until the app is closed.
    ContinueWithoutSaving,
    /// The problem was read.
    Dismiss,
    /// Another account of this device.
    ShowAccount,
    /// No more session of the account that is shown.
    SignOut,
    /// No more session of any account.
    SignOutOfAll,
    /// The settings once more, where they named no companion.
    LookAgain,
    /// Larger text.
    ZoomIn,
    /// Smaller text.
    ZoomOut,
    /// Text as it was.
    ZoomReset,
}

/// What came along with a wish.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Details {
    /// The field's content, for a sign-in.
    pub email: Option<String>,
    /// The account's id, for [`Wish::ShowAccount`].
    pub account: Option<String>,
}

/// What a wish means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The client does it.
    OfClient(Intent),
    /// The settings are read again.
    Settings,
    /// The text changes its size.
    Zoom(Zoom),
    /// Nothing: the page asked for what it was not offered.
    Nothing,
}

/// One step of the text's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zoom {
    /// Larger.
    In,
    /// Smaller.
    Out,
    /// As it was.
    Reset,
}

/// Every way back, in the order in which they are tried.
const WAYS: [CallbackReceiver; 2] = [CallbackReceiver::Link, CallbackReceiver::Loopback];

/// The sign-in that was asked for last.
#[derive(Clone, Debug)]
pub struct Wishes {
    usual: CallbackReceiver,
    hints: Hints,
    receiver: CallbackReceiver,
    tried: Vec<CallbackReceiver>,
    store: Store,
}

impl Wishes {
    /// Nothing was asked for yet; `usual` is the way back that this app prefers.
    #[must_use]
    pub fn new(usual: CallbackReceiver) -> Self {
        let hints = Hints::default();
        Self { usual, hints, receiver: usual, tried: Vec::new(), store: Store::Keychain }
    }

    /// What `wish` means while `view` is shown.
    pub fn read(&mut self, wish: Wish, details: Details, view: &View) -> Wanted {
        Wanted::OfClient(match wish {
            Wish::SignIn | Wish::UseAnotherAccount => self.begin(details.email),
            Wish::SignInSso => self.begin(None),
            Wish::OpenAgain => Intent::OpenAgain,
            Wish::CopyLink => Intent::CopyLink,
            Wish::Cancel => Intent::Cancel,
            Wish::Dismiss => Intent::Dismiss,
            Wish::ShowAccount => match details.account {
                Some(account) => Intent::Show(AccountId(account)),
                None => return Wanted::Nothing,
            },
            Wish::SignOut => Intent::SignOut,
            Wish::SignOutOfAll => Intent::SignOutOfAll,
            Wish::TryAgain if is_about_loading(view) => Intent::LoadAgain,
            Wish::TryAgain => self.sign_in(),
            Wish::AnotherWay => match self.another_way(view) {
                Some(receiver) => {
                    self.tried.extend(way_of(view));
                    self.receiver = receiver;
                    self.sign_in()
                }
                None => return Wanted::Nothing,
            },
            Wish::ContinueWithoutSaving => {
                self.store = Store::Memory;
                if is_about_loading(view) { Intent::Dismiss } else { self.sign_in() }
            }
            Wish::LookAgain => return Wanted::Settings,
            Wish::ZoomIn => return Wanted::Zoom(Zoom::In),
            Wish::ZoomOut => return Wanted::Zoom(Zoom::Out),
            Wish::ZoomReset => return Wanted::Zoom(Zoom::Reset),
        })
    }

    /// The next way back that was not tried for this sign-in; `None` when all were.
    #[must_use]
    pub fn another_way(&self, view: &View) -> Option<CallbackReceiver> {
        let under_way = way_of(view);
        WAYS.into_iter().find(|way| !self.tried.contains(way) && under_way != Some(*way))
    }

    fn begin(&mut self, email: Option<String>) -> Intent {
        self.hints = Hints { email, ..Hints::default() };
        self.receiver = self.usual;
        self.tried.clear();
        self.sign_in()
    }

    fn sign_in(&mut self) -> Intent {
        self.tried.push(self.receiver);
        Intent::SignIn {
            hints: self.hints.clone(),
            receivers: vec![self.receiver],
            store: self.store,
        }
    }
}

/// The way back of the attempt that waits; one that an earlier process began is known only there.
fn way_of(view: &View) -> Option<CallbackReceiver> {
    match view.screen {
        Screen::Waiting { receiver, .. } => Some(receiver),
        _ => None,
    }
}

/// Whether the keychain could not be read at the start, so that there is no sign-in to repeat.
fn is_about_loading(view: &View) -> bool {
    matches!(view.screen, Screen::Problem { next: NextStep::LoadAgain, .. })
}
