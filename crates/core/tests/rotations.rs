//! Every history of rotations to a depth, against a small world: one account, two tasks of this
//! process, another process, one keychain and a companion that rotates as `docs/protocol.md` says.

#![expect(clippy::unwrap_used, reason = "a test world fails by panicking")]

mod rotation_world;
mod samples;

use std::collections::HashMap;

use keyport_core::rotation::{
    LockScope, REFRESH_MARGIN, RotationEffect, RotationEvent, RotationGoal, Rotations, refresh_at,
};
use keyport_core::{Moment, Problem};

use rotation_world::{Move, World};

/// Moves of one history.
const DEPTH: usize = 13;

/// Walks every history of at most `depth` further moves. A world that was left with as many moves
/// before has nothing new.
fn walk(world: &World, depth: usize, seen: &mut HashMap<String, usize>, worlds: &mut usize) {
    if depth == 0 || seen.get(&world.key()).is_some_and(|left| *left >= depth) {
        return;
    }
    seen.insert(world.key(), depth);
    *worlds += 1;
    for next in world.moves() {
        let mut world = world.clone();
        world.take(next);
        world.check();
        walk(&world, depth - 1, seen, worlds);
    }
}

#[test]
fn no_history_of_rotations_loses_a_session_or_reuses_a_token() {
    let (mut seen, mut worlds) = (HashMap::new(), 0);
    for start in World::starts() {
        walk(&start, DEPTH, &mut seen, &mut worlds);
    }
    assert!(worlds > 10_000, "the walk must go somewhere: {worlds}");
}

#[test]
fn the_walk_reaches_every_way_to_end_and_every_effect() {
    let mut reached = std::collections::BTreeSet::new();
    for start in World::starts() {
        let mut seen = HashMap::new();
        let mut worlds = vec![(start, 0)];
        while let Some((world, depth)) = worlds.pop() {
            if depth > 9 || seen.insert(world.key(), ()).is_some() {
                continue;
            }
            reached.extend(world.reached.iter().cloned());
            for next in world.moves() {
                let mut world = world.clone();
                world.take(next);
                worlds.push((world, depth + 1));
            }
        }
    }
    for expected in [
        "Pause",
        "TakeLock",
        "ReleaseLock",
        "ReadSession",
        "Refresh",
        "SaveChild",
        "KeepAccess",
        "RemoveItem",
        "ForgetKey",
        "ForgetLostTokens",
        "Revoke",
        "Done",
        "ended",
        "fresh",
        "later",
    ] {
        assert!(reached.contains(expected), "{expected} is never reached: {reached:?}");
    }
}

#[test]
fn events_that_do_not_belong_change_nothing() {
    let world = World::starts().remove(0);
    let machine = world.machine.clone();
    for id in [0, 7] {
        for event in [
            RotationEvent::PauseEnded { id },
            RotationEvent::LockTaken { id, result: Err(Problem::KeychainBusy) },
            RotationEvent::SessionRead { id, result: Ok(None) },
            RotationEvent::ChildSaved { id, saved: true },
            RotationEvent::ItemRemoved { id, removed: true },
            RotationEvent::Abandoned { id },
        ] {
            let (after, effects) = machine.clone().step(event, Moment(0));
            assert_eq!((after, effects), (machine.clone(), Vec::new()));
        }
    }
}

#[test]
fn a_session_in_memory_takes_the_lock_of_this_process_alone() {
    let mut world = World::starts().remove(0);
    world.take(Move::SignInInMemory);
    let goal = RotationGoal::Rotation { known: None };
    let event = RotationEvent::Wanted { account: world.account(), goal };
    let (_, effects) = world.machine.step(event, Moment(0));
    let scopes = effects.iter().filter_map(|effect| match effect {
        RotationEffect::TakeLock { scope, .. } => Some(*scope),
        _ => None,
    });
    assert_eq!(scopes.collect::<Vec<_>>(), [LockScope::Process]);
}

#[test]
fn an_access_token_is_used_until_the_margin_before_its_deadline() {
    let account = World::starts().remove(0).account();
    let access = rotation_world::access(Moment(100_000));
    let event = RotationEvent::AccessLearned { account: account.clone(), access };
    let (machine, _) = Rotations::of("https://a.test".into()).step(event, Moment(0));
    let due = refresh_at(Moment(100_000));
    assert_eq!(due.after(REFRESH_MARGIN), Moment(100_000));
    assert!(machine.usable_access(&account, Moment(due.0 - 1)).is_some());
    assert!(machine.usable_access(&account, due).is_none());
}
