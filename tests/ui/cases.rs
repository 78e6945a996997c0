//! Every screen of the window, each state of it that looks different, and every problem: named, as
//! the core would show them.

use keyport_core::problem::NextStep;
use keyport_core::{
    Account, AccountId, CallbackReceiver, Connection, DeviceSession, Moment, Organization, Problem,
    Screen, Stored, View,
};

/// A name to find it by, and what is shown.
pub type Case = (String, View);

/// All of them.
pub fn all() -> Vec<Case> {
    let mut cases = vec![
        named("starting", Screen::Starting),
        named("signed_out", Screen::SignedOut),
        named("preparing", Screen::Preparing),
        named("finishing", Screen::Finishing),
        named("confirm", Screen::Confirm { number: "42".to_owned(), seconds_left: 521 }),
    ];
    cases.extend(waiting());
    cases.extend(signed_in());
    cases.extend(sessions());
    cases.extend(Problem::ALL.iter().map(|problem| problem_case(*problem)));
    let of_keychain = Problem::ALL.iter().copied().filter(|problem| problem.is_of_keychain());
    cases.extend(of_keychain.map(unread_keychain));
    cases
}

/// The waiting screen with this much time left, in its usual state.
pub fn waiting_for(seconds_left: u64) -> View {
    view(waiting_screen(seconds_left, true, false, false, CallbackReceiver::Link))
}

/// With another way left, so that every button can be looked at.
fn view(screen: Screen) -> View {
    View { screen, another_way: true }
}

fn named(name: &str, screen: Screen) -> Case {
    (name.to_owned(), view(screen))
}

fn waiting() -> Vec<Case> {
    vec![
        named("waiting", waiting_screen(582, true, false, false, CallbackReceiver::Link)),
        named(
            "waiting-loopback",
            waiting_screen(582, true, false, false, CallbackReceiver::Loopback),
        ),
        named(
            "waiting-browser-failed",
            waiting_screen(580, true, true, false, CallbackReceiver::Link),
        ),
        named("waiting-returning", waiting_screen(400, true, false, true, CallbackReceiver::Link)),
        named("waiting-resumed", waiting_screen(300, false, false, false, CallbackReceiver::Link)),
        named(
            "waiting-last-minute",
            waiting_screen(42, true, false, false, CallbackReceiver::Link),
        ),
    ]
}

fn waiting_screen(
    seconds_left: u64,
    can_open_again: bool,
    browser_failed: bool,
    returning: bool,
    receiver: CallbackReceiver,
) -> Screen {
    Screen::Waiting { seconds_left, can_open_again, browser_failed, returning, receiver }
}

fn signed_in() -> Vec<Case> {
    let locked = Some(Problem::KeychainLocked.code());
    let offline = Some(Problem::Offline.code());
    let mut nameless = ada();
    nameless.name = None;
    nameless.organization = None;
    nameless.connection.as_mut().unwrap().kind = "GenericSAML".to_owned();
    let mut unknown = ada();
    (unknown.name, unknown.email, unknown.connection) = (None, None, None);
    unknown.organization.as_mut().unwrap().name = None;
    let mut long = ada();
    long.name = Some("Wilhelmina Featherstonehaugh-Cholmondeley von und zu Hohenlohe".to_owned());
    let email = "wilhelmina.featherstonehaugh-cholmondeley@subsidiary.example-holding.test";
    long.email = Some(email.to_owned());
    long.organization = organization("Example Holding International Beteiligungsgesellschaft");
    vec![
        named("signed_in", signed(ada(), Stored::Keychain, None, None)),
        named("signed_in-memory", signed(ada(), Stored::Memory, None, None)),
        named("signed_in-not-saved", signed(ada(), Stored::Memory, locked, None)),
        named("signed_in-unreachable", signed(ada(), Stored::Keychain, None, offline)),
        named("signed_in-both", signed(ada(), Stored::Memory, locked, offline)),
        named("signed_in-nameless", signed(nameless, Stored::Keychain, None, None)),
        named("signed_in-unknown", signed(unknown, Stored::Keychain, None, None)),
        named("signed_in-others", with_others(vec![grace(), nameless_other()])),
        named("signed_in-bidi", with_others(vec![from_right_to_left()])),
        named("signed_in-long", signed(long, Stored::Keychain, None, None)),
    ]
}

/// Where Ada is signed in.
fn sessions() -> Vec<Case> {
    let here = DeviceSession {
        id: "session_1".to_owned(),
        is_this: true,
        app: Some("Keyport".to_owned()),
        device: Some("Ada's laptop".to_owned()),
        signed_in_at: Moment(1_795_222_920_000),
        last_used: Moment(1_795_309_320_000),
        address: Some("192.0.2.7".to_owned()),
    };
    let there = DeviceSession {
        id: "session_2".to_owned(),
        is_this: false,
        device: Some("A workstation with a long name in the laboratory".to_owned()),
        last_used: Moment(1_795_222_920_000),
        address: Some("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff".to_owned()),
        ..here.clone()
    };
    let bare = DeviceSession {
        id: "session_3".to_owned(),
        app: None,
        device: None,
        address: None,
        ..there.clone()
    };
    let all = || Some(vec![here.clone(), there.clone(), bare.clone()]);
    let screen = |sessions, busy, problem: Option<Problem>| Screen::Sessions {
        sessions,
        busy,
        problem: problem.map(Problem::code),
    };
    vec![
        named("sessions", screen(all(), false, None)),
        named("sessions-loading", screen(None, true, None)),
        named("sessions-busy", screen(all(), true, None)),
        named("sessions-offline", screen(None, false, Some(Problem::Offline))),
        named("sessions-not-ended", screen(all(), false, Some(Problem::Offline))),
    ]
}

/// Ada is shown; these are on the device too.
fn with_others(others: Vec<Account>) -> Screen {
    Screen::SignedIn {
        account: Box::new(ada()),
        stored: Stored::Keychain,
        not_saved: None,
        unreachable: None,
        others,
    }
}

fn grace() -> Account {
    Account {
        id: AccountId("two".to_owned()),
        email: Some("grace@acme.test".to_owned()),
        name: Some("Grace Hopper".to_owned()),
        ..ada()
    }
}

fn nameless_other() -> Account {
    let email = Some("someone@subsidiary.example-holding.test".to_owned());
    Account { id: AccountId("three".to_owned()), email, name: None, ..ada() }
}

fn from_right_to_left() -> Account {
    let name = "\u{5E2}\u{5D3}\u{5D4} \u{5DC}\u{5D1}\u{5DC}\u{5D9}\u{5D9}\u{5E1}";
    Account { name: Some(name.to_owned()), ..grace() }
}

/// An account whose names try to turn, hide or break the text around them.
pub fn hostile() -> View {
    let mut account = ada();
    account.name = Some("Ada\u{202E}ecalevoL\u{202C}\nSign out\u{200B}\u{7}".to_owned());
    account.email = Some("\u{2066}ada@acme.test\u{2069}\u{E0041}".to_owned());
    account.organization = organization("\u{202D}Acme\u{0}\tInc");
    let mut other = from_right_to_left();
    other.name = other.name.map(|name| format!("\u{200F}{name}"));
    other.organization = account.organization.clone();
    let mut screen = with_others(vec![other.clone()]);
    if let Screen::SignedIn { account: shown, .. } = &mut screen {
        **shown = account;
    }
    view(screen)
}

fn signed(
    account: Account,
    stored: Stored,
    not_saved: Option<&'static str>,
    unreachable: Option<&'static str>,
) -> Screen {
    Screen::SignedIn {
        account: Box::new(account),
        stored,
        not_saved,
        unreachable,
        others: Vec::new(),
    }
}

fn ada() -> Account {
    Account {
        id: AccountId("one".to_owned()),
        issuer: "http://127.0.0.1:8788".to_owned(),
        subject: "user_01ADA".to_owned(),
        email: Some("ada@acme.test".to_owned()),
        name: Some("Ada Lovelace".to_owned()),
        organization: organization("Acme"),
        connection: Some(Connection {
            id: "conn_01EMULATOROKTA".to_owned(),
            kind: "OktaSAML".to_owned(),
        }),
        signed_in_at: Moment(1_795_222_920_000),
    }
}

#[allow(clippy::unnecessary_wraps, reason = "an account's organization is optional")]
fn organization(name: &str) -> Option<Organization> {
    Some(Organization { id: "org_01EMULATORACME".to_owned(), name: Some(name.to_owned()) })
}

fn problem_case(problem: Problem) -> Case {
    // The session ends without an attempt; the others have one, except the keychain at the start
    // (below).
    let of_an_attempt = problem.next_step() != NextStep::SignIn;
    let signed_in = problem == Problem::DomainUnknown;
    named(
        &format!("problem-{}", problem.code()),
        problem_screen(problem, problem.next_step(), of_an_attempt, signed_in),
    )
}

fn unread_keychain(problem: Problem) -> Case {
    named(
        &format!("unread-{}", problem.code()),
        problem_screen(problem, NextStep::LoadAgain, false, false),
    )
}

fn problem_screen(
    problem: Problem,
    next: NextStep,
    of_an_attempt: bool,
    signed_in: bool,
) -> Screen {
    let attempt = of_an_attempt.then(|| "7F3A".to_owned());
    Screen::Problem { code: problem.code(), next, attempt, signed_in }
}
