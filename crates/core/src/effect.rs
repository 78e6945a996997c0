//! What is to be done: plain data, run by the client. Running an effect twice must do no harm, so
//! that a crash between two can be replayed.

use crate::account::{AccountId, NewSession};
use crate::attempt::{AttemptId, AttemptSeed, CallbackReceiver, KeptAttempt};
use crate::event::Ticket;
use crate::problem::Problem;
use crate::secret::{AuthorizationCode, AuthorizationUrl, CodeVerifier, RefreshToken};

/// How an attempt ended for the person, told to the companion so that its page tells the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// SignedInAccount in, in the keychain.
    Stored,
    /// SignedInAccount in, in memory alone.
    Memory,
    /// Not signed in.
    Failed(Problem),
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the keychain; answer with [`Loaded`](crate::Event::Loaded).
    Load {
        /// Echoed.
        ticket: Ticket,
    },
    /// Probe the keychain if it shall keep the session, open the receivers, *then* push one request
    /// a receiver; answer with [`Prepared`](crate::Event::Prepared).
    Prepare(AttemptSeed),
    /// Keep this attempt in the keychain until its deadline. Before the browser opens.
    Keep(KeptAttempt),
    /// Open the person's browser.
    OpenBrowser {
        /// Of this attempt.
        attempt: AttemptId,
        /// There.
        url: AuthorizationUrl,
    },
    /// Put the authorization URL on the clipboard.
    CopyLink {
        /// This one.
        url: AuthorizationUrl,
    },
    /// Follow the attempt at the companion; answer with [`Progressed`](crate::Event::Progressed).
    Watch {
        /// This one.
        attempt: AttemptId,
    },
    /// Close the attempt's receivers, stop watching, forget what was kept of it.
    CloseReceivers {
        /// This one.
        attempt: AttemptId,
    },
    /// Tell the companion that the person cancelled.
    CancelAttempt {
        /// This one.
        attempt: AttemptId,
    },
    /// Exchange the code, once; answer with [`Exchanged`](crate::Event::Exchanged).
    ExchangeCode {
        /// Of this attempt.
        attempt: AttemptId,
        /// The receiver it came through: it decides the redirect URI.
        receiver: CallbackReceiver,
        /// The code.
        code: AuthorizationCode,
        /// The verifier of that receiver.
        verifier: CodeVerifier,
    },
    /// Write the session to the keychain; answer with [`Saved`](crate::Event::Saved).
    Save {
        /// Echoed.
        ticket: Ticket,
        /// All of it.
        session: Box<NewSession>,
    },
    /// Keep the session in memory.
    Hold {
        /// All of it.
        session: Box<NewSession>,
    },
    /// Take the account out of the keychain: what is there is not the truth.
    Erase {
        /// This one.
        account: AccountId,
    },
    /// Tell the companion how it ended.
    Report {
        /// Of this attempt.
        attempt: AttemptId,
        /// So.
        outcome: Outcome,
    },
    /// Take the lock, read again, rotate, save, release; answer with
    /// [`Refreshed`](crate::Event::Refreshed).
    Refresh {
        /// Echoed.
        ticket: Ticket,
        /// This one.
        account: AccountId,
    },
    /// Write in the keychain that this is the account to show; nothing if it is not kept there.
    MakeCurrent {
        /// This one.
        account: AccountId,
    },
    /// Take the account out of keychain and memory, and revoke it at the companion when it can be
    /// reached; answer with [`SignedOut`](crate::Event::SignedOut), or with
    /// [`SignOutUnfinished`](crate::Event::SignOutUnfinished) if not all of it was done.
    SignOut {
        /// This one.
        account: AccountId,
    },
    /// Ask where the person of the account is signed in; answer with
    /// [`SessionsListed`](crate::Event::SessionsListed).
    ListSessions {
        /// Echoed.
        ticket: Ticket,
        /// Whose.
        account: AccountId,
    },
    /// End a session on another device, and list what is left; answer with
    /// [`SessionsListed`](crate::Event::SessionsListed).
    EndSession {
        /// Echoed.
        ticket: Ticket,
        /// Whose.
        account: AccountId,
        /// The companion's name of it.
        session: String,
    },
    /// Sign the person out on every device and here; answer with
    /// [`SignedOutEverywhere`](crate::Event::SignedOutEverywhere).
    SignOutEverywhere {
        /// Echoed.
        ticket: Ticket,
        /// Whose.
        account: AccountId,
    },
    /// Revoke a session that came too late to be wanted.
    Revoke {
        /// Its refresh token.
        token: RefreshToken,
    },
    /// Bring the window to the front: the browser has handed back.
    Raise,
}
