//! Sample states, and the events that lead to them.
#![allow(dead_code, reason = "each test takes what it needs")]

use keyport_core::secret::{
    AccessToken, AuthorizationCode, AuthorizationUrl, CodeVerifier, RefreshToken, State,
};
use keyport_core::{
    Account, AccountId, AttemptId, AuthorizationResponse, Callback, CallbackReceiver, Connection,
    Draws, Event, Intent, KeptAttempt, KeychainContents, Machine, Moment, NewSession, Problem,
    Pushed, ReceiverOrder, ReceiverSecrets, Refreshed, SessionStore, Stored, Tokens,
};

const START: Moment = Moment(0);
/// Between the starts and the deadlines of the sample states.
pub const NOW: Moment = Moment(1_000);
const LATE: Moment = Moment(10_000_000);
const ISSUER: &str = "https://sign-in.example";

/// The sample states, each reached by events alone.
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

/// The keychain was read and lists these.
pub fn loaded(accounts: Vec<Account>) -> Event {
    Event::Loaded {
        ticket: 0,
        result: Ok(KeychainContents { accounts, ..KeychainContents::default() }),
    }
}

/// The sample configuration: the deep link first.
pub fn receivers() -> ReceiverOrder {
    ReceiverOrder::beginning_with(CallbackReceiver::Link)
}

/// An intent with random values; `n` tells attempts apart.
pub fn intended(intent: Intent, n: &str) -> Event {
    Event::Intended { intent, draws: draws(n) }
}

/// A sign-in without an email.
pub fn wanted(n: &str) -> Event {
    intended(Intent::SignIn { email: None }, n)
}

/// The random values of attempt `n`.
pub fn draws(n: &str) -> Draws {
    let receivers = CallbackReceiver::ALL.map(|receiver| secrets(receiver, n)).to_vec();
    Draws { attempt: AttemptId(n.repeat(32)), receivers }
}

/// Attempt `n` as the keychain keeps it until `deadline`.
pub fn kept(n: &str, deadline: Moment) -> KeptAttempt {
    KeptAttempt {
        id: AttemptId(n.repeat(32)),
        receiver: secrets(CallbackReceiver::Link, n),
        issuer: ISSUER.to_owned(),
        deadline,
        store: SessionStore::Keychain,
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
pub fn called(n: &str) -> Event {
    called_on(CallbackReceiver::Link, n)
}

/// The callback of attempt `n` with a code, through this receiver.
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
pub fn exchanged(n: &str) -> Event {
    let session = NewSession {
        account: account(n),
        tokens: Tokens {
            refresh: RefreshToken::new(format!("refresh-{n}")),
            access: AccessToken::new(format!("access-{n}")),
            access_deadline: Moment(301_000),
            session: Some(format!("session_{n}")),
        },
    };
    Event::Exchanged { attempt: AttemptId(n.repeat(32)), result: Ok(Box::new(session)) }
}

/// Signing `id` out did not reach the companion.
pub fn unfinished(id: &str) -> Event {
    Event::SignOutUnfinished { account: AccountId(id.to_owned()), problem: Problem::SignedOutHere }
}

/// A sample account.
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

/// A refresh that went well.
pub fn fresh() -> Refreshed {
    Refreshed::Done { refresh_at: Moment(300_000), stored: Stored::Keychain }
}
