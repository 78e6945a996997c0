//! Every history of four events from every state, random long histories beside a small model, and
//! what they print.

mod samples;
mod support;

use keyport_core::{
    AuthorizationResponse, CallbackReceiver, Effect, Event, Intent, Machine, Moment, View,
};
use proptest::prelude::*;

use support::model::Model;
use support::requests::{Requests, check_offers};
use support::{CANARIES, alphabet, moments, starts};

const DEPTH: usize = 4;

/// What holds after every single step, whatever came before.
fn check(before: &Machine, event: &Event, now: Moment, after: &Machine, effects: &[Effect]) {
    if let Event::CallbackReceived(callback) = event {
        let ours = before.expects(callback);
        let exchanged = effects.iter().any(|e| matches!(e, Effect::ExchangeCode { .. }));
        let has_code = matches!(callback.response, AuthorizationResponse::Code(_));
        assert_eq!(
            exchanged,
            ours && has_code,
            "a code is exchanged for a live receiver's callback and no other"
        );
        if !ours && !before.holds_callbacks() {
            assert_eq!((before, 0), (after, effects.len()), "a foreign callback changes nothing");
        }
    } else if !matches!(event, Event::Loaded { .. }) {
        assert!(!effects.iter().any(|e| matches!(e, Effect::ExchangeCode { .. })));
    }
    if let Event::Intended { intent, .. } = event {
        check_offers(&View::of(before, now), intent, effects);
    }
    if *event == Event::Tick && before.next_deadline().is_none_or(|due| due > now) {
        assert_eq!((before, 0), (after, effects.len()), "before its deadline nothing changes");
    }
    let waits = !matches!(after.state_name(), "SignedOut");
    assert_eq!(after.next_deadline().is_some(), waits, "every waiting state has a deadline");
    let opened = effects.iter().filter(|e| matches!(e, Effect::OpenBrowser { .. })).count();
    assert!(opened <= 1, "one click opens one browser");
    if opened == 1 {
        assert_eq!(
            after.state_name(),
            "AwaitingCallback",
            "a browser opens only when a receiver waits"
        );
    }
    let gained = before.signed_in().is_none() && after.signed_in().is_some();
    if gained {
        let source = matches!(event, Event::Saved { result: Ok(()), .. } | Event::Loaded { .. });
        let held = effects.iter().any(|e| matches!(e, Effect::Hold { .. }));
        assert!(source || held, "no account is there before the session is kept: {event:?}");
    }
    let lost = before.signed_in().is_some() && after.signed_in().is_none();
    if lost {
        let ends = matches!(
            event,
            // *Try again* only after a sign-out that was refused: `check_offers`.
            Event::Intended {
                intent: Intent::SignOut | Intent::SignOutOfAll | Intent::TryAgain,
                ..
            } | Event::Refreshed { .. }
                | Event::Loaded { result: Ok(_), .. }
        );
        assert!(
            ends,
            "only the person, another process of theirs or a terminal answer ends a session: \
             {event:?} at {now:?}"
        );
    }
}

fn walk(machine: &Machine, alphabet: &[Event], times: &[Moment], from: usize, depth: usize) -> u64 {
    if depth == 0 {
        return 0;
    }
    let mut steps = 0;
    for event in alphabet {
        for (at, now) in times.iter().enumerate().skip(from) {
            let (after, effects) = machine.clone().step(event.clone(), *now);
            check(machine, event, *now, &after, &effects);
            steps += 1;
            // A step that changed nothing leads to histories that are walked anyway, one event
            // shorter.
            if after != *machine {
                steps += walk(&after, alphabet, times, at, depth - 1);
            }
        }
    }
    steps
}

#[test]
fn every_history_of_four_events_keeps_the_rules() {
    let (alphabet, times) = (alphabet(), moments());
    let walked: u64 = starts().iter().map(|state| walk(state, &alphabet, &times, 0, DEPTH)).sum();
    println!("{walked} steps from {} states, {} events", starts().len(), alphabet.len());
    assert!(walked > 100_000, "the walk must be a walk: {walked}");
}

#[test]
fn whatever_happens_every_wait_ends() {
    for state in starts() {
        for event in alphabet() {
            let (mut machine, _) = state.clone().step(event, Moment(2_000));
            for _ in 0..200 {
                let Some(deadline) = machine.next_deadline() else {
                    break;
                };
                machine = machine.step(Event::Tick, deadline).0;
            }
            let name = machine.state_name();
            assert!(matches!(name, "SignedOut" | "SignedIn" | "Refreshing"), "stuck in {name}");
        }
    }
}

#[test]
fn no_state_event_or_effect_prints_a_secret() {
    for state in starts() {
        for event in alphabet() {
            for now in moments() {
                let printed =
                    format!("{event:?} {state:?} {:?}", state.clone().step(event.clone(), now));
                for canary in CANARIES {
                    assert!(!printed.contains(canary), "{canary} in {printed}");
                }
            }
        }
    }
}

#[test]
fn the_canaries_are_really_planted() {
    let Event::CallbackReceived(callback) = samples::called("1") else { unreachable!() };
    assert!(CANARIES.iter().any(|canary| callback.state.expose().starts_with(canary)));
    assert_eq!(callback.receiver, CallbackReceiver::Link);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_histories_agree_with_the_model(
        history in prop::collection::vec((0..alphabet().len(), 0_u64..90_000), 1..60),
    ) {
        let alphabet = alphabet();
        let (mut machine, _) = Machine::start(samples::receivers(), Moment(0));
        let (mut model, mut requests) = (Model::default(), Requests::default());
        let mut now = Moment(0);
        for (event, pause) in history {
            now = Moment(now.0 + pause);
            let event = alphabet[event].clone();
            let (after, effects) = machine.clone().step(event.clone(), now);
            check(&machine, &event, now, &after, &effects);
            let shown = View::of(&machine, now);
            model.observe(&event, &effects, now).map_err(TestCaseError::fail)?;
            requests.observe(&event, &effects, &shown).map_err(TestCaseError::fail)?;
            prop_assert_eq!(model.is_signed_in(), after.signed_in().is_some(), "after {:?}", event);
            machine = after;
        }
    }
}
