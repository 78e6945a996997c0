//! Where a person is signed in: the list is there while it is looked at, and what is ended from it.

mod samples;

use keyport_core::{
    DeviceSession, Effect, Event, Intent, KeychainContents, Machine, Moment, Problem, Screen, View,
};

const NOW: Moment = Moment(1_000);

fn session(id: &str, is_this: bool) -> DeviceSession {
    DeviceSession {
        id: id.to_owned(),
        is_this,
        app: Some("Keyport".to_owned()),
        device: None,
        signed_in_at: NOW,
        last_used: NOW,
        address: None,
    }
}

fn both() -> Vec<DeviceSession> {
    vec![session("here", true), session("there", false)]
}

/// Ada is shown, Grace is on the device too, and the list of Ada's sessions is asked for.
fn asking() -> (Machine, u64) {
    let accounts = ["ada", "grace"].map(samples::account).to_vec();
    let current = Some(accounts[0].id.clone());
    let contents = KeychainContents { accounts, current, ..KeychainContents::default() };
    let start = Machine::start(samples::receivers(), Moment(0)).0;
    let machine = start.step(Event::Loaded { ticket: 0, result: Ok(contents) }, NOW).0;
    let (machine, effects) = step(machine, Intent::ShowSessions);
    let [Effect::ListSessions { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    (machine, ticket)
}

fn listed() -> Machine {
    let (machine, ticket) = asking();
    machine.step(Event::SessionsListed { ticket, result: Ok(both()) }, NOW).0
}

fn step(machine: Machine, intent: Intent) -> (Machine, Vec<Effect>) {
    machine.step(samples::intended(intent, "9"), NOW)
}

fn end(session: &str) -> Intent {
    Intent::EndSession { session: session.to_owned() }
}

fn shown(machine: &Machine) -> (Option<usize>, bool, Option<&'static str>) {
    match View::of(machine, NOW).screen {
        Screen::Sessions { sessions, busy, problem } => {
            (sessions.map(|sessions| sessions.len()), busy, problem)
        }
        other => panic!("{other:?}"),
    }
}

fn is_of_account(machine: &Machine, id: &str) -> bool {
    let screen = View::of(machine, NOW).screen;
    matches!(screen, Screen::SignedIn { account, .. } if account.id.0 == id)
}

#[test]
fn the_list_is_asked_for_and_put_away_again() {
    let (machine, ticket) = asking();
    assert_eq!(shown(&machine), (None, true, None));
    let (machine, effects) = step(machine, Intent::ShowSessions);
    assert_eq!(effects, [], "one request at a time");
    let late = Event::SessionsListed { ticket: ticket + 7, result: Ok(Vec::new()) };
    let machine = machine.step(late, NOW).0;
    assert_eq!(shown(&machine), (None, true, None), "another answer");
    let machine = machine.step(Event::SessionsListed { ticket, result: Ok(both()) }, NOW).0;
    assert_eq!(shown(&machine), (Some(2), false, None));
    assert!(is_of_account(&step(machine, Intent::Dismiss).0, "ada"));
}

#[test]
fn offline_is_said_and_the_list_stays() {
    let (machine, ticket) = asking();
    let offline = Event::SessionsListed { ticket, result: Err(Problem::Offline) };
    let machine = machine.step(offline, NOW).0;
    assert_eq!(shown(&machine), (None, false, Some("offline")));
    let (machine, effects) = step(machine, Intent::TryAgain);
    assert!(matches!(effects[..], [Effect::ListSessions { .. }]) && shown(&machine).1);
    let (machine, effects) = step(listed(), Intent::SignOutEverywhere);
    let [Effect::SignOutEverywhere { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    let failed = Event::SignedOutEverywhere { ticket, result: Err(Problem::Offline) };
    let machine = machine.step(failed, NOW).0;
    assert_eq!(shown(&machine), (Some(2), false, Some("offline")));
    assert!(is_of_account(&step(machine, Intent::Dismiss).0, "ada"), "still signed in");
}

#[test]
fn only_what_is_listed_is_ended_and_this_one_as_a_sign_out() {
    let (machine, effects) = step(listed(), end("elsewhere"));
    assert_eq!((&effects[..], shown(&machine)), (&[][..], (Some(2), false, None)));
    let (machine, effects) = step(machine, end("there"));
    assert!(matches!(&effects[..], [Effect::EndSession { session, .. }] if session == "there"));
    let (machine, effects) = step(machine, end("there"));
    assert_eq!((&effects[..], shown(&machine).1), (&[][..], true), "one request at a time");
    let (machine, effects) = step(listed(), end("here"));
    assert!(matches!(effects[..], [Effect::SignOut { .. }]));
    assert!(is_of_account(&machine, "grace"));
    assert_eq!(step(machine, end("there")).1, [], "without a list nothing is ended");
}

#[test]
fn everywhere_takes_the_account_off_this_device_too() {
    let (machine, effects) = step(listed(), Intent::SignOutEverywhere);
    let [Effect::SignOutEverywhere { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(shown(&machine), (Some(2), true, None));
    let done = Event::SignedOutEverywhere { ticket, result: Ok(()) };
    assert!(is_of_account(&machine.step(done, NOW).0, "grace"), "another person stays");
}

#[test]
fn a_session_that_turns_out_to_be_over_is_gone_from_this_device() {
    let (machine, ticket) = asking();
    let over = Event::SessionsListed { ticket, result: Err(Problem::SignedOutElsewhere) };
    let machine = machine.step(over, NOW).0;
    let screen = View::of(&machine, NOW).screen;
    assert!(
        matches!(screen, Screen::Problem { code: "signed_out_elsewhere", signed_in: true, .. }),
        "{screen:?}"
    );
}

#[test]
fn the_list_does_not_come_back_behind_another_screen() {
    let grace = Intent::ShowAccount { account: samples::account("grace").id };
    for leaves in [grace, Intent::SignIn { email: None }, Intent::SignOut] {
        let (machine, _) = step(listed(), leaves.clone());
        let machine = step(step(machine, Intent::Cancel).0, Intent::Dismiss).0;
        let screen = View::of(&machine, NOW).screen;
        assert!(matches!(screen, Screen::SignedIn { .. }), "{leaves:?}: {screen:?}");
    }
}
