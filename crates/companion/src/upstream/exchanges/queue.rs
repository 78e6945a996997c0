//! Who may send its code to the provider next, and who is refused when too many wait. Pure: no
//! clock, no task, no lock. Slots and budget are free for all as long as there are any; only what
//! is scarce is shared: by rank, then in turns between sites (of IPv6 a /48), then between the
//! addresses of a site. Within an address those that were refused before come first, in the order
//! of their first arrival; then the others, in turns between device keys.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;

use super::Caller;
use super::arrival::Arrival;
use super::budget::{Budget, Rate};
use super::refusals::{Rank, Refusals};
use crate::domain::Thumbprint;

/// One exchange, from its arrival to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(pub u64);

/// How many at once.
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// Exchanges sent and not answered.
    pub in_flight: usize,
    /// Of these, slots that callers whose codes were refused do not get.
    pub reserved: usize,
    /// Exchanges that wait.
    pub waiting: usize,
    /// The provider's rate.
    pub rate: Rate,
    /// Of its burst, what callers whose codes were refused do not get.
    pub kept: f64,
}

/// What became of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeResult {
    /// Nothing was sent, and the state may come again.
    NotSent,
    /// Nothing had to be sent; the state is used.
    NotNeeded,
    /// The provider knew the code.
    Accepted,
    /// The provider did not know the code.
    CodeRefused,
    /// The provider asked for a pause.
    SlowDown(Duration),
    /// No answer, or another one.
    Failed,
}

struct QueuedExchange {
    id: ExchangeId,
    caller: Caller,
    rank: Rank,
    arrival: Arrival,
    /// Counts the arrivals, for those of one second.
    number: u64,
}

/// The last turn of each site, address and device key; who has none comes first.
struct LastServed {
    count: u64,
    sites: LruCache<IpAddr, u64>,
    peers: LruCache<IpAddr, u64>,
    devices: LruCache<Thumbprint, u64>,
}

/// The order of exchanges.
pub struct Queue {
    limits: QueueLimits,
    budget: Budget,
    refusals: Refusals,
    turns: LastServed,
    waiting: Vec<QueuedExchange>,
    in_flight: HashMap<ExchangeId, Caller>,
    arrivals: u64,
}

const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

impl Queue {
    /// An empty queue.
    pub fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            budget: Budget::new(limits.rate),
            refusals: Refusals::default(),
            turns: LastServed {
                count: 0,
                sites: LruCache::new(REMEMBERED),
                peers: LruCache::new(REMEMBERED),
                devices: LruCache::new(REMEMBERED),
            },
            waiting: Vec::new(),
            in_flight: HashMap::new(),
            arrivals: 0,
        }
    }

    /// Takes an exchange in. Where that is one too many, the answer is the one to refuse: the
    /// newest of the address that has the most waiting (of the site that has the most, of the
    /// address's lowest rank, first of those that hold no place, of its busiest device key). The
    /// refused one keeps its place, so it is an older one next time.
    pub fn arrive(
        &mut self,
        id: ExchangeId,
        caller: Caller,
        arrival: Arrival,
        now: Duration,
    ) -> Option<ExchangeId> {
        let rank = self.refusals.rank(&caller, now);
        self.arrivals += 1;
        self.waiting.push(QueuedExchange { id, caller, rank, arrival, number: self.arrivals });
        if self.waiting.len() <= self.limits.waiting {
            return None;
        }
        let refused = self.one_too_many()?;
        self.leave(refused);
        Some(refused)
    }

    /// The same exchange under another id, at its place: the browser has asked again.
    pub fn replace(&mut self, old: ExchangeId, new: ExchangeId) {
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.id == old) {
            waiting.id = new;
        }
    }

    /// The caller has gone.
    pub fn leave(&mut self, id: ExchangeId) {
        self.waiting.retain(|waiting| waiting.id != id);
    }

    /// The next exchange that may be sent now; it counts as in flight from here on.
    pub fn begin_next(&mut self, now: Duration) -> Option<ExchangeId> {
        if self.waiting.is_empty() || !self.is_free(Rank::Clean, now) {
            return None;
        }
        let place = self.first()?;
        let (id, caller, rank) = {
            let waiting = &self.waiting[place];
            (waiting.id, waiting.caller, waiting.rank)
        };
        if !self.is_free(rank, now) {
            return None;
        }
        self.waiting.remove(place);
        self.budget.take();
        self.turns.note(&caller);
        self.in_flight.insert(id, caller);
        Some(id)
    }

    /// An exchange has ended.
    pub fn end(&mut self, id: ExchangeId, ended: ExchangeResult, now: Duration) {
        let Some(caller) = self.in_flight.remove(&id) else { return };
        match ended {
            ExchangeResult::NotSent | ExchangeResult::NotNeeded => self.budget.give_back(),
            ExchangeResult::Accepted => self.refusals.forget(&caller),
            ExchangeResult::CodeRefused => {
                self.refusals.note(&caller, now);
                for waiting in &mut self.waiting {
                    waiting.rank = self.refusals.rank(&waiting.caller, now);
                }
            }
            ExchangeResult::SlowDown(pause) => self.budget.slow_down(pause, now),
            ExchangeResult::Failed => {}
        }
    }

    /// When [`Queue::begin_next`] is worth asking again, if time alone is wanted.
    pub fn wake_at(&self) -> Option<Duration> {
        let rank = self.waiting.iter().map(|waiting| waiting.rank).min()?;
        (self.in_flight.len() < self.slots(rank)).then(|| self.budget.ready_at(self.kept(rank)))
    }

    /// Exchanges that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Nothing can be sent before this instant.
    pub fn paused_until(&self) -> Duration {
        self.budget.ready_at(0.0)
    }

    fn slots(&self, rank: Rank) -> usize {
        let reserved = if rank == Rank::Refused { self.limits.reserved } else { 0 };
        self.limits.in_flight.saturating_sub(reserved)
    }

    fn kept(&self, rank: Rank) -> f64 {
        if rank == Rank::Refused { self.limits.kept } else { 0.0 }
    }

    fn is_free(&mut self, rank: Rank, now: Duration) -> bool {
        self.in_flight.len() < self.slots(rank) && self.budget.has_more_than(self.kept(rank), now)
    }

    fn first(&self) -> Option<usize> {
        let key = |waiting: &QueuedExchange| {
            let (site, peer, device) = self.turns.of(&waiting.caller);
            let Arrival { first, holds_place } = waiting.arrival;
            let device = if holds_place { 0 } else { device };
            (waiting.rank, site, peer, !holds_place, device, first, waiting.number)
        };
        let places = self.waiting.iter().enumerate();
        places.min_by_key(|(_, waiting)| key(waiting)).map(|(place, _)| place)
    }

    fn one_too_many(&self) -> Option<ExchangeId> {
        let mut of_site: HashMap<IpAddr, usize> = HashMap::new();
        let mut of_peer: HashMap<IpAddr, usize> = HashMap::new();
        let mut of_device: HashMap<(IpAddr, Thumbprint), usize> = HashMap::new();
        for QueuedExchange { caller, .. } in &self.waiting {
            *of_site.entry(caller.site()).or_default() += 1;
            *of_peer.entry(caller.peer).or_default() += 1;
            *of_device.entry((caller.peer, caller.device)).or_default() += 1;
        }
        let load = |waiting: &&QueuedExchange| {
            let Caller { peer, device, .. } = waiting.caller;
            let Arrival { first, holds_place } = waiting.arrival;
            let of_site = of_site[&waiting.caller.site()];
            let of_device = if holds_place { 0 } else { of_device[&(peer, device)] };
            let newest = (first, waiting.number);
            (of_site, of_peer[&peer], waiting.rank, !holds_place, of_device, newest)
        };
        self.waiting.iter().max_by_key(load).map(|waiting| waiting.id)
    }
}

impl LastServed {
    fn note(&mut self, caller: &Caller) {
        self.count += 1;
        self.sites.put(caller.site(), self.count);
        self.peers.put(caller.peer, self.count);
        self.devices.put(caller.device, self.count);
    }

    fn of(&self, caller: &Caller) -> (u64, u64, u64) {
        let last = |turn: Option<&u64>| turn.copied().unwrap_or_default();
        (
            last(self.sites.peek(&caller.site())),
            last(self.peers.peek(&caller.peer)),
            last(self.devices.peek(&caller.device)),
        )
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "flood_tests.rs"]
mod flood_tests;
