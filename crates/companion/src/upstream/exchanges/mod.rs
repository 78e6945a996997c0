//! Exchanges of codes with the provider: each state once, so many in flight, near the provider's
//! limit in fair turns. A caller that hangs up while it waits costs nothing; an exchange that has
//! begun is finished and recorded, also at the end of the process. Who goes next is decided in
//! [`queue`]; here are the lock, the tasks and the clock.

mod arrival;
mod budget;
mod caller;
mod queue;
mod refusals;
mod turn;

pub use arrival::{Arrival, Place};
pub use budget::Rate;
pub use caller::Caller;
pub use queue::Ended;
pub use turn::Turn;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use self::queue::{Limits, Queue, Ticket};
use crate::ambient::Stopwatch;
use crate::domain::UpstreamAuthorizationId;

/// Sixteen of the 64 slots and a tenth of the burst are for callers without refused codes.
const fn limits(rate: Rate) -> Limits {
    Limits { in_flight: 64, reserved: 16, waiting: 512, rate, kept: rate.burst / 10.0 }
}

/// Longest that an exchange waits for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(15);
/// States remembered as used; the database knows the older ones.
const USED: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
/// Longest that the end of the process waits for exchanges in flight: as long as one may take.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(13);

/// Why an exchange does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTurn {
    /// The state was used, or came once more while it waited.
    Used,
    /// Too many at once; the state is not used.
    Busy,
}

/// All exchanges of this process.
pub struct Exchanges {
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

struct Shared {
    state: Mutex<State>,
    clock: Stopwatch,
}

struct State {
    queue: Queue,
    waiting: HashMap<Ticket, Waiting>,
    used: LruCache<UpstreamAuthorizationId, ()>,
    tickets: u64,
    /// A task sleeps until then, when the budget allows the next one.
    wakes_at: Option<Duration>,
    closed: bool,
}

struct Waiting {
    authorization: UpstreamAuthorizationId,
    turn: oneshot::Sender<Result<Turn, NoTurn>>,
}

impl Exchanges {
    /// No exchange yet; never more than at this rate.
    pub fn new(rate: Rate) -> Self {
        let state = State {
            queue: Queue::new(limits(rate)),
            waiting: HashMap::new(),
            used: LruCache::new(USED),
            tickets: 0,
            wakes_at: None,
            closed: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), clock: Stopwatch::start() });
        Self { shared, tasks: TaskTracker::new() }
    }

    /// Whether the state of this upstream authorization was used a short while ago; asked before
    /// anything costs anything.
    pub fn is_used(&self, authorization: UpstreamAuthorizationId) -> bool {
        self.shared.lock().used.contains(&authorization)
    }

    /// Waits for the turn to send the code of this upstream authorization. Dropped while it waits,
    /// it leaves no trace.
    ///
    /// # Errors
    /// The state was used, or too many wait.
    pub async fn turn(
        &self,
        authorization: UpstreamAuthorizationId,
        caller: Caller,
        arrival: Arrival,
    ) -> Result<Turn, NoTurn> {
        let (ticket, turn) = self.shared.line_up(authorization, caller, arrival)?;
        let _leaves = Leave { shared: &self.shared, ticket };
        Shared::advance(&self.shared);
        match tokio::time::timeout(TURN_TIMEOUT, turn).await {
            Ok(Ok(turn)) => turn,
            // Refused for want of room, or too late.
            Ok(Err(_)) | Err(_) => Err(NoTurn::Busy),
        }
    }

    /// Uses the state of this upstream authorization for an answer that is not sent on.
    ///
    /// # Errors
    /// It was used.
    pub fn turn_without_exchange(
        &self,
        authorization: UpstreamAuthorizationId,
    ) -> Result<Turn, NoTurn> {
        let mut state = self.shared.lock();
        if state.closed {
            return Err(NoTurn::Busy);
        }
        if state.used.put(authorization, ()).is_some() {
            return Err(NoTurn::Used);
        }
        let shared = Arc::clone(&self.shared);
        Ok(Turn { shared, ticket: None, authorization, ended: Ended::NotSent })
    }

    /// Runs work that is finished whether or not anyone waits for it.
    pub fn run<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(work)
    }

    /// Exchanges that wait for their turn.
    pub fn waiting(&self) -> usize {
        self.shared.lock().queue.waiting()
    }

    /// Refuses who waits and every new one: the process ends.
    pub fn close(&self) {
        let refused = {
            let mut state = self.shared.lock();
            state.closed = true;
            std::mem::take(&mut state.waiting)
        };
        drop(refused);
    }

    /// Closes, and waits for those in flight.
    pub async fn finish(&self) {
        self.close();
        self.tasks.close();
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, self.tasks.wait()).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "some exchanges did not end in time");
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line_up(
        &self,
        authorization: UpstreamAuthorizationId,
        caller: Caller,
        arrival: Arrival,
    ) -> Result<(Ticket, oneshot::Receiver<Result<Turn, NoTurn>>), NoTurn> {
        let now = self.clock.elapsed();
        let mut state = self.lock();
        if state.used.contains(&authorization) {
            return Err(NoTurn::Used);
        }
        if state.closed || state.queue.paused_until() > now + TURN_TIMEOUT {
            return Err(NoTurn::Busy);
        }
        let (turn, receiver) = oneshot::channel();
        state.tickets += 1;
        let ticket = Ticket(state.tickets);
        let before =
            state.waiting.iter().find(|(_, waiting)| waiting.authorization == authorization);
        let refused = if let Some(old) = before.map(|(ticket, _)| *ticket) {
            state.queue.replace(old, ticket);
            if let Some(old) = state.waiting.remove(&old) {
                let _gone = old.turn.send(Err(NoTurn::Used));
            }
            None
        } else {
            state.queue.arrive(ticket, caller, arrival, now)
        };
        state.waiting.insert(ticket, Waiting { authorization, turn });
        if let Some(refused) = refused {
            state.waiting.remove(&refused);
        }
        Ok((ticket, receiver))
    }

    /// Gives out the turns that are due.
    fn advance(shared: &Arc<Self>) {
        let mut due = Vec::new();
        let mut state = shared.lock();
        let now = shared.clock.elapsed();
        while let Some(ticket) = state.queue.begin_next(now) {
            let Some(Waiting { authorization, turn }) = state.waiting.remove(&ticket) else {
                state.queue.end(ticket, Ended::NotSent, now);
                continue;
            };
            state.used.put(authorization, ());
            let shared = Arc::clone(shared);
            due.push((
                turn,
                Turn { shared, ticket: Some(ticket), authorization, ended: Ended::NotSent },
            ));
        }
        let sooner = |at: &Duration| state.wakes_at.is_none_or(|known| *at < known);
        let wake_at = state.queue.wake_at().filter(sooner);
        state.wakes_at = wake_at.or(state.wakes_at);
        drop(state);
        for (caller, turn) in due {
            // A turn that is not wanted any more comes back by its own drop.
            let _unwanted = caller.send(Ok(turn));
        }
        // Without a runtime the process is ending.
        if let (Some(at), Ok(runtime)) = (wake_at, Handle::try_current()) {
            let shared = Arc::clone(shared);
            runtime.spawn(async move {
                tokio::time::sleep(at.saturating_sub(now)).await;
                shared.lock().wakes_at = None;
                Self::advance(&shared);
            });
        }
    }
}

/// Leaves the queue when its caller does.
struct Leave<'a> {
    shared: &'a Shared,
    ticket: Ticket,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if state.waiting.remove(&self.ticket).is_some() {
            state.queue.leave(self.ticket);
        }
    }
}
