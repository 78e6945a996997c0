//! The open connections, and which one is closed for another when slots or buffers are scarce. The
//! peer with most slots loses first, and of its connections those on which nothing was received
//! before those with an unfinished request before those that were answered; within each of these
//! the one that has been so longest. Order is counted, not timed. NOT here: sockets, deadlines.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use super::peer::PeerAddress;

/// The connections of a listener.
#[derive(Clone)]
pub(super) struct Connections(Arc<Mutex<Table>>);

struct Table {
    limit: usize,
    /// Numbers connections and the beginnings of their phases.
    next: u64,
    open: HashMap<u64, Entry>,
    peers: HashMap<IpAddr, Peer>,
    /// Connections with an unfinished request.
    receiving: usize,
}

struct Entry {
    network: IpAddr,
    /// The phase and when it began.
    phase: (Phase, u64),
    task: Option<AbortHandle>,
}

/// In the order in which connections are closed for others.
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

#[derive(Default)]
struct Peer {
    slots: usize,
    /// Its connections that the service does not work for, by phase and age.
    waiting: BTreeMap<(Phase, u64), u64>,
}

/// So many connections may hold the buffers of an unfinished first request, and no more than these
/// may be open when one is kept for a further request after an answer: this bounds memory. Fewer
/// where there are few slots.
const BUFFERED: usize = 512;

impl Connections {
    pub(super) fn new(limit: usize) -> Self {
        let (open, peers) = (HashMap::new(), HashMap::new());
        let table = Table { limit, next: 0, open, peers, receiving: 0 };
        Self(Arc::new(Mutex::new(table)))
    }

    /// A slot for a new connection of this peer; another connection is closed for it if need be.
    /// `None` if all slots work on requests and closing one of them would not make it fairer.
    pub(super) fn take(&self, peer: PeerAddress) -> Option<Slot> {
        let mut table = self.table();
        while table.open.len() >= table.limit {
            if !table.close_one_that_waits() && !table.close_one_that_works(peer.network()) {
                return None;
            }
        }
        let id = table.add(peer.network());
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

    fn add(&mut self, network: IpAddr) -> u64 {
        let id = self.number();
        self.insert(id, Entry { network, phase: (Phase::Silent, id), task: None });
        id
    }

    fn insert(&mut self, id: u64, entry: Entry) {
        let peer = self.peers.entry(entry.network).or_default();
        peer.slots += 1;
        if entry.phase.0 != Phase::Working {
            peer.waiting.insert(entry.phase, id);
        }
        self.receiving += usize::from(entry.phase.0 == Phase::Receiving);
        self.open.insert(id, entry);
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.open.remove(&id)?;
        self.receiving -= usize::from(entry.phase.0 == Phase::Receiving);
        if let Some(peer) = self.peers.get_mut(&entry.network) {
            peer.slots -= 1;
            peer.waiting.remove(&entry.phase);
            if peer.slots == 0 {
                self.peers.remove(&entry.network);
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
        let greediest = self
            .peers
            .values()
            .filter(|peer| !peer.waiting.is_empty())
            .max_by_key(|peer| peer.slots);
        let longest = greediest.and_then(|peer| peer.waiting.values().next().copied());
        longest.inspect(|id| self.close(*id)).is_some()
    }

    /// Only for a peer that has fewer slots even with the new one: otherwise each connection of an
    /// overloaded service would be closed by the next one, and none would be answered.
    fn close_one_that_works(&mut self, newcomer: IpAddr) -> bool {
        let own = self.peers.get(&newcomer).map_or(0, |peer| peer.slots);
        let greediest = self.peers.iter().max_by_key(|(_, peer)| peer.slots);
        let Some((network, _)) = greediest.filter(|(_, peer)| peer.slots > own + 1) else {
            return false;
        };
        let network = *network;
        let of_peer = self.open.iter().filter(|(_, entry)| entry.network == network);
        let oldest = of_peer.map(|(id, _)| *id).min();
        oldest.inspect(|id| self.close(*id)).is_some()
    }

    /// Closes connections with unfinished requests until only as many are left as may be.
    fn bound_buffers(&mut self) {
        let first = (Phase::Receiving, 0)..(Phase::Answered, 0);
        while self.receiving > self.buffered_limit() {
            let peers = self.peers.values();
            let with_some = peers.filter(|peer| peer.waiting.range(first.clone()).next().is_some());
            let greediest = with_some.max_by_key(|peer| peer.slots);
            let longest = greediest.and_then(|peer| peer.waiting.range(first.clone()).next());
            let Some((_, &id)) = longest else { return };
            self.close(id);
        }
    }

    fn set_phase(&mut self, id: u64, phase: Phase) {
        let since = self.number();
        if let Some(entry) = self.remove(id) {
            self.insert(id, Entry { phase: (phase, since), ..entry });
        }
    }

    fn move_to(&mut self, id: u64, network: IpAddr) {
        if self.open.get(&id).is_none_or(|entry| entry.network == network) {
            return;
        }
        if let Some(entry) = self.remove(id) {
            self.insert(id, Entry { network, ..entry });
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
        self.0.connections.table().move_to(self.0.id, peer.network());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connections.table().remove(self.id);
    }
}

#[cfg(test)]
mod tests;
