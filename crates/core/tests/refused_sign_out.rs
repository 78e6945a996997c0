//! Problems of a reading or a sign-out: *try again* is about what failed, and no browser opens.

mod samples;

use keyport_core::{
    Effect, Event, Intent, KeychainContents, Machine, Moment, Problem, Screen, SessionStore,
    SignInRequest, View,
};

const NOW: Moment = Moment(1_000);

fn loaded(result: Result<KeychainContents, Problem>) -> Event {
    Event::Loaded { ticket: 0, result }
}

fn intend(machine: Machine, intent: Intent, n: &str) -> (Machine, Vec<Effect>) {
    machine.step(samples::intended(intent, n), NOW)
}

/// A client whose keychain is locked.
fn locked() -> Machine {
    let machine = Machine::start(samples::receivers(), Moment(0)).0;
    machine.step(loaded(Err(Problem::KeychainLocked)), NOW).0
}

/// Ada and Grace are signed in, and Ada's sign-out was refused by a locked keychain.
fn not_signed_out() -> Machine {
    let accounts = vec![samples::account("ada"), samples::account("grace")];
    let current = Some(accounts[0].id.clone());
    let contents = KeychainContents { accounts, current, ..KeychainContents::default() };
    let machine =
        Machine::start(samples::receivers(), Moment(0)).0.step(loaded(Ok(contents)), NOW).0;
    let ada = samples::account("ada").id;
    let (machine, effects) = intend(machine, Intent::SignOut, "1");
    assert!(effects.contains(&Effect::SignOut { account: ada.clone() }), "{effects:?}");
    let refused = Event::SignOutUnfinished { account: ada, problem: Problem::KeychainLocked };
    machine.step(refused, NOW).0
}

#[test]
fn try_again_after_a_refused_sign_out_signs_out() {
    let machine = not_signed_out();
    let Screen::Problem { code, .. } = View::of(&machine, NOW).screen else {
        panic!("the refusal is shown");
    };
    assert_eq!(code, "not_signed_out");
    assert!(machine.unlocks_first(&Intent::TryAgain));
    let (machine, effects) = intend(machine, Intent::TryAgain, "2");
    assert_eq!(effects, [Effect::SignOut { account: samples::account("ada").id }]);
    assert_eq!(View::of(&machine, NOW).screen, signed_in_as_grace(&machine));
}

fn signed_in_as_grace(machine: &Machine) -> Screen {
    assert_eq!(machine.signed_in().map(|(account, _)| account.id.0.as_str()), Some("grace"));
    View::of(machine, NOW).screen
}

#[test]
fn a_refused_sign_out_that_was_read_shows_who_is_still_signed_in() {
    let (machine, effects) = intend(not_signed_out(), Intent::Dismiss, "2");
    let [Effect::Load { ticket }] = effects[..] else { panic!("{effects:?}") };
    let accounts = vec![samples::account("ada"), samples::account("grace")];
    let contents = KeychainContents { accounts, ..KeychainContents::default() };
    let machine = machine.step(Event::Loaded { ticket, result: Ok(contents) }, NOW).0;
    let Screen::SignedIn { others, .. } = View::of(&machine, NOW).screen else {
        panic!("no account is shown");
    };
    assert_eq!(others, [samples::account("ada")]);
}

/// What stopped is a reading or a sign-out: no browser opens for it.
#[test]
fn a_problem_without_an_attempt_begins_no_sign_in() {
    let accounts = vec![samples::account("ada")];
    let error = Some(Problem::KeychainNewer);
    let contents = KeychainContents { accounts, error, ..KeychainContents::default() };
    let start = Machine::start(samples::receivers(), Moment(0)).0;
    let partly_read = start.step(loaded(Ok(contents)), NOW).0;
    for machine in [partly_read, not_signed_out(), locked()] {
        for intent in [Intent::TryAgain, Intent::ContinueWithoutSaving, Intent::AnotherWay] {
            let name = format!("{intent:?}");
            let (_, effects) = intend(machine.clone(), intent, "2");
            let begins = effects.iter().any(|effect| matches!(effect, Effect::Prepare(_)));
            assert!(!begins, "{name}: {effects:?}");
        }
    }
}

fn code_shown(machine: &Machine) -> Option<&'static str> {
    match View::of(machine, NOW).screen {
        Screen::Problem { code, .. } => Some(code),
        _ => None,
    }
}

/// Signed in and out again in memory beside a keychain that was never read.
fn not_signed_out_of_an_unread_keychain() -> Machine {
    let request = SignInRequest { store: SessionStore::Memory, ..SignInRequest::default() };
    let history = [
        samples::intended(Intent::SignInWith(request), "1"),
        samples::prepared("1"),
        samples::called("1"),
        samples::exchanged("1"),
        samples::intended(Intent::SignOut, "2"),
        Event::SignOutUnfinished {
            account: samples::account("1").id,
            problem: Problem::KeychainLocked,
        },
    ];
    history.into_iter().fold(locked(), |machine, event| machine.step(event, NOW).0)
}

/// The client takes a session out as soon as it can, before it says what the keychain holds.
#[test]
fn a_refused_sign_out_is_shown_until_a_reading_finds_it_finished() {
    for (machine, name) in
        [(not_signed_out(), "ada"), (not_signed_out_of_an_unread_keychain(), "1")]
    {
        assert_eq!(code_shown(&machine), Some("not_signed_out"), "{name}");
        for (still_listed, shown) in [(true, Some("not_signed_out")), (false, None)] {
            let (machine, effects) = machine.clone().step(Event::KeychainChanged, NOW);
            let [Effect::Load { ticket }] = effects[..] else { panic!("{effects:?}") };
            let listed = if still_listed { name } else { "grace" };
            let accounts = vec![samples::account(listed)];
            let contents = KeychainContents { accounts, ..KeychainContents::default() };
            let read = Event::Loaded { ticket, result: Ok(contents) };
            let machine = machine.step(read, NOW).0;
            assert_eq!(code_shown(&machine), shown, "{name}, listed: {still_listed}");
        }
    }
}
