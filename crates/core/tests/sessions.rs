//! What the table cannot show: pauses, limits and repetitions of a session's life, each in a
//! history of its own.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod samples;

use keyport_core::{
    CallbackReceiver, Effect, Event, Intent, KeptAttempt, KeychainContents, Machine, Moment,
    Problem, Refreshed, Screen, Stored, View,
};

const NOW: Moment = Moment(10_000_000);
const MINUTE: u64 = 60_000;

fn loaded(contents: KeychainContents) -> Event {
    Event::Loaded { ticket: 0, result: Ok(contents) }
}

/// An intent that begins no attempt of a number that the test uses.
fn intended(intent: Intent) -> Event {
    samples::intended(intent, "9")
}

fn after(events: impl IntoIterator<Item = Event>) -> Machine {
    let start = Machine::start(samples::receivers(), NOW).0;
    events.into_iter().fold(start, |machine, event| machine.step(event, NOW).0)
}

/// Ada's session is restored and its first refresh is under way.
fn refreshing() -> Machine {
    let contents =
        KeychainContents { accounts: vec![samples::account("1")], ..KeychainContents::default() };
    after([loaded(contents), Event::Tick])
}

/// Between the click and the session nothing else may take the lock that redeeming the code needs.
#[test]
fn no_refresh_begins_during_a_sign_in() {
    let contents =
        KeychainContents { accounts: vec![samples::account("9")], ..KeychainContents::default() };
    let mut prepared = samples::prepared("1");
    if let Event::Prepared { result: Ok(pushed), .. } = &mut prepared {
        pushed.deadline = Moment(NOW.0 + MINUTE);
    }
    let mut machine = after([loaded(contents)]);
    for event in [samples::wanted("1"), prepared, samples::called("1")] {
        machine = machine.step(event, NOW).0;
        let (ticked, effects) = machine.clone().step(Event::Tick, NOW);
        assert_eq!((&ticked, effects), (&machine, vec![]), "{}", machine.state_name());
        assert!(machine.next_deadline().unwrap() > NOW, "and no timer is set for one");
    }
    machine = machine.step(samples::exchanged("1"), NOW).0;
    machine = machine.step(Event::Saved { ticket: 1, result: Ok(()) }, NOW).0;
    let effects = machine.step(Event::Tick, NOW).1;
    assert!(matches!(&effects[..], [Effect::Refresh { account, .. }] if account.0 == "9"));
}

#[test]
fn a_refresh_under_way_still_expires_during_a_sign_in() {
    let machine = refreshing().step(samples::wanted("2"), NOW).0;
    let unanswered = machine.clone().step(Event::Tick, Moment(NOW.0 + MINUTE)).0;
    assert_ne!(unanswered, machine);
}

#[test]
fn a_fresh_kept_session_is_not_refreshed_at_the_start() {
    for (left, pause) in [(5 * MINUTE, 4 * MINUTE + 30_000), (30_000, 0), (0, 0)] {
        let account = samples::account("1");
        let fresh_until = [(account.id.clone(), Moment(NOW.0 + left))].into();
        let contents = KeychainContents {
            accounts: vec![account],
            fresh_until,
            ..KeychainContents::default()
        };
        assert_eq!(until_next(&after([loaded(contents)]), NOW), pause, "{left}");
    }
}

fn refreshed(machine: Machine, ticket: u64, result: Refreshed, now: Moment) -> Machine {
    machine.step(Event::Refreshed { ticket, result }, now).0
}

fn until_next(machine: &Machine, now: Moment) -> u64 {
    machine.next_deadline().unwrap().0 - now.0
}

#[test]
fn each_failed_try_doubles_the_pause_up_to_five_minutes() {
    let (mut machine, mut now, mut pauses) = (refreshing(), NOW, Vec::new());
    for ticket in 1..=6 {
        machine = refreshed(machine, ticket, Refreshed::Later(Problem::TooManyRequests), now);
        pauses.push(until_next(&machine, now) / 1000);
        now = machine.next_deadline().unwrap();
        machine = machine.step(Event::Tick, now).0;
    }
    assert_eq!(pauses, [30, 60, 120, 240, 300, 300]);
    let done = Refreshed::Done { refresh_at: Moment(now.0 + MINUTE), stored: Stored::Keychain };
    machine = refreshed(machine, 7, done, now);
    machine = machine.step(Event::Tick, Moment(now.0 + MINUTE)).0;
    machine = refreshed(machine, 8, Refreshed::Later(Problem::Offline), now);
    assert_eq!(until_next(&machine, now), 30_000);
}

#[test]
fn a_session_without_its_device_key_is_not_shown_nor_erased() {
    let lost = Refreshed::Later(Problem::DeviceKeyLost);
    let (machine, effects) = refreshing().step(Event::Refreshed { ticket: 1, result: lost }, NOW);
    let Screen::Problem { code, signed_in, .. } = View::of(&machine, NOW).screen else {
        panic!("a problem is shown");
    };
    assert_eq!((code, signed_in), ("device_key_lost", false));
    assert_eq!(effects, []);
}

#[test]
fn an_unanswered_refresh_is_tried_again_with_longer_pauses() {
    let (mut machine, mut pauses) = (refreshing(), Vec::new());
    for _ in 0..3 {
        let unanswered = machine.next_deadline().unwrap();
        machine = machine.step(Event::Tick, unanswered).0;
        pauses.push(until_next(&machine, unanswered) / 1000);
        machine = machine.clone().step(Event::Tick, machine.next_deadline().unwrap()).0;
    }
    assert_eq!(pauses, [30, 60, 120]);
}

#[test]
fn tokens_that_end_at_once_or_never_are_refreshed_within_reason() {
    for (refresh_at, pause) in [(0, 30_000), (NOW.0, 30_000), (u64::MAX, 60 * MINUTE)] {
        let refresh_at = Moment(refresh_at);
        let done = Refreshed::Done { refresh_at, stored: Stored::Keychain };
        assert_eq!(until_next(&refreshed(refreshing(), 1, done, NOW), NOW), pause);
        let mut exchanged = samples::exchanged("1");
        if let Event::Exchanged { result: Ok(session), .. } = &mut exchanged {
            session.tokens.access_deadline = refresh_at;
        }
        let saved = Event::Saved { ticket: 1, result: Ok(()) };
        let far = |event: Event| match event {
            Event::Prepared { attempt, result: Ok(mut pushed) } => {
                pushed.deadline = Moment(NOW.0 + MINUTE);
                Event::Prepared { attempt, result: Ok(pushed) }
            }
            other => other,
        };
        let history =
            [loaded(KeychainContents::default()), samples::wanted("1"), samples::prepared("1")];
        let machine =
            after(history.into_iter().map(far).chain([samples::called("1"), exchanged, saved]));
        assert_eq!(machine.state_name(), "SignedIn");
        assert_eq!(until_next(&machine, NOW), pause);
    }
}

#[test]
fn no_browser_is_waited_for_longer_than_a_quarter_of_an_hour() {
    let mut prepared = samples::prepared("1");
    if let Event::Prepared { result: Ok(pushed), .. } = &mut prepared {
        pushed.deadline = Moment(u64::MAX);
    }
    let waiting = after([loaded(KeychainContents::default()), samples::wanted("1"), prepared]);
    assert_eq!(until_next(&waiting, NOW), 15 * MINUTE);

    // The clock was set back by a day since.
    let kept = samples::kept("1", Moment(NOW.0 + 24 * 60 * MINUTE));
    assert_eq!(kept.receiver.receiver, CallbackReceiver::Link);
    let waiting =
        after([loaded(KeychainContents { kept: Some(kept), ..KeychainContents::default() })]);
    assert_eq!(waiting.state_name(), "AwaitingCallback");
    assert_eq!(until_next(&waiting, NOW), 15 * MINUTE);
}

#[test]
fn signing_out_during_a_save_of_the_account_leaves_nothing() {
    let contents =
        KeychainContents { accounts: vec![samples::account("1")], ..KeychainContents::default() };
    let mut prepared = samples::prepared("1");
    if let Event::Prepared { result: Ok(pushed), .. } = &mut prepared {
        pushed.deadline = Moment(NOW.0 + MINUTE);
    }
    let machine = after([
        loaded(contents),
        samples::wanted("1"),
        prepared,
        samples::called("1"),
        samples::exchanged("1"),
        intended(Intent::SignOut),
    ]);
    assert_eq!(machine.signed_in(), None);
    assert_eq!(View::of(&machine, NOW).screen, Screen::SignedOut);
}

#[test]
fn an_unfinished_sign_out_is_said_unless_signed_in_again() {
    let shown = |machine: Machine| View::of(&machine, NOW).screen;
    let says = |screen: &Screen| matches!(screen, Screen::Problem { code: "signed_out_here", .. });
    let signed_out = after([loaded(KeychainContents::default()), samples::unfinished("1")]);
    assert!(says(&shown(signed_out)));
    let contents = || KeychainContents {
        accounts: vec![samples::account("1")],
        ..KeychainContents::default()
    };
    assert!(!says(&shown(after([loaded(contents()), samples::unfinished("1")]))));
    assert!(says(&shown(after([
        loaded(contents()),
        intended(Intent::SignOut),
        samples::unfinished("1")
    ]))));
    let busy = after([
        loaded(KeychainContents::default()),
        samples::wanted("1"),
        samples::unfinished("1"),
    ]);
    assert_eq!(shown(busy), Screen::Preparing);
}

fn unlocked_result(kept: &KeptAttempt) -> Result<KeychainContents, Problem> {
    Ok(KeychainContents { kept: Some(kept.clone()), ..KeychainContents::default() })
}

#[test]
fn a_link_at_start_waits_until_the_keychain_is_unlocked() {
    let kept = samples::kept("1", Moment(NOW.0 + MINUTE));
    let locked = || Event::Loaded { ticket: 0, result: Err(Problem::KeychainLocked) };
    let unlocked = || Event::Loaded { ticket: 1, result: unlocked_result(&kept) };
    // The link comes before the keychain has answered, or after it said that it is locked.
    let link = || samples::called("1");
    for begun in [[link(), locked()], [locked(), link()]] {
        let history = begun.into_iter().chain([intended(Intent::TryAgain), unlocked()]);
        assert_eq!(after(history).state_name(), "Exchanging");
    }
    // Another program unlocks it, and the keychain says so.
    let history = [locked(), link(), Event::KeychainChanged, unlocked()];
    assert_eq!(after(history).state_name(), "Exchanging");
    let history = [locked(), intended(Intent::Dismiss), link(), Event::KeychainChanged, unlocked()];
    assert_eq!(after(history).state_name(), "Exchanging");
    let still_locked = Event::Loaded { ticket: 1, result: Err(Problem::KeychainLocked) };
    let waits = after([locked(), link(), Event::KeychainChanged, still_locked]);
    assert!(waits.holds_callbacks());
    let opened = Event::Loaded { ticket: 2, result: unlocked_result(&kept) };
    let done = waits.step(Event::KeychainChanged, NOW).0.step(opened, NOW).0;
    assert_eq!(done.state_name(), "Exchanging");
    // A click meanwhile is another intent.
    let history = [samples::called("1"), locked(), samples::wanted("2"), intended(Intent::Cancel)];
    let mut machine = after(history);
    machine =
        machine.step(Event::Loaded { ticket: 0, result: Ok(KeychainContents::default()) }, NOW).0;
    assert_eq!(machine.state_name(), "SignedOut");
}

/// "A new click replaces the attempt" holds for one that the keychain keeps but could not be read
/// at the click, also when the person has cancelled since.
#[test]
fn a_click_replaces_the_attempt_of_an_unread_keychain() {
    let locked = Event::Loaded { ticket: 0, result: Err(Problem::KeychainLocked) };
    let machine = after([locked, samples::wanted("2"), intended(Intent::Cancel)]);
    let (machine, effects) = machine.step(Event::KeychainChanged, NOW);
    let [Effect::Load { ticket }] = effects[..] else { panic!("{effects:?}") };
    let kept = samples::kept("1", Moment(NOW.0 + 10 * MINUTE));
    let attempt = kept.id.clone();
    let contents = KeychainContents { kept: Some(kept), ..KeychainContents::default() };
    let (machine, effects) = machine.step(Event::Loaded { ticket, result: Ok(contents) }, NOW);
    assert_eq!(machine.state_name(), "SignedOut");
    assert!(effects.contains(&Effect::CancelAttempt { attempt }), "{effects:?}");
    let (machine, effects) = machine.step(samples::called("1"), NOW);
    assert_eq!((machine.state_name(), effects.len()), ("SignedOut", 0));
}
