//! What holds in every history, checked at each effect and after each move.

use std::collections::BTreeSet;

use keyport_core::Problem;
use keyport_core::rotation::{RotationEffect, RotationResult};

use super::{Token, World, token};

impl World {
    /// A child is never presented before it is saved or its parent is gone, and one refresh of the
    /// account is in flight at a time.
    pub(super) fn check_presented(&self, id: u64, presented: Token) {
        let refreshing = self.pending.values();
        let refreshing =
            refreshing.filter(|effect| matches!(effect, RotationEffect::Refresh { .. })).count();
        assert_eq!(refreshing, 0, "another refresh is in flight");
        assert!(self.locks.contains_key(&id), "a token is presented under a lock");
        let held = self.machine.held(&self.account()).map(|held| token(&held.refresh));
        assert!(
            self.item == Some(presented) || held == Some(presented),
            "{presented:?} is neither saved ({:?}) nor held ({held:?})",
            self.item
        );
        if let Some((family, generation)) = self.item.filter(|_| self.keychain_answers) {
            assert!(
                family != presented.0 || generation == presented.1,
                "the parent of {presented:?} is still in the keychain"
            );
        }
    }

    pub(super) fn check_end(&mut self, id: u64, result: &RotationResult) {
        let kind = match result {
            Ok(_) => "fresh",
            Err(why) if why.ends_session() => "ended",
            Err(_) => "later",
        };
        self.reached.insert(kind.to_owned());
        let was_refused = self.refused.remove(&id);
        assert!(
            *result != Err(Problem::AccessEnded) || was_refused,
            "the companion alone says why"
        );
        if kind == "ended" {
            let held = self.machine.held(&self.account()).is_some();
            assert!(!held, "a session that is held in memory does not end");
            let alive = self.item.is_some_and(|item| self.families[item.0 as usize].is_alive);
            assert!(!alive, "a session that the keychain holds alive does not end");
            assert!(was_refused || self.item.is_none(), "nothing said that it is over");
        }
    }

    /// A session that the companion keeps alive can be continued from something that is held:
    /// otherwise it was to be revoked.
    pub fn check(&self) {
        let in_flight = self.pending.values().filter_map(|effect| match effect {
            RotationEffect::Refresh { session, .. } => Some(token(&session.refresh)),
            RotationEffect::SaveChild { child, .. } => Some(token(&child.refresh)),
            _ => None,
        });
        let holders: BTreeSet<u32> =
            self.known().into_iter().chain(self.item).chain(in_flight).map(|held| held.0).collect();
        for (family, known) in self.families.iter().enumerate() {
            let is_held = holders.contains(&u32::try_from(family).unwrap());
            assert!(!known.is_alive || is_held, "family {family} lives on and nothing holds it");
        }
    }
}
