//! What the table cannot show: pauses, limits and repetitions of a session's life, each in a
//! history of its own.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use keyport_core::{
    Door, Effect, Event, KeptAttempt, Machine, Moment, Problem, Refreshed, Screen, Store, Stored,
    Vault, View, table,
};

const NOW: Moment = Moment(10_000_000);
const MINUTE: u64 = 60_000;

fn loaded(vault: Vault) -> Event {
    Event::Loaded { ticket: 0, result: Ok(vault) }
}

fn after(events: impl IntoIterator<Item = Event>) -> Machine {
    let start = Machine::start(NOW).0;
    events.into_iter().fold(start, |machine, event| machine.step(event, NOW).0)
}

/// Ada's session is restored and its first refresh is under way.
fn refreshing() -> Machine {
    let vault = Vault { accounts: vec![table::account("1")], ..Vault::default() };
    after([loaded(vault), Event::Tick])
}

/// Between the click and the session nothing else may take the turn that redeeming the code needs.
#[test]
fn no_refresh_begins_while_a_sign_in_is_under_way_and_what_is_due_follows_it() {
    let vault = Vault { accounts: vec![table::account("9")], ..Vault::default() };
    let mut prepared = table::prepared("1");
    if let Event::Prepared { result: Ok(pushed), .. } = &mut prepared {
        pushed.deadline = Moment(NOW.0 + MINUTE);
    }
    let mut machine = after([loaded(vault)]);
    for event in [table::wanted("1"), prepared, table::called("1")] {
        machine = machine.step(event, NOW).0;
        let (ticked, effects) = machine.clone().step(Event::Tick, NOW);
        assert_eq!((&ticked, effects), (&machine, vec![]), "{}", machine.state_name());
        assert!(machine.next_deadline().unwrap() > NOW, "and nobody wakes up for one");
    }
    machine = machine.step(table::exchanged("1"), NOW).0;
    machine = machine.step(Event::Saved { ticket: 1, result: Ok(()) }, NOW).0;
    let effects = machine.step(Event::Tick, NOW).1;
    assert!(matches!(&effects[..], [Effect::Refresh { account, .. }] if account.0 == "9"));
}

#[test]
fn a_refresh_under_way_still_counts_as_unanswered_during_a_sign_in() {
    let machine = refreshing().step(table::wanted("2"), NOW).0;
    let unanswered = machine.clone().step(Event::Tick, Moment(NOW.0 + MINUTE)).0;
    assert_ne!(unanswered, machine);
}

#[test]
fn a_kept_session_whose_access_token_is_fresh_is_not_refreshed_at_the_start() {
    for (left, pause) in [(5 * MINUTE, 4 * MINUTE + 30_000), (30_000, 0), (0, 0)] {
        let account = table::account("1");
        let fresh_until = [(account.id.clone(), Moment(NOW.0 + left))].into();
        let vault = Vault { accounts: vec![account], fresh_until, ..Vault::default() };
        assert_eq!(until_next(&after([loaded(vault)]), NOW), pause, "{left}");
    }
}

fn refreshed(machine: Machine, ticket: u64, result: Refreshed, now: Moment) -> Machine {
    machine.step(Event::Refreshed { ticket, result }, now).0
}

fn until_next(machine: &Machine, now: Moment) -> u64 {
    machine.next_deadline().unwrap().0 - now.0
}

#[test]
fn each_try_in_vain_doubles_the_pause_up_to_five_minutes_and_a_success_ends_that() {
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
fn a_session_whose_device_key_is_lost_is_not_shown_as_signed_in_and_nothing_is_erased() {
    let lost = Refreshed::Later(Problem::DeviceKeyLost);
    let (machine, effects) = refreshing().step(Event::Refreshed { ticket: 1, result: lost }, NOW);
    let Screen::Problem { code, signed_in, .. } = View::of(&machine, NOW).screen else {
        panic!("a problem is shown");
    };
    assert_eq!((code, signed_in), ("device_key_lost", false));
    assert_eq!(effects, []);
}

#[test]
fn a_refresh_that_nobody_answers_is_tried_later_and_later_too() {
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
        let mut exchanged = table::exchanged("1");
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
        let history = [loaded(Vault::default()), table::wanted("1"), table::prepared("1")];
        let machine =
            after(history.into_iter().map(far).chain([table::called("1"), exchanged, saved]));
        assert_eq!(machine.state_name(), "SignedIn");
        assert_eq!(until_next(&machine, NOW), pause);
    }
}

#[test]
fn no_browser_is_waited_for_longer_than_a_quarter_of_an_hour() {
    let mut prepared = table::prepared("1");
    if let Event::Prepared { result: Ok(pushed), .. } = &mut prepared {
        pushed.deadline = Moment(u64::MAX);
    }
    let waiting = after([loaded(Vault::default()), table::wanted("1"), prepared]);
    assert_eq!(until_next(&waiting, NOW), 15 * MINUTE);

    let Event::SignInWanted(seed) = table::wanted("1") else { unreachable!() };
    let kept = KeptAttempt {
        id: seed.id,
        door: seed.doors[0].clone(),
        issuer: "https://sign-in.example".to_owned(),
        // The clock was set back by a day since.
        deadline: Moment(NOW.0 + 24 * 60 * MINUTE),
        store: Store::Keychain,
    };
    assert_eq!(kept.door.door, Door::Link);
    let waiting = after([loaded(Vault { kept: Some(kept), ..Vault::default() })]);
    assert_eq!(waiting.state_name(), "AwaitingCallback");
    assert_eq!(until_next(&waiting, NOW), 15 * MINUTE);
}

#[test]
fn signing_out_while_the_same_account_is_saved_anew_leaves_none_of_it() {
    let vault = Vault { accounts: vec![table::account("1")], ..Vault::default() };
    let mut prepared = table::prepared("1");
    if let Event::Prepared { result: Ok(pushed), .. } = &mut prepared {
        pushed.deadline = Moment(NOW.0 + MINUTE);
    }
    let machine = after([
        loaded(vault),
        table::wanted("1"),
        prepared,
        table::called("1"),
        table::exchanged("1"),
        Event::SignOutWanted,
    ]);
    assert_eq!(machine.signed_in(), None);
    assert_eq!(View::of(&machine, NOW).screen, Screen::SignedOut);
}

#[test]
fn a_sign_out_that_did_not_reach_everything_is_said_unless_the_person_is_back() {
    let shown = |machine: Machine| View::of(&machine, NOW).screen;
    let says = |screen: &Screen| matches!(screen, Screen::Problem { code: "signed_out_here", .. });
    let signed_out = after([loaded(Vault::default()), table::unfinished("1")]);
    assert!(says(&shown(signed_out)));
    let vault = || Vault { accounts: vec![table::account("1")], ..Vault::default() };
    assert!(!says(&shown(after([loaded(vault()), table::unfinished("1")]))));
    assert!(says(&shown(after([loaded(vault()), Event::SignOutWanted, table::unfinished("1")]))));
    let busy = after([loaded(Vault::default()), table::wanted("1"), table::unfinished("1")]);
    assert_eq!(shown(busy), Screen::Preparing);
}

fn unlocked_result(kept: &KeptAttempt) -> Result<Vault, Problem> {
    Ok(Vault { kept: Some(kept.clone()), ..Vault::default() })
}

#[test]
fn a_link_that_starts_the_app_beside_a_locked_keychain_waits_until_it_is_unlocked() {
    let Event::SignInWanted(seed) = table::wanted("1") else { unreachable!() };
    let kept = KeptAttempt {
        id: seed.id,
        door: seed.doors[0].clone(),
        issuer: "https://sign-in.example".to_owned(),
        deadline: Moment(NOW.0 + MINUTE),
        store: Store::Keychain,
    };
    let locked = || Event::Loaded { ticket: 0, result: Err(Problem::KeychainLocked) };
    let unlocked = || Event::Loaded { ticket: 1, result: unlocked_result(&kept) };
    // The link comes before the keychain has answered, or after it said that it is locked.
    let link = || table::called("1");
    for begun in [[link(), locked()], [locked(), link()]] {
        let history = begun.into_iter().chain([Event::LoadAgainWanted, unlocked()]);
        assert_eq!(after(history).state_name(), "Exchanging");
    }
    // Another program unlocks it, and the keychain says so.
    let history = [locked(), link(), Event::KeychainChanged, unlocked()];
    assert_eq!(after(history).state_name(), "Exchanging");
    let history = [locked(), Event::DismissWanted, link(), Event::KeychainChanged, unlocked()];
    assert_eq!(after(history).state_name(), "Exchanging");
    let still_locked = Event::Loaded { ticket: 1, result: Err(Problem::KeychainLocked) };
    let waits = after([locked(), link(), Event::KeychainChanged, still_locked]);
    assert!(waits.holds_callbacks());
    let opened = Event::Loaded { ticket: 2, result: unlocked_result(&kept) };
    let done = waits.step(Event::KeychainChanged, NOW).0.step(opened, NOW).0;
    assert_eq!(done.state_name(), "Exchanging");
    // A click meanwhile is another wish.
    let history = [table::called("1"), locked(), table::wanted("2"), Event::CancelWanted];
    let mut machine = after(history);
    machine = machine.step(Event::Loaded { ticket: 0, result: Ok(Vault::default()) }, NOW).0;
    assert_eq!(machine.state_name(), "SignedOut");
}
