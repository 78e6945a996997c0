//! The open connections, and which one is closed for a new one when all slots are taken. The peer
//! with most slots loses first, and of its connections the one that waits for it longest: whose
//! request has not been read completely, whose answer has not been read, or that is idle. Order is
//! counted, not timed. NOT here: sockets, deadlines.

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
    /// Numbers connections and the beginnings of their waits.
    next: u64,
    open: HashMap<u64, Entry>,
    peers: HashMap<IpAddr, Peer>,
}

struct Entry {
    network: IpAddr,
    /// Since when the service waits for the peer; `None` while it works on a request.
    waits_since: Option<u64>,
    task: Option<AbortHandle>,
}

#[derive(Default)]
struct Peer {
    slots: usize,
    /// Connections by the beginning of their wait.
    waiting: BTreeMap<u64, u64>,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Self {
        let table = Table { limit, next: 0, open: HashMap::new(), peers: HashMap::new() };
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

    fn add(&mut self, network: IpAddr) -> u64 {
        let id = self.number();
        let peer = self.peers.entry(network).or_default();
        peer.slots += 1;
        peer.waiting.insert(id, id);
        self.open.insert(id, Entry { network, waits_since: Some(id), task: None });
        id
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.open.remove(&id)?;
        if let Some(peer) = self.peers.get_mut(&entry.network) {
            peer.slots -= 1;
            if let Some(since) = entry.waits_since {
                peer.waiting.remove(&since);
            }
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

    fn wait(&mut self, id: u64, waits: bool) {
        let since = waits.then(|| self.number());
        let Some(entry) = self.open.get_mut(&id) else { return };
        let Some(peer) = self.peers.get_mut(&entry.network) else { return };
        if let Some(before) = std::mem::replace(&mut entry.waits_since, since) {
            peer.waiting.remove(&before);
        }
        if let Some(since) = since {
            peer.waiting.insert(since, id);
        }
    }

    fn move_to(&mut self, id: u64, network: IpAddr) {
        if self.open.get(&id).is_none_or(|entry| entry.network == network) {
            return;
        }
        let Some(entry) = self.remove(id) else { return };
        let peer = self.peers.entry(network).or_default();
        peer.slots += 1;
        if let Some(since) = entry.waits_since {
            peer.waiting.insert(since, id);
        }
        self.open.insert(id, Entry { network, ..entry });
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

    /// The request has been read completely: from now on the service works on it.
    pub(super) fn works(&self) {
        self.0.connections.table().wait(self.0.id, false);
    }

    /// The answer is there to be read, or a request is being received.
    pub(super) fn waits(&self) {
        self.0.connections.table().wait(self.0.id, true);
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
mod tests {
    use super::*;

    fn peer(text: &str) -> PeerAddress {
        PeerAddress(text.parse().unwrap())
    }

    fn has(connections: &Connections, slot: &Slot) -> bool {
        connections.table().open.contains_key(&slot.0.id)
    }

    #[test]
    fn the_peer_with_most_slots_loses_the_connection_that_waits_longest() {
        let connections = Connections::new(4);
        let company = connections.take(peer("198.51.100.1")).unwrap();
        let greedy: Vec<Slot> =
            (0..3).map(|_| connections.take(peer("203.0.113.7")).unwrap()).collect();
        greedy[0].works();
        greedy[1].works();
        greedy[1].waits();
        let newcomer = connections.take(peer("192.0.2.1")).unwrap();
        assert!(has(&connections, &company) && has(&connections, &newcomer));
        let left: Vec<bool> = greedy.iter().map(|slot| has(&connections, slot)).collect();
        assert_eq!(left, [true, true, false], "the third one waits longer than the second");
    }

    #[test]
    fn within_one_peer_the_oldest_wait_loses_and_a_request_under_way_stays() {
        let connections = Connections::new(2);
        let busy = connections.take(peer("198.51.100.1")).unwrap();
        busy.works();
        for _ in 0..100 {
            let idle = connections.take(peer("198.51.100.1")).unwrap();
            assert!(has(&connections, &busy) && has(&connections, &idle));
        }
    }

    #[test]
    fn when_all_work_only_a_peer_with_fewer_slots_gets_one() {
        let connections = Connections::new(3);
        let working: Vec<Slot> = (0..3)
            .map(|_| connections.take(peer("203.0.113.7")).unwrap())
            .inspect(Slot::works)
            .collect();
        assert!(connections.take(peer("203.0.113.7")).is_none());
        let newcomer = connections.take(peer("198.51.100.1")).unwrap();
        newcomer.works();
        assert!(!has(&connections, &working[0]) && has(&connections, &working[1]));
        let third = connections.take(peer("192.0.2.1")).unwrap();
        third.works();
        assert!(connections.take(peer("192.0.2.2")).is_none(), "one slot each is fair");
    }

    #[test]
    fn a_forwarded_address_moves_the_slot_to_its_peer() {
        let connections = Connections::new(3);
        let proxied: Vec<Slot> =
            (0..3).map(|_| connections.take(peer("10.0.0.1")).unwrap()).collect();
        proxied[0].move_to(peer("198.51.100.1"));
        let newcomer = connections.take(peer("10.0.0.1")).unwrap();
        assert!(has(&connections, &proxied[0]) && !has(&connections, &proxied[1]));
        drop((proxied, newcomer));
        assert!(connections.table().open.is_empty() && connections.table().peers.is_empty());
    }
}
