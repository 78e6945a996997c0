//! The alphabet of the histories: every event, of two attempts and of an unknown one.

pub mod model;
pub mod requests;

use keyport_core::{
    AttemptId, AuthorizationResponse, CallbackReceiver, Event, Intent, KeychainContents, Machine,
    Moment, Problem, Progress, Refreshed, Stored,
};

use crate::samples;

/// What the sample secrets begin with.
pub const CANARIES: &[&str] =
    &["state-", "verifier-", "code-", "refresh-", "access-", "request_uri="];

/// Before and after every deadline of the samples.
pub fn moments() -> Vec<Moment> {
    vec![Moment(1_000), Moment(20_000_000)]
}

/// Where walks begin: the sample states, and those in which something can be tried again.
pub fn starts() -> Vec<Machine> {
    let attempt = AttemptId("1".repeat(32));
    let loaded = |result| Event::Loaded { ticket: 0, result };
    let empty = || loaded(Ok(KeychainContents::default()));
    let failed = |problem| Event::Prepared { attempt: attempt.clone(), result: Err(problem) };
    let histories = [
        vec![loaded(Err(Problem::KeychainLocked))],
        vec![empty(), samples::wanted("1"), failed(Problem::ReceiverBlocked)],
        vec![empty(), samples::wanted("1"), failed(Problem::KeychainLocked)],
        vec![loaded(Ok(contents_with_kept_attempt()))],
    ];
    let after = |history: Vec<Event>| {
        let start = Machine::start(samples::receivers(), Moment(0)).0;
        history.into_iter().fold(start, |machine, event| machine.step(event, Moment(1_000)).0)
    };
    samples::states().into_iter().chain(histories.map(after)).collect()
}

pub fn alphabet() -> Vec<Event> {
    let mut events = vec![
        samples::intended(Intent::OpenAgain, "1"),
        samples::intended(Intent::CopyLink, "1"),
        samples::intended(Intent::Cancel, "1"),
        samples::intended(Intent::Dismiss, "1"),
        samples::intended(Intent::ShowAccount { account: samples::account("grace").id }, "1"),
        samples::intended(Intent::SignOut, "1"),
        samples::intended(Intent::SignOutOfAll, "1"),
        samples::intended(Intent::TryAgain, "2"),
        samples::intended(Intent::AnotherWay, "2"),
        samples::intended(Intent::ContinueWithoutSaving, "2"),
        Event::KeychainChanged,
        Event::Tick,
        samples::unfinished("1"),
        Event::SignOutUnfinished {
            account: samples::account("grace").id,
            problem: Problem::KeychainLocked,
        },
        Event::SignedOut { account: samples::account("grace").id },
        Event::Loaded { ticket: 1, result: Ok(KeychainContents::default()) },
        Event::Loaded { ticket: 1, result: Ok(contents_with_kept_attempt()) },
        Event::Loaded { ticket: 0, result: Ok(KeychainContents::default()) },
        Event::Loaded { ticket: 0, result: Ok(contents_with_kept_attempt()) },
        Event::Loaded { ticket: 0, result: Err(Problem::KeychainLocked) },
        Event::Loaded { ticket: 1, result: Err(Problem::KeychainLocked) },
        samples::called("9"),
        samples::called_on(CallbackReceiver::Loopback, "2"),
        mixed_up("1"),
        refused("1"),
    ];
    for n in ["1", "2"] {
        let attempt = AttemptId(n.repeat(32));
        let progressed = |progress| Event::Progressed { attempt: attempt.clone(), progress };
        events.extend([
            samples::wanted(n),
            samples::prepared(n),
            Event::Prepared { attempt: attempt.clone(), result: Err(Problem::KeychainLocked) },
            Event::BrowserFailed { attempt: attempt.clone() },
            progressed(Progress::Confirm("42".to_owned())),
            progressed(Progress::Minted),
            progressed(Progress::Redeemed),
            progressed(Progress::Failed(Problem::AccessDenied)),
            samples::called(n),
            samples::exchanged(n),
            Event::Exchanged { attempt: attempt.clone(), result: Err(Problem::Offline) },
        ]);
    }
    for ticket in 1..=2 {
        events.extend([
            Event::Saved { ticket, result: Ok(()) },
            Event::Saved { ticket, result: Err(Problem::KeychainLocked) },
            Event::Refreshed { ticket, result: done() },
            Event::Refreshed { ticket, result: Refreshed::Later(Problem::Offline) },
            Event::Refreshed { ticket, result: Refreshed::Ended(Problem::AccessEnded) },
        ]);
    }
    events
}

fn done() -> Refreshed {
    Refreshed::Done { refresh_at: Moment(300_000), stored: Stored::Keychain }
}

fn contents_with_kept_attempt() -> KeychainContents {
    KeychainContents {
        accounts: vec![samples::account("grace")],
        kept: Some(samples::kept("1", Moment(600_000))),
        ..KeychainContents::default()
    }
}

/// Our state, another issuer: RFC 9207.
fn mixed_up(n: &str) -> Event {
    let Event::CallbackReceived(mut callback) = samples::called(n) else { unreachable!() };
    callback.issuer = Some("https://other.example".to_owned());
    Event::CallbackReceived(callback)
}

fn refused(n: &str) -> Event {
    let Event::CallbackReceived(mut callback) = samples::called(n) else { unreachable!() };
    callback.response = AuthorizationResponse::Error("access_denied".to_owned());
    Event::CallbackReceived(callback)
}
