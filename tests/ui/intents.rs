//! The intents that the page's files name, held against the type that the shell reads them with.

use std::collections::BTreeSet;
use std::path::Path;

use keyport_client::Intent;
use keyport_core::problem::NextStep;
use keyport_core::{CallbackReceiver, Screen, View};

use crate::wishes::{Details, Wanted, Wish, Wishes};

/// What stands before and after the name of an intent: attributes, offers, the table of keys.
const PLACES: [(&str, &str, &str); 4] = [
    ("data-intent=\"", "", "\""),
    ("data-intent-of-form=\"", "", "\""),
    ("['", "", "', words"),
    (": '", "zoom-", "'"),
];

fn named_in(text: &str) -> Vec<String> {
    let mut named = Vec::new();
    for (before, beginning, after) in PLACES {
        for rest in text.split(&format!("{before}{beginning}")).skip(1) {
            let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '-'));
            let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
            if rest.starts_with(after) {
                named.push(format!("{beginning}{name}"));
            }
        }
    }
    named
}

/// The variants of the type, as it lists them itself when it meets another one.
fn known() -> BTreeSet<String> {
    let error = serde_json::from_str::<Wish>("\"\"").unwrap_err().to_string();
    let (_, listed) = error.split_once("expected one of ").unwrap();
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_page_names_every_intent_that_the_shell_knows_and_no_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui");
    let mut named = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        named.extend(named_in(&text));
    }
    assert_eq!(named, known());
}

/// A problem that another way may help with.
fn blocked() -> View {
    let next = NextStep::AnotherWay;
    View {
        screen: Screen::Problem { code: "receiver_blocked", next, attempt: None, signed_in: false },
    }
}

fn waiting(receiver: CallbackReceiver) -> View {
    let screen = Screen::Waiting {
        seconds_left: 1,
        can_open_again: true,
        browser_failed: false,
        returning: false,
        receiver,
    };
    View { screen }
}

/// The way back of the sign-in that this wish begins.
fn begun(wishes: &mut Wishes, wish: Wish, view: &View) -> Option<CallbackReceiver> {
    match wishes.read(wish, Details::default(), view) {
        Wanted::OfClient(Intent::SignIn { receivers, .. }) => receivers.first().copied(),
        Wanted::Nothing => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_way_is_one_that_was_not_tried_yet() {
    for (usual, other) in [
        (CallbackReceiver::Link, CallbackReceiver::Loopback),
        (CallbackReceiver::Loopback, CallbackReceiver::Link),
    ] {
        let mut wishes = Wishes::new(usual);
        assert_eq!(begun(&mut wishes, Wish::SignIn, &blocked()), Some(usual));
        assert_eq!(begun(&mut wishes, Wish::AnotherWay, &waiting(usual)), Some(other));
        assert_eq!(wishes.another_way(&blocked()), None, "all were tried");
        assert_eq!(begun(&mut wishes, Wish::AnotherWay, &blocked()), None);
        assert_eq!(begun(&mut wishes, Wish::TryAgain, &blocked()), Some(other));
        assert_eq!(begun(&mut wishes, Wish::SignIn, &blocked()), Some(usual), "a new sign-in");
        assert_eq!(wishes.another_way(&waiting(usual)), Some(other));
    }
    // An attempt of an earlier process: its way is known from the screen alone.
    let mut wishes = Wishes::new(CallbackReceiver::Link);
    assert_eq!(
        begun(&mut wishes, Wish::AnotherWay, &waiting(CallbackReceiver::Link)),
        Some(CallbackReceiver::Loopback)
    );
    assert_eq!(wishes.another_way(&blocked()), None);
}
