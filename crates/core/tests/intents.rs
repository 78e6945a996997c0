//! What *try again*, *another way* and *continue without saving* mean: they are about the sign-in
//! that was asked for last, or about a keychain that could not be read.

mod samples;

use keyport_core::problem::NextStep;
use keyport_core::{
    AttemptSeed, CallbackReceiver, Effect, Event, Hints, Intent, KeychainContents, Machine, Moment,
    Problem, ReceiverOrder, Screen, SessionStore, SignInRequest, View,
};

const NOW: Moment = Moment(1_000);
const LINK: CallbackReceiver = CallbackReceiver::Link;
const LOOPBACK: CallbackReceiver = CallbackReceiver::Loopback;

fn loaded(result: Result<KeychainContents, Problem>) -> Event {
    Event::Loaded { ticket: 0, result }
}

/// A client whose keychain holds nothing; `usual` is its usual receiver.
fn started(usual: CallbackReceiver) -> Machine {
    let machine = Machine::start(ReceiverOrder::beginning_with(usual), Moment(0)).0;
    machine.step(loaded(Ok(KeychainContents::default())), NOW).0
}

/// A client whose keychain is locked.
fn locked() -> Machine {
    let machine = Machine::start(samples::receivers(), Moment(0)).0;
    machine.step(loaded(Err(Problem::KeychainLocked)), NOW).0
}

/// A client that has taken up the deep-link attempt of an earlier process.
fn resumed() -> Machine {
    let kept = Some(samples::kept("1", Moment(600_000)));
    let machine = Machine::start(samples::receivers(), Moment(0)).0;
    machine.step(loaded(Ok(KeychainContents { kept, ..KeychainContents::default() })), NOW).0
}

fn intend(machine: Machine, intent: Intent, n: &str) -> (Machine, Vec<Effect>) {
    machine.step(samples::intended(intent, n), NOW)
}

/// The attempt that this intent begins.
fn begins(machine: Machine, intent: Intent, n: &str) -> (Machine, AttemptSeed) {
    let name = format!("{intent:?}");
    let (machine, effects) = intend(machine, intent, n);
    let seed = effects.into_iter().find_map(|effect| match effect {
        Effect::Prepare(seed) => Some(seed),
        _ => None,
    });
    (machine, seed.unwrap_or_else(|| panic!("{name} begins an attempt")))
}

fn sign_in() -> Intent {
    Intent::SignIn { email: Some("ada@acme.test".to_owned()) }
}

/// Attempt `n` could not be prepared.
fn fails(machine: Machine, n: &str, problem: Problem) -> Machine {
    let attempt = samples::draws(n).attempt;
    machine.step(Event::Prepared { attempt, result: Err(problem) }, NOW).0
}

/// Attempt `n` waits for its callback.
fn waits(machine: Machine, n: &str) -> Machine {
    machine.step(samples::prepared(n), NOW).0
}

fn receivers(seed: &AttemptSeed) -> Vec<CallbackReceiver> {
    seed.receivers.iter().map(|secrets| secrets.receiver).collect()
}

fn changes_nothing(machine: &Machine, intent: Intent) {
    let name = format!("{intent:?}");
    let (after, effects) = intend(machine.clone(), intent, "9");
    assert_eq!((&after, effects), (machine, Vec::new()), "{name}");
}

fn offers_another_way(machine: &Machine) -> bool {
    View::of(machine, NOW).another_way
}

#[test]
fn another_way_is_one_that_was_not_tried_yet() {
    for (usual, other) in [(LINK, LOOPBACK), (LOOPBACK, LINK)] {
        let (machine, seed) = begins(started(usual), sign_in(), "1");
        assert_eq!(receivers(&seed), [usual]);
        let machine = waits(machine, "1");
        assert!(offers_another_way(&machine));
        let (machine, seed) = begins(machine, Intent::AnotherWay, "2");
        assert_eq!(receivers(&seed), [other]);
        let machine = fails(machine, "2", Problem::ReceiverBlocked);
        assert!(!offers_another_way(&machine), "all were tried");
        changes_nothing(&machine, Intent::AnotherWay);
        let (machine, seed) = begins(machine, Intent::TryAgain, "3");
        assert_eq!(receivers(&seed), [other]);
        let (machine, seed) = begins(machine, sign_in(), "4");
        assert_eq!(receivers(&seed), [usual], "a new sign-in");
        assert!(offers_another_way(&machine));
    }
}

#[test]
fn another_way_is_the_same_sign_in_with_values_of_its_own() {
    let (machine, first) = begins(started(LINK), sign_in(), "1");
    let (_, second) =
        begins(fails(machine, "1", Problem::ReceiverBlocked), Intent::AnotherWay, "2");
    assert_eq!((&second.hints, second.store), (&first.hints, first.store));
    assert_ne!(first.id, second.id);
    assert_ne!(first.receivers[0].state, second.receivers[0].state);
}

#[test]
fn an_attempt_of_an_earlier_process_knows_its_own_way() {
    let machine = resumed();
    assert!(offers_another_way(&machine));
    let (after, seed) = begins(machine.clone(), Intent::AnotherWay, "2");
    assert_eq!(receivers(&seed), [LOOPBACK]);
    assert!(!offers_another_way(&waits(after, "2")));
    // Also when it is over.
    let machine = machine.step(Event::Tick, Moment(600_000)).0;
    let (_, seed) = begins(machine.clone(), Intent::AnotherWay, "2");
    assert_eq!(receivers(&seed), [LOOPBACK]);
    // What it was asked for with is not known any more.
    let (_, seed) = begins(machine, Intent::TryAgain, "2");
    assert_eq!((receivers(&seed), seed.hints), (vec![LINK], Hints::default()));
}

#[test]
fn an_attempt_of_a_receiver_that_is_not_ours_is_left_alone() {
    let kept = Some(samples::kept("1", Moment(600_000)));
    let machine = Machine::start(ReceiverOrder::only(LOOPBACK), Moment(0)).0;
    let contents = KeychainContents { kept, ..KeychainContents::default() };
    let (machine, effects) = machine.step(loaded(Ok(contents)), NOW);
    assert_eq!((machine.state_name(), effects), ("SignedOut", Vec::new()));
    let machine = waits(begins(machine, sign_in(), "1").0, "1");
    assert!(!offers_another_way(&machine), "there is one receiver");
}

#[test]
fn try_again_repeats_the_sign_in_as_it_was_asked_for() {
    let request = SignInRequest {
        hints: Hints { connection: Some("conn_1".to_owned()), ..Hints::default() },
        receivers: vec![LOOPBACK, LINK],
        store: SessionStore::Memory,
    };
    let (machine, first) = begins(started(LINK), Intent::SignInWith(request.clone()), "1");
    for machine in [
        fails(machine.clone(), "1", Problem::Offline),
        waits(machine.clone(), "1"),
        waits(machine, "1").step(Event::Tick, Moment(600_000)).0,
    ] {
        assert!(!offers_another_way(&machine), "both are tried");
        let (_, again) = begins(machine, Intent::TryAgain, "2");
        assert_eq!((&again.hints, again.store), (&request.hints, request.store));
        assert_eq!(receivers(&again), [LOOPBACK, LINK]);
        assert_ne!(again.id, first.id);
    }
}

#[test]
fn a_request_that_names_no_receiver_takes_the_usual_one() {
    let request = Intent::SignInWith(SignInRequest::default());
    let (_, seed) = begins(started(LOOPBACK), request, "1");
    assert_eq!((receivers(&seed), seed.store), (vec![LOOPBACK], SessionStore::Keychain));
}

#[test]
fn try_again_reads_a_keychain_that_could_not_be_read() {
    let machine = locked();
    assert!(matches!(
        View::of(&machine, NOW).screen,
        Screen::Problem { next: NextStep::LoadAgain, .. }
    ));
    let (machine, effects) = intend(machine, Intent::TryAgain, "1");
    assert_eq!(effects, [Effect::Load { ticket: 1 }]);
    // A second click while it is read is the same intent.
    changes_nothing(&machine, Intent::TryAgain);
    // Of a sign-in that was asked for it is the sign-in.
    let (machine, _) = begins(locked(), sign_in(), "1");
    let (_, seed) = begins(fails(machine, "1", Problem::KeychainLocked), Intent::TryAgain, "2");
    assert_eq!(seed.hints.email.as_deref(), Some("ada@acme.test"));
}

#[test]
fn continuing_without_saving_signs_in_to_memory_until_the_end() {
    let (machine, _) = begins(started(LINK), sign_in(), "1");
    let machine = fails(machine, "1", Problem::KeychainLocked);
    let (machine, seed) = begins(machine, Intent::ContinueWithoutSaving, "2");
    assert_eq!(
        (seed.store, seed.hints.email.as_deref()),
        (SessionStore::Memory, Some("ada@acme.test"))
    );
    let (machine, seed) = begins(waits(machine, "2"), Intent::AnotherWay, "3");
    assert_eq!(seed.store, SessionStore::Memory);
    let (machine, _) = intend(machine, Intent::Cancel, "9");
    let (machine, seed) = begins(machine, sign_in(), "4");
    assert_eq!(seed.store, SessionStore::Memory, "the next sign-in too");
    let (_, seed) = begins(machine, Intent::SignInWith(SignInRequest::default()), "5");
    assert_eq!(seed.store, SessionStore::Keychain, "unless it says otherwise");
}

#[test]
fn continuing_without_an_unread_keychain_begins_no_sign_in() {
    let (machine, effects) = intend(locked(), Intent::ContinueWithoutSaving, "1");
    assert_eq!((View::of(&machine, NOW).screen, effects), (Screen::SignedOut, Vec::new()));
    let (_, seed) = begins(machine, sign_in(), "1");
    assert_eq!(seed.store, SessionStore::Memory);
}

#[test]
fn what_is_not_offered_changes_nothing() {
    let again = [Intent::TryAgain, Intent::AnotherWay, Intent::ContinueWithoutSaving];
    for state in samples::states() {
        let waits = ["Preparing", "AwaitingCallback"].contains(&state.state_name());
        for intent in &again {
            if !waits || *intent == Intent::ContinueWithoutSaving {
                changes_nothing(&state, intent.clone());
            }
        }
    }
    let refused = fails(begins(started(LINK), sign_in(), "1").0, "1", Problem::AccessDenied);
    changes_nothing(&refused, Intent::ContinueWithoutSaving);
    changes_nothing(&locked(), Intent::AnotherWay);
}

#[test]
fn a_locked_keychain_is_unlocked_only_for_what_needs_it() {
    let needing = [Intent::TryAgain, sign_in(), Intent::SignInWith(SignInRequest::default())];
    let in_memory = SignInRequest { store: SessionStore::Memory, ..SignInRequest::default() };
    let others = [
        Intent::SignInWith(in_memory),
        Intent::ContinueWithoutSaving,
        Intent::Dismiss,
        Intent::SignOutOfAll,
    ];
    for intent in &needing {
        assert!(locked().unlocks_first(intent), "{intent:?}");
        assert!(!started(LINK).unlocks_first(intent), "no keychain is seen to be locked");
    }
    for intent in &others {
        assert!(!locked().unlocks_first(intent), "{intent:?}");
    }
    let machine = fails(begins(started(LINK), sign_in(), "1").0, "1", Problem::KeychainLocked);
    for intent in [Intent::TryAgain, Intent::AnotherWay] {
        assert!(machine.unlocks_first(&intent), "{intent:?}");
    }
    let machine = begins(machine, Intent::ContinueWithoutSaving, "2").0;
    let machine = fails(machine, "2", Problem::KeychainLocked);
    for intent in [Intent::TryAgain, Intent::AnotherWay, sign_in()] {
        assert!(!machine.unlocks_first(&intent), "memory was chosen: {intent:?}");
    }
}
