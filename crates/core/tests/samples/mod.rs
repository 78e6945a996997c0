//! The transition table, printed from the machine itself: every state meets every event once.
//! `docs/architecture.md` holds the result, and a test fails when it drifts.

use std::fmt::Write as _;

use crate::account::{Account, AccountId, Connection, NewSession, Stored, Tokens};
use crate::attempt::{AttemptId, CallbackReceiver, KeptAttempt, Pushed, ReceiverSecrets, Store};
use crate::callback::{AuthorizationResponse, Callback};
use crate::effect::Effect;
use crate::event::{Event, KeychainContents, Refreshed};
use crate::intent::Intent;
use crate::machine::Machine;
use crate::moment::Moment;
use crate::problem::Problem;
use crate::request::{Draws, ReceiverOrder};
use crate::secret::{
    AccessToken, AuthorizationCode, AuthorizationUrl, CodeVerifier, RefreshToken, State,
};

const START: Moment = Moment(0);
/// Between the starts and the deadlines of the sample states.
const NOW: Moment = Moment(1_000);
const LATE: Moment = Moment(10_000_000);
const ISSUER: &str = "https://sign-in.example";

/// The sample states, each reached by events alone.
#[must_use]
pub fn states() -> Vec<Machine> {
    let histories: [&[Event]; 7] = [
        &[],
        &[loaded(Vec::new())],
        &[loaded(Vec::new()), wanted("1")],
        &[loaded(Vec::new()), wanted("1"), prepared("1")],
        &[loaded(Vec::new()), wanted("1"), prepared("1"), called("1")],
        &[loaded(Vec::new()), wanted("1"), prepared("1"), called("1"), exchanged("1")],
        &[loaded(vec![account("ada")]), Event::Refreshed { ticket: 1, result: fresh() }],
    ];
    let mut states: Vec<Machine> = histories.iter().map(|history| after(history)).collect();
    let signed_in = after(histories[6]);
    states.push(signed_in.step(Event::Tick, LATE).0);
    states
}

/// The columns: a heading and the event.
#[must_use]
pub fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("keychain read", loaded(Vec::new())),
        ("sign in", wanted("2")),
        ("try again", intended(Intent::TryAgain, "2")),
        ("another way", intended(Intent::AnotherWay, "2")),
        ("continue without saving", intended(Intent::ContinueWithoutSaving, "2")),
        ("cancel", intended(Intent::Cancel, "2")),
        ("sign out", intended(Intent::SignOut, "2")),
        ("sign out of all", intended(Intent::SignOutOfAll, "2")),
        ("prepared", prepared("1")),
        ("callback, ours", called("1")),
        ("callback, foreign", called("9")),
        ("exchanged", exchanged("1")),
        ("saved", Event::Saved { ticket: 1, result: Ok(()) }),
        ("not saved", Event::Saved { ticket: 1, result: Err(Problem::KeychainLocked) }),
        ("refreshed", Event::Refreshed { ticket: 2, result: fresh() }),
        ("offline", Event::Refreshed { ticket: 2, result: Refreshed::Later(Problem::Offline) }),
        ("refused", Event::Refreshed { ticket: 2, result: Refreshed::Ended }),
        ("deadline", Event::Tick),
        ("keychain changed", Event::KeychainChanged),
        ("sign-out unfinished", unfinished("ada")),
    ]
}

/// The table as Markdown: one section a state, one line an event that changes something.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::new();
    for state in states() {
        let _ = writeln!(
            out,
            "**{}**\n\n| event | then | effects |\n|---|---|---|",
            state.state_name()
        );
        let mut same = Vec::new();
        for (heading, event) in events() {
            let deadline = state.next_deadline().filter(|_| event == Event::Tick);
            let now = deadline.unwrap_or(NOW);
            let (next, effects) = state.clone().step(event, now);
            if next == state && effects.is_empty() {
                same.push(heading);
                continue;
            }
            let effects: Vec<_> = effects.iter().map(name_of).collect();
            let _ = writeln!(out, "| {heading} | {} | {} |", next.state_name(), effects.join(", "));
        }
        // Four of them fit into a line of 100 columns.
        let same: Vec<_> = same.chunks(4).map(|names| names.join(", ")).collect();
        let _ = writeln!(out, "\nNothing changes on:\n{}.\n", same.join(",\n"));
    }
    out
}

fn after(history: &[Event]) -> Machine {
    let (start, _) = Machine::start(receivers(), START);
    let machine = history.iter().fold(start, |machine, event| machine.step(event.clone(), NOW).0);
    // A restored session asks for its first refresh on the first tick.
    match history.last() {
        Some(last @ Event::Refreshed { .. }) => {
            machine.step(Event::Tick, NOW).0.step(last.clone(), NOW).0
        }
        _ => machine,
    }
}

fn name_of(effect: &Effect) -> String {
    let printed = format!("{effect:?}");
    printed.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

fn loaded(accounts: Vec<Account>) -> Event {
    Event::Loaded {
        ticket: 0,
        result: Ok(KeychainContents { accounts, ..KeychainContents::default() }),
    }
}

/// The sample configuration: the deep link first.
#[must_use]
pub fn receivers() -> ReceiverOrder {
    ReceiverOrder::beginning_with(CallbackReceiver::Link)
}

/// An intent with random values; `n` tells attempts apart.
#[must_use]
pub fn intended(intent: Intent, n: &str) -> Event {
    Event::Intended { intent, draws: draws(n) }
}

/// A sign-in without an email.
#[must_use]
pub fn wanted(n: &str) -> Event {
    intended(Intent::SignIn { email: None }, n)
}

/// The random values of attempt `n`.
#[must_use]
pub fn draws(n: &str) -> Draws {
    let receivers = CallbackReceiver::ALL.map(|receiver| secrets(receiver, n)).to_vec();
    Draws { attempt: AttemptId(n.repeat(32)), receivers }
}

/// Attempt `n` as the keychain keeps it until `deadline`.
#[must_use]
pub fn kept(n: &str, deadline: Moment) -> KeptAttempt {
    KeptAttempt {
        id: AttemptId(n.repeat(32)),
        receiver: secrets(CallbackReceiver::Link, n),
        issuer: ISSUER.to_owned(),
        deadline,
        store: Store::Keychain,
    }
}

fn secrets(receiver: CallbackReceiver, n: &str) -> ReceiverSecrets {
    let verifier = CodeVerifier::new(format!("verifier-{n}"));
    ReceiverSecrets { receiver, state: State::new(state(receiver, n)), verifier }
}

fn state(receiver: CallbackReceiver, n: &str) -> String {
    format!("state-{receiver:?}-{n}")
}

/// The companion took attempt `n`.
#[must_use]
pub fn prepared(n: &str) -> Event {
    Event::Prepared {
        attempt: AttemptId(n.repeat(32)),
        result: Ok(Pushed {
            issuer: ISSUER.to_owned(),
            urls: vec![AuthorizationUrl::new(format!("{ISSUER}/oauth/authorize?request_uri={n}"))],
            deadline: Moment(600_000),
        }),
    }
}

/// The callback of attempt `n` with a code, through the deep link.
#[must_use]
pub fn called(n: &str) -> Event {
    called_on(CallbackReceiver::Link, n)
}

/// The callback of attempt `n` with a code, through this receiver.
#[must_use]
pub fn called_on(receiver: CallbackReceiver, n: &str) -> Event {
    Event::CallbackReceived(Callback {
        receiver,
        state: State::new(state(receiver, n)),
        issuer: Some(ISSUER.to_owned()),
        response: AuthorizationResponse::Code(AuthorizationCode::new(format!("code-{n}"))),
        handoff: None,
    })
}

/// The session of attempt `n`.
#[must_use]
pub fn exchanged(n: &str) -> Event {
    let session = NewSession {
        account: account(n),
        tokens: Tokens {
            refresh: RefreshToken::new(format!("refresh-{n}")),
            access: AccessToken::new(format!("access-{n}")),
            access_deadline: Moment(301_000),
        },
    };
    Event::Exchanged { attempt: AttemptId(n.repeat(32)), result: Ok(Box::new(session)) }
}

/// Signing `id` out did not reach the companion.
#[must_use]
pub fn unfinished(id: &str) -> Event {
    Event::SignOutUnfinished { account: AccountId(id.to_owned()), problem: Problem::SignedOutHere }
}

/// A sample account.
#[must_use]
pub fn account(id: &str) -> Account {
    Account {
        id: AccountId(id.to_owned()),
        issuer: ISSUER.to_owned(),
        subject: format!("subject-{id}"),
        email: Some(format!("{id}@acme.test")),
        name: Some("Ada Lovelace".to_owned()),
        organization: None,
        connection: Some(Connection { id: "conn_1".to_owned(), kind: "OktaSAML".to_owned() }),
        signed_in_at: START,
    }
}

fn fresh() -> Refreshed {
    Refreshed::Done { refresh_at: Moment(300_000), stored: Stored::Keychain }
}
