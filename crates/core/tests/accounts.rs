//! Several accounts, and what other processes do to them while this one runs.

mod samples;

use keyport_core::{
    Account, AccountId, Effect, Event, Intent, KeychainContents, Machine, Moment, Problem,
    Refreshed, Screen, Stored, View,
};

const NOW: Moment = Moment(1_000);

fn listed(names: &[&str]) -> KeychainContents {
    KeychainContents {
        accounts: names.iter().map(|name| samples::account(name)).collect(),
        ..KeychainContents::default()
    }
}

fn loaded(ticket: u64, contents: KeychainContents) -> Event {
    Event::Loaded { ticket, result: Ok(contents) }
}

/// An intent that begins no attempt of a number that the test uses.
fn intended(intent: Intent) -> Event {
    samples::intended(intent, "9")
}

fn step(machine: Machine, event: Event) -> (Machine, Vec<Effect>) {
    machine.step(event, NOW)
}

fn started(names: &[&str]) -> Machine {
    step(Machine::start(samples::receivers(), Moment(0)).0, loaded(0, listed(names))).0
}

/// The keychain says that it changed; answers with the ticket of the reading.
fn changed(machine: Machine) -> (Machine, u64) {
    let (machine, effects) = step(machine, Event::KeychainChanged);
    match effects[..] {
        [Effect::Load { ticket }] => (machine, ticket),
        _ => panic!("{effects:?}"),
    }
}

/// The keychain changed and now holds these.
fn followed(machine: Machine, names: &[&str]) -> Machine {
    let (machine, ticket) = changed(machine);
    let (machine, effects) = step(machine, loaded(ticket, listed(names)));
    assert_eq!(effects, [], "a reading asks for nothing");
    machine
}

fn id(name: &str) -> AccountId {
    AccountId(name.to_owned())
}

/// The account that is shown, then the others.
fn shown(machine: &Machine) -> Vec<String> {
    let name = |account: &Account| account.id.0.clone();
    match View::of(machine, NOW).screen {
        Screen::SignedIn { account, others, .. } => {
            [name(&account)].into_iter().chain(others.iter().map(name)).collect()
        }
        Screen::SignedOut => Vec::new(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sign_in_and_a_sign_out_elsewhere_are_followed() {
    let machine = followed(started(&[]), &["ada"]);
    assert_eq!(shown(&machine), ["ada"]);
    let machine = followed(machine, &["ada", "grace"]);
    assert_eq!(shown(&machine), ["ada", "grace"], "the account that is shown stays shown");
    let machine = followed(machine, &["grace"]);
    assert_eq!(shown(&machine), ["grace"]);
    assert_eq!(shown(&followed(machine, &[])), Vec::<String>::new());
}

#[test]
fn an_account_found_by_following_is_refreshed_on_the_next_tick() {
    let machine = followed(started(&[]), &["ada"]);
    let (_, effects) = step(machine, Event::Tick);
    assert!(matches!(&effects[..], [Effect::Refresh { account, .. }] if *account == id("ada")));
}

#[test]
fn a_keychain_that_does_not_answer_ends_no_session() {
    for problem in Problem::ALL.iter().filter(|problem| problem.is_of_keychain()) {
        let (machine, ticket) = changed(started(&["ada"]));
        let machine = step(machine, Event::Loaded { ticket, result: Err(*problem) }).0;
        assert_eq!(shown(&machine), ["ada"], "{problem:?}");
    }
}

#[test]
fn a_reading_that_began_before_a_change_here_is_stale() {
    // SignedInAccount out here, and read before that reached the keychain.
    let (machine, ticket) = changed(started(&["ada"]));
    let machine = step(machine, intended(Intent::SignOut)).0;
    let machine = step(machine, loaded(ticket, listed(&["ada"]))).0;
    assert_eq!(shown(&machine), Vec::<String>::new());
    // Read while the sign-out is on its way: the account is leaving.
    let machine = followed(machine, &["ada"]);
    assert_eq!(shown(&machine), Vec::<String>::new());
    let machine = step(machine, Event::SignedOut { account: id("ada") }).0;
    let machine = followed(machine, &["ada"]);
    assert_eq!(shown(&machine), ["ada"], "signed in again elsewhere");

    // SignedInAccount in here, and read before that.
    let (machine, ticket) = changed(started(&[]));
    let events = [
        samples::wanted("1"),
        samples::prepared("1"),
        samples::called("1"),
        samples::exchanged("1"),
    ];
    let machine = events.into_iter().fold(machine, |machine, event| step(machine, event).0);
    let machine = step(machine, Event::Saved { ticket: 2, result: Ok(()) }).0;
    let machine = step(machine, loaded(ticket, listed(&[]))).0;
    assert_eq!(shown(&machine), ["1"]);
}

#[test]
fn a_session_in_memory_is_not_looked_for_in_the_keychain() {
    let in_memory = Refreshed::Done { refresh_at: Moment(300_000), stored: Stored::Memory };
    let machine = step(started(&["ada"]), Event::Tick).0;
    let machine = step(machine, Event::Refreshed { ticket: 1, result: in_memory }).0;
    assert_eq!(shown(&followed(machine, &[])), ["ada"]);
}

#[test]
fn another_account_is_shown_and_the_keychain_remembers_it() {
    let machine = started(&["ada", "grace"]);
    let (machine, effects) = step(machine, intended(Intent::ShowAccount { account: id("grace") }));
    assert_eq!(effects, [Effect::MakeCurrent { account: id("grace") }]);
    assert_eq!(shown(&machine), ["grace", "ada"]);
    for same in ["grace", "hedy"] {
        let (after, effects) =
            step(machine.clone(), intended(Intent::ShowAccount { account: id(same) }));
        assert_eq!((&after, effects), (&machine, Vec::new()), "{same}");
    }
    let (machine, effects) = step(machine, intended(Intent::SignOut));
    assert_eq!(effects, [Effect::SignOut { account: id("grace") }]);
    assert_eq!(shown(&machine), ["ada"], "the other one stays signed in");
}

#[test]
fn signing_out_of_all_leaves_none() {
    let (machine, effects) = step(started(&["ada", "grace"]), intended(Intent::SignOutOfAll));
    let each = ["ada", "grace"].map(|name| Effect::SignOut { account: id(name) });
    assert_eq!(effects, each);
    assert_eq!(shown(&machine), Vec::<String>::new());
}
