//! The open connections, and which one is closed for another when slots or buffers are scarce (see
//! [`pool`]). NOT here: sockets, deadlines.

mod pool;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use self::pool::{Member, Pool};
use crate::domain::{PeerAddress, site};

/// The connections of a listener.
#[derive(Clone)]
pub(super) struct Connections(Arc<Mutex<Table>>);

struct Table {
    limit: usize,
    /// Numbers connections and the beginnings of their phases.
    next: u64,
    open: HashMap<u64, Entry>,
    /// Slots of each site, also of those that the service works for.
    slots: HashMap<IpAddr, usize>,
    /// The connections that the service does not work for.
    waiting: Pool,
    /// Of these, those with an unfinished request.
    receiving: Pool,
}

struct Entry {
    member: Member,
    task: Option<AbortHandle>,
}

/// What became of a connection so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Nothing was received: it has no buffers.
    Silent,
    /// The first request has begun and is not complete: its buffers are filling.
    Receiving,
    /// A request was answered; the answer may not have been read.
    Answered,
    /// The service works on a request.
    Working,
}

/// So many connections may hold the buffers of an unfinished first request, and no more than these
/// may be open when one is kept for a further request after an answer: this bounds memory. Fewer
/// where there are few slots.
const BUFFERED: usize = 512;
/// A site with more than one in so many slots can be busy: 16 of 8,192.
const FEW_PART: usize = 512;

impl Connections {
    pub(super) fn new(limit: usize) -> Self {
        let few = (limit / FEW_PART).max(1);
        let table = Table {
            limit,
            next: 0,
            open: HashMap::new(),
            slots: HashMap::new(),
            waiting: Pool::new(few),
            receiving: Pool::new(few),
        };
        Self(Arc::new(Mutex::new(table)))
    }

    /// A slot for a new connection of this peer; another connection is closed for it if need be.
    /// `None` if all slots work on requests and closing one of them would not make it fairer.
    pub(super) fn take(&self, peer: PeerAddress) -> Option<Slot> {
        let mut table = self.table();
        while table.open.len() >= table.limit {
            if !table.close_one_that_waits() && !table.close_one_that_works(site(peer.0)) {
                return None;
            }
        }
        let id = table.add(site(peer.0));
        Some(Slot(Arc::new(Held { connections: self.clone(), id })))
    }

    /// Closes the connection that loses first, if one waits: the system has no files left.
    pub(super) fn close_one(&self) -> bool {
        self.table().close_one_that_waits()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn buffered_limit(&self) -> usize {
        BUFFERED.min(self.limit / 4).max(1)
    }

    fn add(&mut self, site: IpAddr) -> u64 {
        let id = self.number();
        let member = Member { id, site, phase: Phase::Silent, since: id };
        self.insert(Entry { member, task: None });
        id
    }

    fn insert(&mut self, entry: Entry) {
        let member = entry.member;
        *self.slots.entry(member.site).or_default() += 1;
        self.enter_pools(member);
        self.open.insert(member.id, entry);
    }

    fn enter_pools(&mut self, member: Member) {
        if member.phase != Phase::Working {
            self.waiting.insert(member);
        }
        if member.phase == Phase::Receiving {
            self.receiving.insert(member);
        }
    }

    fn leave_pools(&mut self, member: Member) {
        self.waiting.remove(member);
        self.receiving.remove(member);
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.open.remove(&id)?;
        self.leave_pools(entry.member);
        let site = entry.member.site;
        if let Some(slots) = self.slots.get_mut(&site) {
            *slots -= 1;
            if *slots == 0 {
                self.slots.remove(&site);
            }
        }
        Some(entry)
    }

    fn close(&mut self, id: u64) {
        if let Some(Entry { task: Some(task), .. }) = self.remove(id) {
            task.abort();
        }
    }

    fn close_one_that_waits(&mut self) -> bool {
        self.waiting.loser().inspect(|id| self.close(*id)).is_some()
    }

    /// Only for a site that has fewer slots even with the new one: otherwise each connection of an
    /// overloaded service would be closed by the next one, and none would be answered.
    fn close_one_that_works(&mut self, newcomer: IpAddr) -> bool {
        let own = self.slots.get(&newcomer).copied().unwrap_or_default();
        let busiest = self.slots.iter().max_by_key(|(_, slots)| **slots);
        let Some((site, _)) = busiest.filter(|(_, slots)| **slots > own + 1) else {
            return false;
        };
        let of_site = self.open.values().filter(|entry| entry.member.site == *site);
        let oldest = of_site.map(|entry| entry.member.id).min();
        oldest.inspect(|id| self.close(*id)).is_some()
    }

    /// Closes connections with unfinished requests until only as many are left as may be.
    fn bound_buffers(&mut self) {
        while self.receiving.len() > self.buffered_limit() {
            let Some(id) = self.receiving.loser() else { return };
            self.close(id);
        }
    }

    fn set_phase(&mut self, id: u64, phase: Phase) {
        let since = self.number();
        let Some(Entry { member, .. }) = self.open.get_mut(&id) else { return };
        let before = std::mem::replace(member, Member { phase, since, ..*member });
        let now = *member;
        self.leave_pools(before);
        self.enter_pools(now);
    }

    fn move_to(&mut self, id: u64, site: IpAddr) {
        if self.open.get(&id).is_none_or(|entry| entry.member.site == site) {
            return;
        }
        if let Some(Entry { member, task }) = self.remove(id) {
            self.insert(Entry { member: Member { site, ..member }, task });
        }
    }
}

/// The slot of one connection; free again when the last clone is dropped.
#[derive(Clone)]
pub struct Slot(Arc<Held>);

struct Held {
    connections: Connections,
    id: u64,
}

impl Slot {
    /// Names the task to abort when the connection has to be closed.
    pub(super) fn belongs_to(&self, task: AbortHandle) {
        if let Some(entry) = self.0.connections.table().open.get_mut(&self.0.id) {
            entry.task = Some(task);
        } else {
            task.abort();
        }
    }

    /// The first request has begun; others with unfinished ones are closed for it if need be.
    pub(super) fn receives(&self) {
        let mut table = self.0.connections.table();
        table.set_phase(self.0.id, Phase::Receiving);
        table.bound_buffers();
    }

    /// The request has been read completely: from now on the service works on it.
    pub(super) fn works(&self) {
        self.0.connections.table().set_phase(self.0.id, Phase::Working);
    }

    /// The answer is there to be read. Whether the connection may be kept for a further request:
    /// when slots are scarce it could be closed just as that one comes.
    pub(super) fn answered(&self) -> bool {
        let mut table = self.0.connections.table();
        table.set_phase(self.0.id, Phase::Answered);
        table.open.len() <= table.buffered_limit()
    }

    /// The latest request came from this peer.
    pub(super) fn move_to(&self, peer: PeerAddress) {
        self.0.connections.table().move_to(self.0.id, site(peer.0));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connections.table().remove(self.id);
    }
}

#[cfg(test)]
mod tests;
