//! The alphabet of the histories: every event, of two attempts and of an unknown one.

pub mod model;

use keyport_core::{
    AttemptId, AuthorizationResponse, Event, KeptAttempt, KeychainContents, Moment, Problem,
    Progress, Refreshed, Store, Stored, table,
};

/// What the sample secrets begin with.
pub const CANARIES: &[&str] =
    &["state-", "verifier-", "code-", "refresh-", "access-", "request_uri="];

/// Before and after every deadline of the samples.
pub fn moments() -> Vec<Moment> {
    vec![Moment(1_000), Moment(20_000_000)]
}

pub fn alphabet() -> Vec<Event> {
    let mut events = vec![
        Event::OpenAgainWanted,
        Event::CopyLinkWanted,
        Event::CancelWanted,
        Event::DismissWanted,
        Event::LoadAgainWanted,
        Event::KeychainChanged,
        Event::AccountWanted(table::account("grace").id),
        Event::SignOutWanted,
        Event::SignOutOfAllWanted,
        Event::Tick,
        table::unfinished("1"),
        Event::SignedOut { account: table::account("grace").id },
        Event::Loaded { ticket: 1, result: Ok(KeychainContents::default()) },
        Event::Loaded { ticket: 1, result: Ok(contents_with_kept_attempt()) },
        Event::Loaded { ticket: 0, result: Ok(KeychainContents::default()) },
        Event::Loaded { ticket: 0, result: Ok(contents_with_kept_attempt()) },
        Event::Loaded { ticket: 0, result: Err(Problem::KeychainLocked) },
        table::called("9"),
        mixed_up("1"),
        refused("1"),
    ];
    for n in ["1", "2"] {
        let attempt = AttemptId(n.repeat(32));
        let progressed = |progress| Event::Progressed { attempt: attempt.clone(), progress };
        events.extend([
            table::wanted(n),
            table::prepared(n),
            Event::Prepared { attempt: attempt.clone(), result: Err(Problem::Offline) },
            Event::BrowserFailed { attempt: attempt.clone() },
            progressed(Progress::Confirm("42".to_owned())),
            progressed(Progress::Minted),
            progressed(Progress::Failed(Problem::AccessDenied)),
            table::called(n),
            table::exchanged(n),
            Event::Exchanged { attempt: attempt.clone(), result: Err(Problem::Offline) },
        ]);
    }
    for ticket in 1..=2 {
        events.extend([
            Event::Saved { ticket, result: Ok(()) },
            Event::Saved { ticket, result: Err(Problem::KeychainLocked) },
            Event::Refreshed { ticket, result: done() },
            Event::Refreshed { ticket, result: Refreshed::Later(Problem::Offline) },
            Event::Refreshed { ticket, result: Refreshed::Ended },
        ]);
    }
    events
}

fn done() -> Refreshed {
    Refreshed::Done { refresh_at: Moment(300_000), stored: Stored::Keychain }
}

fn contents_with_kept_attempt() -> KeychainContents {
    let Event::SignInWanted(seed) = table::wanted("1") else { unreachable!() };
    KeychainContents {
        accounts: vec![table::account("grace")],
        kept: Some(KeptAttempt {
            id: seed.id,
            receiver: seed.receivers[0].clone(),
            issuer: "https://sign-in.example".to_owned(),
            deadline: Moment(600_000),
            store: Store::Keychain,
        }),
        ..KeychainContents::default()
    }
}

/// Our state, another issuer: RFC 9207.
fn mixed_up(n: &str) -> Event {
    let Event::CallbackReceived(mut callback) = table::called(n) else { unreachable!() };
    callback.issuer = Some("https://other.example".to_owned());
    Event::CallbackReceived(callback)
}

fn refused(n: &str) -> Event {
    let Event::CallbackReceived(mut callback) = table::called(n) else { unreachable!() };
    callback.response = AuthorizationResponse::Error("access_denied".to_owned());
    Event::CallbackReceived(callback)
}
