//! Which connections have not sent their request header yet, and which of them has to go for a
//! newer one. It is not the limit on open connections: a connection with a complete header is never
//! here.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Connections without a complete header, oldest first.
#[derive(Debug)]
pub(super) struct HeaderQueue {
    most: usize,
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    next: u64,
    // Dropping the sender evicts.
    places: BTreeMap<u64, oneshot::Sender<()>>,
}

impl HeaderQueue {
    pub(super) fn up_to(most: usize) -> Self {
        Self { most, line: Mutex::default() }
    }

    /// Joins the line; at the cap the oldest loses its place.
    pub(super) fn join(&self) -> Place {
        let (keep, evicted) = oneshot::channel();
        let mut line = self.line();
        while line.places.len() >= self.most {
            line.places.pop_first();
        }
        let number = line.next;
        line.next += 1;
        line.places.insert(number, keep);
        Place { number, evicted }
    }

    /// The header is there, or the connection gone.
    pub(super) fn leave(&self, place: &Place) {
        self.line().places.remove(&place.number);
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        // Every change of the line is one insertion or removal, so it is whole even after a panic.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the line.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    evicted: oneshot::Receiver<()>,
}

impl Place {
    /// Returns when a newer connection took the place.
    pub(super) async fn lost(&mut self) {
        let _ = (&mut self.evicted).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_lost(place: &mut Place) -> bool {
        place.evicted.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn the_oldest_goes_first_and_those_who_left_do_not_count() {
        let waiting = HeaderQueue::up_to(2);
        let mut first = waiting.join();
        let mut second = waiting.join();
        waiting.leave(&second);
        let mut third = waiting.join();
        assert!(!has_lost(&mut first));
        let mut fourth = waiting.join();
        assert!(has_lost(&mut first));
        assert!(!has_lost(&mut third) && !has_lost(&mut fourth));
        waiting.leave(&first);
        assert!(!has_lost(&mut fourth));
        let _ = has_lost(&mut second);
    }
}
