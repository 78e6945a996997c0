//! Rotation against a reference model of a dozen lines: random histories of honest clients, lost
//! answers, thieves and forgeries. One live upstream authorization, and an honest client
//! is never signed out.

use keyport_companion::domain::RefreshRefusal;
use keyport_companion::storage::Rotation;
use proptest::prelude::*;

use crate::world::{FOREIGN, LAPTOP, Sqlite, World, at, refresh_token};

/// What can happen to a family.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The device presents the newest token that it has stored, and stores the answer.
    Refresh,
    /// The same, but the answer is lost on the way.
    AnswerLost,
    /// A second window presents what it read from the keychain before the first one refreshed.
    SecondWindow,
    /// A thief with the token of some generation, without the device key.
    Thief(prop::sample::Index),
    /// A token made up from one of some generation.
    Forged(prop::sample::Index),
    /// A copy of the whole device presents the token of some generation.
    Copy(prop::sample::Index),
}

fn honest() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => Just(Event::Refresh),
        4 => Just(Event::AnswerLost),
        2 => Just(Event::SecondWindow),
        1 => any::<prop::sample::Index>().prop_map(Event::Thief),
        1 => any::<prop::sample::Index>().prop_map(Event::Forged),
    ]
}

fn hostile() -> impl Strategy<Value = Event> {
    prop_oneof![6 => honest(), 1 => any::<prop::sample::Index>().prop_map(Event::Copy)]
}

/// The reference: which generation is current, and is the family alive?
struct Model {
    current: usize,
    alive: bool,
}

impl Model {
    /// The generation of the child that a presentation gives, or none.
    fn present(&mut self, generation: usize) -> Option<usize> {
        if !self.alive || generation + 1 < self.current {
            self.alive = false;
            return None;
        }
        self.current = generation + 1;
        Some(self.current)
    }
}

/// One family under test beside its model. `tokens[g]` is the token of generation g.
struct Trial<'a> {
    world: &'a World,
    model: Model,
    tokens: Vec<String>,
    stored: usize,
    now: i64,
}

impl<'a> Trial<'a> {
    async fn begin(world: &'a World) -> Self {
        let (_, token) = world.sign_in(LAPTOP, at(0)).await;
        let model = Model { current: 0, alive: true };
        Self { world, model, tokens: vec![token], stored: 0, now: 0 }
    }

    /// Presents with the device key; engine and model must agree. True if it was accepted.
    async fn present(&mut self, generation: usize) -> bool {
        let answer = self.world.present(&self.tokens[generation], LAPTOP, at(self.now)).await;
        match (self.model.present(generation), answer) {
            (Some(child), Rotation::Rotated(issued)) => {
                let token = refresh_token(&issued);
                match self.tokens.get(child) {
                    Some(known) => assert_eq!(&token, known, "a second authorization"),
                    None => {
                        assert!(!self.tokens.contains(&token), "a token came twice");
                        self.tokens.push(token);
                    }
                }
                true
            }
            (None, Rotation::Refused(RefreshRefusal::Replayed | RefreshRefusal::Ended(_))) => false,
            (expected, answer) => panic!("the model says {expected:?}, the engine {answer:?}"),
        }
    }

    async fn happen(&mut self, event: Event) {
        self.now += 1;
        match event {
            Event::Refresh => {
                if self.present(self.stored).await {
                    self.stored += 1;
                }
            }
            Event::AnswerLost => {
                self.present(self.stored).await;
            }
            Event::SecondWindow => {
                // It re-reads the keychain under the lock, so it is one behind only while the child
                // is unused.
                let seen = self.stored.min(self.model.current.saturating_sub(1));
                self.present(seen).await;
            }
            Event::Copy(which) => {
                self.present(which.index(self.tokens.len())).await;
            }
            Event::Thief(which) => {
                let token = &self.tokens[which.index(self.tokens.len())];
                let refusal = self.world.refused_refresh(token, FOREIGN, at(self.now)).await;
                assert_eq!(refusal, RefreshRefusal::WrongDeviceKey);
            }
            Event::Forged(which) => {
                let mut token = self.tokens[which.index(self.tokens.len())].clone();
                let last = if token.pop() == Some('A') { 'Q' } else { 'A' };
                token.push(last);
                let refusal = self.world.refused_refresh(&token, LAPTOP, at(self.now)).await;
                assert_eq!(refusal, RefreshRefusal::Forged);
            }
        }
    }
}

fn check(cases: u32, events: impl Strategy<Value = Event>, honest_only: bool) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = Sqlite::fresh();
    let config = ProptestConfig { cases, failure_persistence: None, ..Default::default() };
    let histories = prop::collection::vec(events, 1..40);
    proptest!(config, |(history in histories)| {
        runtime.block_on(async {
            let mut trial = Trial::begin(&world).await;
            for event in &history {
                trial.happen(*event).await;
            }
            if honest_only {
                trial.now += 1;
                assert!(trial.present(trial.stored).await, "an honest client was signed out");
            }
        });
    });
}

#[test]
fn an_honest_client_is_never_signed_out() {
    check(48, honest(), true);
}

#[test]
fn every_history_agrees_with_the_model() {
    check(48, hostile(), false);
}
