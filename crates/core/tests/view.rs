//! What a person sees in states that differ in one fact.

mod samples;

use keyport_core::problem::NextStep;
use keyport_core::{
    AttemptId, CallbackReceiver, Event, KeychainContents, Machine, Moment, Problem, Progress,
    Refreshed, Screen, View,
};

const NOW: Moment = Moment(1_000);

fn after(events: impl IntoIterator<Item = Event>) -> Machine {
    let start = Machine::start(samples::receivers(), Moment(0)).0;
    events.into_iter().fold(start, |machine, event| machine.step(event, NOW).0)
}

fn screen(machine: &Machine) -> Screen {
    View::of(machine, NOW).screen
}

fn loaded(contents: KeychainContents) -> Event {
    Event::Loaded { ticket: 0, result: Ok(contents) }
}

fn ada() -> KeychainContents {
    KeychainContents { accounts: vec![samples::account("ada")], ..KeychainContents::default() }
}

fn waiting_after(progress: &[Progress]) -> Screen {
    let attempt = AttemptId("1".repeat(32));
    let progressed = |progress: &Progress| Event::Progressed {
        attempt: attempt.clone(),
        progress: progress.clone(),
    };
    let begun = [loaded(KeychainContents::default()), samples::wanted("1"), samples::prepared("1")];
    screen(&after(begun.into_iter().chain(progress.iter().map(progressed))))
}

#[test]
fn the_number_is_shown_until_the_browser_is_on_its_way_back() {
    let number = || Progress::Confirm("42".to_owned());
    let confirm = Screen::Confirm { number: "42".to_owned(), seconds_left: 599 };
    assert_eq!(waiting_after(&[number()]), confirm);
    let waiting = |returning| Screen::Waiting {
        seconds_left: 599,
        can_open_again: true,
        browser_failed: false,
        returning,
        receiver: CallbackReceiver::Link,
    };
    assert_eq!(waiting_after(&[]), waiting(false));
    assert_eq!(waiting_after(&[number(), Progress::Minted]), waiting(true));
}

#[test]
fn an_attempt_that_was_taken_up_again_cannot_be_opened_again() {
    let kept = samples::kept("1", Moment(600_000));
    let machine =
        after([loaded(KeychainContents { kept: Some(kept), ..KeychainContents::default() })]);
    let shown = screen(&machine);
    assert!(matches!(shown, Screen::Waiting { can_open_again: false, .. }), "{shown:?}");
}

#[test]
fn the_keychain_is_read_again_only_where_nothing_of_it_is_known() {
    let next = |machine: Machine| match screen(&machine) {
        Screen::Problem { next, .. } => next,
        other => panic!("{other:?}"),
    };
    let locked = Problem::KeychainLocked;
    let unread = after([Event::Loaded { ticket: 0, result: Err(locked) }]);
    assert_eq!(next(unread), NextStep::LoadAgain);
    let failed = Event::Prepared { attempt: AttemptId("1".repeat(32)), result: Err(locked) };
    let found_before = after([loaded(KeychainContents::default()), samples::wanted("1"), failed]);
    assert_eq!(next(found_before), NextStep::KeychainAgain);
    let contents = KeychainContents { error: Some(locked), ..ada() };
    assert_eq!(next(after([loaded(contents)])), NextStep::KeychainAgain);
}

#[test]
fn shows_the_account_its_problems_and_the_other_accounts() {
    let contents = KeychainContents {
        accounts: vec![samples::account("ada"), samples::account("grace")],
        ..ada()
    };
    let later = Event::Refreshed { ticket: 1, result: Refreshed::Later(Problem::Offline) };
    let shown = screen(&after([loaded(contents), Event::Tick, later]));
    let Screen::SignedIn { account, unreachable, others, not_saved, .. } = shown else {
        panic!("{shown:?}")
    };
    let others: Vec<_> = others.iter().map(|other| other.id.0.as_str()).collect();
    assert_eq!(
        (account.id.0.as_str(), unreachable, others),
        ("ada", Some("offline"), vec!["grace"])
    );
    assert_eq!(not_saved, None);
}

#[test]
fn the_end_of_another_account_leaves_the_shown_one_shown() {
    let accounts = ["ada", "grace", "hedy"].map(samples::account).to_vec();
    let current = Some(accounts[2].id.clone());
    let ended =
        Event::Refreshed { ticket: 1, result: Refreshed::Ended(Problem::SignedOutElsewhere) };
    let contents = KeychainContents { accounts, current, ..KeychainContents::default() };
    let machine = after([loaded(contents), Event::Tick, ended]);
    assert_eq!(machine.signed_in().map(|(account, _)| account.id.0.as_str()), Some("hedy"));
    let Screen::Problem { code, signed_in, .. } = View::of(&machine, NOW).screen else {
        panic!("the person is told which end it was")
    };
    assert_eq!((code, signed_in), ("signed_out_elsewhere", true));
}

#[test]
fn a_sign_in_is_under_way_or_it_is_not() {
    for screen in [Screen::Starting, Screen::Preparing, waiting_after(&[]), Screen::Finishing] {
        assert!(!screen.is_at_rest(), "{screen:?}");
    }
    assert!(Screen::SignedOut.is_at_rest());
}
