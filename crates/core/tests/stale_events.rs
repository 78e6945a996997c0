//! Events that do not belong: of another attempt, another ticket, or at a time when it was not
//! asked for.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod samples;

use keyport_core::{
    AttemptId, Effect, Event, Intent, KeychainContents, Machine, Moment, Problem, Progress,
    Refreshed,
};

const NOW: Moment = Moment(1_000);

fn loaded(contents: KeychainContents) -> Event {
    Event::Loaded { ticket: 0, result: Ok(contents) }
}

/// An intent that begins no attempt of a number that the test uses.
fn intended(intent: Intent) -> Event {
    samples::intended(intent, "9")
}

fn after(events: impl IntoIterator<Item = Event>) -> Machine {
    let start = Machine::start(samples::receivers(), Moment(0)).0;
    events.into_iter().fold(start, |machine, event| machine.step(event, NOW).0)
}

/// The sample state of this name.
fn state(name: &str) -> Machine {
    samples::states().into_iter().find(|state| state.state_name() == name).unwrap()
}

fn changes(machine: &Machine, event: Event) -> bool {
    let (after, effects) = machine.clone().step(event, NOW);
    after != *machine || !effects.is_empty()
}

fn attempt(n: &str) -> AttemptId {
    AttemptId(n.repeat(32))
}

#[test]
fn news_of_another_attempt_are_no_news() {
    let waiting = state("AwaitingCallback");
    for (n, ours) in [("1", true), ("2", false)] {
        let failed = Event::BrowserFailed { attempt: attempt(n) };
        assert_eq!(changes(&waiting, failed), ours);
        for progress in
            [Progress::Confirm("42".to_owned()), Progress::Minted, Progress::Failed(Problem::NotMe)]
        {
            let progressed = Event::Progressed { attempt: attempt(n), progress };
            assert_eq!(changes(&waiting, progressed), ours);
        }
    }
}

#[test]
fn an_answer_to_another_save_is_no_answer() {
    let saving = state("Saving");
    for result in [Ok(()), Err(Problem::KeychainLocked)] {
        assert!(!changes(&saving, Event::Saved { ticket: 99, result }));
        assert!(changes(&saving, Event::Saved { ticket: 1, result }));
    }
}

#[test]
fn a_repeated_click_is_ignored_and_a_new_one_replaces_the_attempt() {
    let preparing = state("Preparing");
    assert!(!changes(&preparing, samples::wanted("1")));
    let (_, effects) = preparing.step(samples::wanted("2"), NOW);
    let [
        Effect::CloseReceivers { attempt: closed },
        Effect::CancelAttempt { attempt: cancelled },
        Effect::Prepare(seed),
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((closed, cancelled, &seed.id), (&attempt("1"), &attempt("1"), &attempt("2")));
}

fn loads_again(machine: Machine) -> bool {
    let (_, effects) = machine.step(intended(Intent::TryAgain), NOW);
    effects.iter().any(|effect| matches!(effect, Effect::Load { .. }))
}

#[test]
fn the_keychain_is_asked_again_only_if_it_gave_no_answer() {
    let unread = after([Event::Loaded { ticket: 0, result: Err(Problem::KeychainLocked) }]);
    let (asked, effects) = unread.step(intended(Intent::TryAgain), NOW);
    assert_eq!((asked.state_name(), &effects[..]), ("Starting", &[Effect::Load { ticket: 1 }][..]));

    let ada = || vec![samples::account("ada")];
    let error = Some(Problem::KeychainCorrupt);
    let partly_read =
        after([loaded(KeychainContents { accounts: ada(), error, ..KeychainContents::default() })]);
    assert!(!loads_again(partly_read), "an account is signed in");

    let ended = Event::Refreshed { ticket: 1, result: Refreshed::Ended(Problem::SessionEnded) };
    let restored = loaded(KeychainContents { accounts: ada(), ..KeychainContents::default() });
    let over = after([restored, Event::Tick, ended]);
    assert!(!loads_again(over), "the keychain is not the problem");
}

#[test]
fn an_attempt_is_kept_until_its_deadline_and_not_a_moment_longer() {
    for (deadline, state, effect) in [
        (NOW.0 + 1, "AwaitingCallback", Effect::Watch { attempt: attempt("1") }),
        (NOW.0, "SignedOut", Effect::CloseReceivers { attempt: attempt("1") }),
    ] {
        let kept = samples::kept("1", Moment(deadline));
        let start = Machine::start(samples::receivers(), Moment(0)).0;
        let contents = KeychainContents { kept: Some(kept), ..KeychainContents::default() };
        let (machine, effects) = start.step(loaded(contents), NOW);
        assert_eq!((machine.state_name(), &effects[..]), (state, &[effect][..]));
    }
}
