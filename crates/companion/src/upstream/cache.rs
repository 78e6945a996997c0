//! Answers of the provider to one kind of question: known ones are kept for minutes, questions of
//! the same key that are under way are one, and what is asked anew has a budget. The keys come from
//! unauthenticated callers, so all of it is bounded, and the keys that the provider does not know
//! are kept apart: made-up ones never push out known ones.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use lru::LruCache;

use super::UpstreamError;
use crate::domain::{PeerAddress, Timestamp, site};

/// Questions a second, for each kind. The account's own limit is 6,000 a minute.
const BUDGET: u32 = 25;
/// Of these, what the callers of one site may spend: a quarter, so that made-up keys from one place
/// leave the rest to the others.
const BUDGET_OF_SITE: u32 = BUDGET / 4;
/// Callers that may wait for answers at once: each holds its request in memory.
const WAITING: usize = 512;
/// Of these, those of one site.
const WAITING_OF_SITE: usize = WAITING / 2;
/// Seconds that an answer is good for.
const FRESH: i64 = 300;
/// Seconds that it is kept for when no newer one can be had.
const KEPT: i64 = 24 * 60 * 60;
/// Seconds that an unknown key stays unknown without being asked for again.
const UNKNOWN: i64 = 30;
/// Known keys, and unknown ones, that are kept at most.
const REMEMBERED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

/// An answer; `None` when the provider knows no such thing.
pub(super) type LookupAnswer<T> = Result<Option<T>, UpstreamError>;

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
pub struct LookupCaller {
    site: IpAddr,
    now: Timestamp,
}

impl LookupCaller {
    /// A caller from this address.
    pub fn new(peer: PeerAddress, now: Timestamp) -> Self {
        Self { site: site(peer.0), now }
    }

    /// When.
    pub(super) const fn now(self) -> Timestamp {
        self.now
    }
}

type SharedLookup<T> = Shared<BoxFuture<'static, LookupAnswer<T>>>;

/// One kind of question.
pub(super) struct LookupCache<T> {
    kind: &'static str,
    memory: Arc<Mutex<CacheState<T>>>,
}

struct CacheState<T> {
    second: i64,
    spent: u32,
    /// Of `spent`, by site; emptied each second, so it holds `BUDGET` sites at most.
    spent_by_site: HashMap<IpAddr, u32>,
    known: LruCache<String, (i64, T)>,
    unknown: LruCache<String, i64>,
    under_way: HashMap<String, SharedLookup<T>>,
    /// Callers that wait for an answer.
    waiting: usize,
    /// Of these, by site.
    waiting_of_site: HashMap<IpAddr, usize>,
}

/// A caller that waits, until it is dropped.
struct Waiter<T> {
    memory: Arc<Mutex<CacheState<T>>>,
    site: IpAddr,
}

impl<T: Clone + Send + Sync + 'static> LookupCache<T> {
    /// An empty one; `kind` is what the log calls the question.
    pub(super) fn new(kind: &'static str) -> Self {
        let memory = CacheState {
            second: 0,
            spent: 0,
            spent_by_site: HashMap::new(),
            known: LruCache::new(REMEMBERED),
            unknown: LruCache::new(REMEMBERED),
            under_way: HashMap::new(),
            waiting: 0,
            waiting_of_site: HashMap::new(),
        };
        Self { kind, memory: Arc::new(Mutex::new(memory)) }
    }

    /// The answer for `key`: from memory, from a question under way, or from `ask`. The question
    /// goes on when its callers have left, so that its answer is there for the next one; its own
    /// timeout bounds it. When there is no budget, or the provider fails, an old answer does.
    ///
    /// # Errors
    /// There is no answer, old or new; or no budget to ask.
    pub(super) async fn find<F>(
        &self,
        key: &str,
        caller: LookupCaller,
        ask: impl FnOnce() -> F,
    ) -> LookupAnswer<T>
    where
        F: Future<Output = LookupAnswer<T>> + Send + 'static,
    {
        let now = caller.now;
        let recalled = self.lock().recall(key, now);
        if let Some(found) = recalled {
            return Ok(found);
        }
        let answer = match self.wait(caller.site) {
            Ok(_waiter) => match self.join_or_ask(key, caller, ask) {
                Ok(asked) => asked.await,
                Err(spent) => Err(spent),
            },
            Err(too_many) => Err(too_many),
        };
        match answer {
            Err(error) => self.lock().known(key, now, KEPT).map(Some).ok_or(error),
            answer => answer,
        }
    }

    /// Keeps an answer that came with another one.
    pub(super) fn keep(&self, key: &str, value: T, now: Timestamp) {
        self.lock().settle(key, &Ok(Some(value)), now);
    }

    fn wait(&self, site: IpAddr) -> Result<Waiter<T>, UpstreamError> {
        let mut memory = self.lock();
        let of_site = memory.waiting_of_site.get(&site).copied().unwrap_or_default();
        if memory.waiting >= WAITING || of_site >= WAITING_OF_SITE {
            return Err(UpstreamError::TooMany { retry_after: 1 });
        }
        memory.waiting += 1;
        memory.waiting_of_site.insert(site, of_site + 1);
        Ok(Waiter { memory: Arc::clone(&self.memory), site })
    }

    fn join_or_ask<F>(
        &self,
        key: &str,
        caller: LookupCaller,
        ask: impl FnOnce() -> F,
    ) -> Result<SharedLookup<T>, UpstreamError>
    where
        F: Future<Output = LookupAnswer<T>> + Send + 'static,
    {
        let (now, mut memory) = (caller.now, self.lock());
        if let Some(asked) = memory.under_way.get(key) {
            return Ok(asked.clone());
        }
        if !memory.spend(caller) {
            tracing::warn!(kind = self.kind, "more look-ups than the provider should see");
            return Err(UpstreamError::TooMany { retry_after: 1 });
        }
        let (asking, ours, owned) = (ask(), Arc::clone(&self.memory), key.to_owned());
        let task = tokio::spawn(async move {
            let answer = asking.await;
            let mut memory = locked(&ours);
            memory.settle(&owned, &answer, now);
            memory.under_way.remove(&owned);
            answer
        });
        let asked = async move { task.await.unwrap_or(Err(UpstreamError::Nonsense)) };
        let asked = asked.boxed().shared();
        memory.under_way.insert(key.to_owned(), asked.clone());
        Ok(asked)
    }

    fn lock(&self) -> MutexGuard<'_, CacheState<T>> {
        locked(&self.memory)
    }
}

impl<T> Drop for Waiter<T> {
    fn drop(&mut self) {
        let mut memory = locked(&self.memory);
        memory.waiting -= 1;
        if let Some(of_site) = memory.waiting_of_site.get_mut(&self.site) {
            *of_site -= 1;
            if *of_site == 0 {
                memory.waiting_of_site.remove(&self.site);
            }
        }
    }
}

fn locked<T>(memory: &Mutex<CacheState<T>>) -> MutexGuard<'_, CacheState<T>> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Clone> CacheState<T> {
    /// What is known well enough: `Some(None)` is a key that the provider does not know.
    fn recall(&mut self, key: &str, now: Timestamp) -> Option<Option<T>> {
        if let Some(value) = self.known(key, now, FRESH) {
            return Some(Some(value));
        }
        let since = *self.unknown.get(key)?;
        is_younger(UNKNOWN, since, now).then_some(None)
    }

    fn known(&mut self, key: &str, now: Timestamp, age: i64) -> Option<T> {
        let (since, value) = self.known.get(key)?;
        is_younger(age, *since, now).then(|| value.clone())
    }

    fn settle(&mut self, key: &str, answer: &LookupAnswer<T>, now: Timestamp) {
        match answer {
            Ok(Some(value)) => {
                self.unknown.pop(key);
                self.known.put(key.to_owned(), (now.seconds(), value.clone()));
            }
            Ok(None) => {
                self.known.pop(key);
                self.unknown.put(key.to_owned(), now.seconds());
            }
            Err(_) => {}
        }
    }

    /// Takes one question out of this second's budget; false if there is none left, or none for
    /// this site.
    fn spend(&mut self, LookupCaller { site, now }: LookupCaller) -> bool {
        if self.second != now.seconds() {
            (self.second, self.spent) = (now.seconds(), 0);
            self.spent_by_site.clear();
        }
        let spent_by_site = self.spent_by_site.get(&site).copied().unwrap_or_default();
        if self.spent >= BUDGET || spent_by_site >= BUDGET_OF_SITE {
            return false;
        }
        self.spent += 1;
        self.spent_by_site.insert(site, spent_by_site + 1);
        true
    }
}

fn is_younger(age: i64, since: i64, now: Timestamp) -> bool {
    (since..since.saturating_add(age)).contains(&now.seconds())
}

#[cfg(test)]
mod tests;
