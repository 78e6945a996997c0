//! The table in the documentation is the machine's own: every state meets every event once.

#![expect(clippy::disallowed_methods, reason = "the core has no files, its documentation does")]

mod samples;

use std::fmt::Write as _;

use keyport_core::{Effect, Event, Intent, Problem, Refreshed};
use samples::{called, exchanged, fresh, intended, loaded, prepared, states, unfinished, wanted};

const BEGIN: &str = "<!-- table: printed by crates/core/tests/table.rs -->\n";
const END: &str = "<!-- table ends -->";

/// The columns: a heading and the event.
fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("keychain read", loaded(Vec::new())),
        ("sign in", wanted("2")),
        ("try again", intended(Intent::TryAgain, "2")),
        ("another way", intended(Intent::AnotherWay, "2")),
        ("continue without saving", intended(Intent::ContinueWithoutSaving, "2")),
        ("cancel", intended(Intent::Cancel, "2")),
        ("sign out", intended(Intent::SignOut, "2")),
        ("sign out of all", intended(Intent::SignOutOfAll, "2")),
        ("prepared", prepared("1")),
        ("callback, ours", called("1")),
        ("callback, foreign", called("9")),
        ("exchanged", exchanged("1")),
        ("saved", Event::Saved { ticket: 1, result: Ok(()) }),
        ("not saved", Event::Saved { ticket: 1, result: Err(Problem::KeychainLocked) }),
        ("refreshed", Event::Refreshed { ticket: 2, result: fresh() }),
        ("offline", Event::Refreshed { ticket: 2, result: Refreshed::Later(Problem::Offline) }),
        (
            "refused",
            Event::Refreshed { ticket: 2, result: Refreshed::Ended(Problem::SessionEnded) },
        ),
        ("deadline", Event::Tick),
        ("keychain changed", Event::KeychainChanged),
        ("sign-out unfinished", unfinished("ada")),
    ]
}

/// The table as Markdown: one section a state, one line an event that changes something.
fn markdown() -> String {
    let mut out = String::new();
    for state in states() {
        let _ = writeln!(
            out,
            "**{}**\n\n| event | then | effects |\n|---|---|---|",
            state.state_name()
        );
        let mut same = Vec::new();
        for (heading, event) in events() {
            let deadline = state.next_deadline().filter(|_| event == Event::Tick);
            let now = deadline.unwrap_or(samples::NOW);
            let (next, effects) = state.clone().step(event, now);
            if next == state && effects.is_empty() {
                same.push(heading);
                continue;
            }
            let effects: Vec<_> = effects.iter().map(name_of).collect();
            let _ = writeln!(out, "| {heading} | {} | {} |", next.state_name(), effects.join(", "));
        }
        // Four of them fit into a line of 100 columns.
        let same: Vec<_> = same.chunks(4).map(|names| names.join(", ")).collect();
        let _ = writeln!(out, "\nNothing changes on:\n{}.\n", same.join(",\n"));
    }
    out
}

fn name_of(effect: &Effect) -> String {
    let printed = format!("{effect:?}");
    printed.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

#[test]
fn every_state_of_the_design_is_in_the_table() {
    let names: Vec<_> = states().iter().map(|state| state.state_name()).collect();
    let design = [
        "Starting",
        "SignedOut",
        "Preparing",
        "AwaitingCallback",
        "Exchanging",
        "Saving",
        "SignedIn",
        "Refreshing",
    ];
    assert_eq!(names, design);
}

/// `KEYPORT_UPDATE=1 cargo test -p keyport-core --test table` writes it anew.
#[test]
fn the_documented_table_is_what_the_machine_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/architecture.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("the table's first mark");
    let (written, after) = rest.split_once(END).expect("the table's last mark");
    let printed = format!("\n{}", markdown());
    if std::env::var_os("KEYPORT_UPDATE").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{printed}{END}{after}")).unwrap();
    } else {
        assert_eq!(written, printed, "docs/architecture.md drifted; see this test's comment");
    }
}
