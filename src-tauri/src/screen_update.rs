//! What the page is given to draw: the core's view, and every sentence of its screen with its facts
//! put in. Codes in, sentences out; it decides nothing and holds no secret, because a view holds
//! none. What others wrote (names, organizations, devices) is cleaned on its way to the page.

use std::collections::BTreeMap;

use keyport_core::{Account, Problem, Screen, View};
use keyport_messages::Messages;
use serde::Serialize;

use crate::text::{clean, isolated};

/// One message to the page.
#[derive(Clone, Debug, Serialize)]
pub struct ScreenUpdate {
    /// The language of the words, for screen readers and dates.
    pub lang: &'static str,
    /// The facts.
    pub view: Shown,
    /// The sentences, keyed as the page names their places.
    pub words: BTreeMap<String, String>,
    /// The name of a sentence to announce now: something was done that the view does not show.
    pub said: Option<&'static str>,
}

/// What is shown: the client's view, or that there can be no client.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Shown {
    /// As the core draws it.
    View(View),
    /// The settings name no companion, or not properly.
    NotSetUp {
        /// `not_set_up`.
        screen: &'static str,
    },
}

impl ScreenUpdate {
    /// Draws `view`; `device` is what this device calls itself.
    #[must_use]
    pub fn of(view: View, device: &str, words: &Messages) -> Self {
        let view = cleaned(view);
        let sentences = match &view.screen {
            Screen::Starting => words.screen("starting", &[]),
            Screen::SignedOut => words.screen("signed_out", &[]),
            Screen::Preparing => words.screen("preparing", &[]),
            Screen::Finishing => words.screen("finishing", &[]),
            Screen::Waiting { seconds_left, can_open_again, browser_failed, returning, .. } => {
                let state = waiting_state(*can_open_again, *browser_failed, *returning);
                words.screen("waiting", &[("state", state), ("time", &clock(*seconds_left))])
            }
            Screen::Confirm { seconds_left, .. } => {
                words.screen("confirm", &[("time", &clock(*seconds_left))])
            }
            Screen::SignedIn { account, not_saved, unreachable, .. } => {
                let reason =
                    |code: &Option<&str>| code.map_or_else(String::new, |c| title(c, words));
                let (not_saved, unreachable) = (reason(not_saved), reason(unreachable));
                signed_in(account, device, &not_saved, &unreachable, words)
            }
            Screen::Sessions { problem, .. } => {
                let problem = problem.map_or_else(String::new, |code| whole(code, words));
                words.screen("sessions", &[("problem", &problem)])
            }
            Screen::Problem { code, attempt, .. } => problem(code, attempt.as_deref(), words),
        };
        let view = Shown::View(view);
        Self { lang: "en", view, words: sentences, said: None }
    }

    /// Draws that Keyport does not know its companion; `settings` is the file that could name it,
    /// `error` what is wrong, for IT.
    #[must_use]
    pub fn not_set_up(settings: &str, error: &str, words: &Messages) -> Self {
        let screen = "not_set_up";
        let (settings, error) = (isolated(settings), isolated(error));
        let words = words.screen(screen, &[("settings", &settings), ("error", &error)]);
        let view = Shown::NotSetUp { screen };
        Self { lang: "en", view, words, said: None }
    }
}

/// What others wrote in it has no say in how the rest of the window looks.
fn cleaned(mut view: View) -> View {
    match &mut view.screen {
        Screen::SignedIn { account, others, .. } => {
            for account in std::iter::once(&mut **account).chain(others) {
                account.name = clean_if_any(account.name.as_ref());
                account.email = clean_if_any(account.email.as_ref());
                account.subject = clean(&account.subject);
                if let Some(organization) = &mut account.organization {
                    organization.name = clean_if_any(organization.name.as_ref());
                }
                if let Some(connection) = &mut account.connection {
                    connection.kind = clean(&connection.kind);
                }
            }
        }
        Screen::Sessions { sessions, .. } => {
            for session in sessions.iter_mut().flatten() {
                session.device = clean_if_any(session.device.as_ref());
                session.app = clean_if_any(session.app.as_ref());
                session.address = clean_if_any(session.address.as_ref());
            }
        }
        Screen::Confirm { number, .. } => *number = clean(number),
        Screen::Starting
        | Screen::SignedOut
        | Screen::Preparing
        | Screen::Waiting { .. }
        | Screen::Finishing
        | Screen::Problem { .. } => {}
    }
    view
}

/// A name of which nothing is left is none.
fn clean_if_any(text: Option<&String>) -> Option<String> {
    text.map(|text| clean(text)).filter(|text| !text.is_empty())
}

fn waiting_state(can_open_again: bool, browser_failed: bool, returning: bool) -> &'static str {
    match (returning, browser_failed, can_open_again) {
        (true, _, _) => "returning",
        (false, true, _) => "failed",
        (false, false, false) => "resumed",
        (false, false, true) => "opened",
    }
}

fn signed_in(
    account: &Account,
    device: &str,
    not_saved: &str,
    unreachable: &str,
    words: &Messages,
) -> BTreeMap<String, String> {
    let organization = account.organization.as_ref().and_then(|o| o.name.as_deref());
    let organization = organization.unwrap_or_default();
    let connection = account.connection.as_ref().map_or("", |way| connection_name(&way.kind));
    let place = match (organization.is_empty(), connection.is_empty()) {
        (false, false) => "both",
        (false, true) => "organization",
        (true, false) => "connection",
        (true, true) => "neither",
    };
    let (name, device) = (isolated(account.shown_name()), isolated(device));
    let (organization, connection) = (isolated(organization), isolated(connection));
    let facts = [
        ("name", name.as_str()),
        ("place", place),
        ("organization", &organization),
        ("connection", &connection),
        ("device", &device),
        ("not_saved", not_saved),
        ("unreachable", unreachable),
    ];
    words.screen("signed_in", &facts)
}

fn problem(code: &str, attempt: Option<&str>, words: &Messages) -> BTreeMap<String, String> {
    let facts = [("code", code), ("attempt", attempt.unwrap_or("none"))];
    let mut sentences = words.screen("problem_screen", &facts);
    if let Some(problem) = Problem::from_code(code) {
        let said = words.problem(problem);
        for (place, sentence) in [("title", said.title), ("text", said.text), ("next", said.next)] {
            sentences.insert(place.to_owned(), sentence);
        }
    }
    sentences
}

fn title(code: &str, words: &Messages) -> String {
    Problem::from_code(code).map_or_else(String::new, |problem| words.problem(problem).title)
}

/// What happened and what to do about it, as one line.
fn whole(code: &str, words: &Messages) -> String {
    Problem::from_code(code).map_or_else(String::new, |problem| {
        let said = words.problem(problem);
        format!("{}. {}", said.title, said.next)
    })
}

/// `OktaSAML` is "Okta" to a person; a generic type has no name to show. The list of types is open,
/// so it is read, not listed.
fn connection_name(kind: &str) -> &str {
    let name = ["SAML", "OIDC", "OAuth"]
        .iter()
        .find_map(|protocol| kind.strip_suffix(protocol))
        .unwrap_or(kind);
    if name == "Generic" { "" } else { name }
}

/// `9:42`.
fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
