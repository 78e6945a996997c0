//! Histories of events, a few hundred, in any order and with repetitions.

use keyport_companion::domain::SubjectState::{Active, Deleted, Suspended};
use keyport_companion::domain::{
    PersonFacts, ProviderProfile, SubjectReport, SubjectState, UpstreamEvent,
};
use keyport_companion::storage::Fulfilment;

use super::events::{report, session, take};
use crate::world::{LAPTOP, World, at, authorization_of, identity, profile_of_ada};

/// The same sessions are alive, and the
/// same people may sign in, as after the sorted one.
pub async fn any_order_of_events_ends_in_the_same_state(world: World) {
    let mut dice = Dice(7);
    for round in 0..120_u64 {
        let mut states = Vec::new();
        let history = history(&mut dice);
        for variant in 0..2 {
            let name = format!("{round}-{variant}");
            let mut order: Vec<usize> = (0..history.len()).collect();
            if variant == 1 {
                order.extend((0..dice.below(3)).map(|_| 0));
                for place in (1..order.len()).rev() {
                    order.swap(place, usize::try_from(dice.below(place as u64 + 1)).unwrap());
                }
            }
            states.push(outcome(&world, &name, &history, &order).await);
        }
        assert_eq!(states[0], states[1], "round {round}: {history:?}");
    }
}

/// Which entry of the directory, how it stands, when.
type Step = (u64, SubjectState, i64);

fn history(dice: &mut Dice) -> Vec<Step> {
    let mut steps = Vec::new();
    for entry in 0..=dice.below(2) {
        let length = 1 + dice.below(3);
        for step in 0..length {
            let state = match dice.below(3) {
                0 => Suspended,
                1 if step + 1 == length => Deleted,
                _ => Active,
            };
            steps.push((entry, state, i64::try_from(10_000 * step + 10 * entry).unwrap() + 5000));
        }
    }
    steps.sort_by_key(|(_, _, millis)| *millis);
    steps
}

/// Whether a session of before is alive, and whether the person may sign in.
async fn outcome(world: &World, name: &str, history: &[Step], order: &[usize]) -> (bool, bool) {
    let who = || {
        identity(ProviderProfile {
            idp_id: format!("idp-{name}"),
            email: format!("{name}@acme.test"),
            ..profile_of_ada()
        })
    };
    let issued = session(world, who(), LAPTOP).await;
    for place in order {
        let (entry, state, millis) = history[*place];
        let (id, event) = (format!("du-{name}-{entry}"), format!("event-{name}-{place:02}"));
        let person = format!("idp-{name}");
        let told =
            SubjectReport { id: &id, person: Some(&person), ..report(&event, state, millis) };
        take(world, UpstreamEvent::about(&told, PersonFacts::default()).unwrap()).await;
    }
    let grant = world.started(authorization_of(LAPTOP), at(101)).await;
    let answer = world.storage.fulfil_grant(grant, who(), at(102)).await.unwrap();
    (world.is_alive(&issued, at(101)).await, answer != Fulfilment::AccessEnded)
}

/// A seeded generator (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}
