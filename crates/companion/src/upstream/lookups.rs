//! What strangers may make us ask the provider. A pushed request comes from nobody in particular, so its look-ups
//! share a small budget (the account's own limit is 6,000 a minute), and an answer is good for a minute. While the
//! budget is spent an answer of the last day does, so that a flood of made-up domains does not lock out the companies
//! that are known; what an old answer lets through is judged again on the profile.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::admission::ListedConnection;
use crate::domain::Timestamp;

/// Look-ups a second.
const BUDGET: u32 = 25;
/// Seconds that an answer is good for.
const FRESH: i64 = 60;
/// Seconds that it is kept, for want of a newer one.
const KEPT: i64 = 24 * 60 * 60;
/// Domains that are kept at most.
const REMEMBERED: usize = 1024;

#[derive(Default)]
struct Memory {
    second: i64,
    spent: u32,
    known: HashMap<String, (i64, Vec<ListedConnection>)>,
}

/// The budget and the answers of the last day.
#[derive(Default)]
pub(super) struct Lookups(Mutex<Memory>);

impl Lookups {
    /// Takes one look-up out of this second's budget; false if there is none left.
    pub(super) fn spend(&self, now: Timestamp) -> bool {
        let mut memory = self.lock();
        if memory.second != now.seconds() {
            (memory.second, memory.spent) = (now.seconds(), 0);
        }
        memory.spent = memory.spent.saturating_add(1);
        memory.spent <= BUDGET
    }

    /// The connections of a domain that somebody asked for a moment ago.
    pub(super) fn recall(&self, domain: &str, now: Timestamp) -> Option<Vec<ListedConnection>> {
        self.younger_than(FRESH, domain, now)
    }

    /// The same, for when there is no budget to ask anew.
    pub(super) fn recall_old(&self, domain: &str, now: Timestamp) -> Option<Vec<ListedConnection>> {
        self.younger_than(KEPT, domain, now)
    }

    fn younger_than(
        &self,
        age: i64,
        domain: &str,
        now: Timestamp,
    ) -> Option<Vec<ListedConnection>> {
        let memory = self.lock();
        let (since, listed) = memory.known.get(domain)?;
        is_younger(age, *since, now).then(|| listed.clone())
    }

    /// Keeps an answer. That a domain is unknown is not kept: strangers could fill the memory with such.
    pub(super) fn remember(&self, domain: &str, listed: &[ListedConnection], now: Timestamp) {
        if listed.is_empty() {
            return;
        }
        let mut memory = self.lock();
        if memory.known.len() >= REMEMBERED {
            memory.known.retain(|_, (since, _)| is_younger(FRESH, *since, now));
        }
        if memory.known.len() < REMEMBERED {
            memory.known.insert(domain.to_owned(), (now.seconds(), listed.to_vec()));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_younger(age: i64, since: i64, now: Timestamp) -> bool {
    (since..since.saturating_add(age)).contains(&now.seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_flood_spends_its_second_and_no_other() {
        let lookups = Lookups::default();
        let passed = (0..1000).filter(|_| lookups.spend(at(5))).count();
        assert_eq!(passed, 25);
        assert!(lookups.spend(at(6)));
    }

    #[test]
    fn an_answer_is_kept_for_a_minute_and_an_empty_one_is_not() {
        let lookups = Lookups::default();
        let acme = [ListedConnection { id: "conn_1".into(), organization: None, active: true }];
        lookups.remember("acme.test", &acme, at(5));
        lookups.remember("nobody.test", &[], at(5));
        assert_eq!(lookups.recall("acme.test", at(64)).as_deref(), Some(&acme[..]));
        assert_eq!(lookups.recall("acme.test", at(65)), None);
        assert_eq!(lookups.recall_old("acme.test", at(65)).as_deref(), Some(&acme[..]));
        assert_eq!(lookups.recall_old("acme.test", at(5 + 86_400)), None);
        assert_eq!(lookups.recall("acme.test", at(4)), None, "the clock went back");
        assert_eq!(lookups.recall("nobody.test", at(5)), None);
    }
}
