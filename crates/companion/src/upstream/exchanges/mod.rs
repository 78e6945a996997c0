//! Exchanges of codes with the provider: each state once, so many in flight, near the provider's
//! limit in fair turns. A caller that hangs up while it waits costs nothing; an exchange that has
//! begun is finished and recorded, also at the end of the process. Who goes next is decided in
//! [`queue`]; here are the lock, the tasks and the clock.

mod arrival;
mod budget;
mod caller;
mod permit;
mod queue;
mod refusals;

pub use arrival::{Arrival, QueuePlace};
pub use budget::Rate;
pub use caller::Caller;
pub use permit::ExchangePermit;
pub use queue::ExchangeResult;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use self::queue::{ExchangeId, Queue, QueueLimits};
use crate::ambient::Stopwatch;
use crate::domain::UpstreamAuthorizationId;

/// Sixteen of the 64 slots and a tenth of the burst are for callers without refused codes.
const fn limits(rate: Rate) -> QueueLimits {
    QueueLimits { in_flight: 64, reserved: 16, waiting: 512, rate, kept: rate.burst / 10.0 }
}

/// Longest that an exchange waits for its permit.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(15);
/// States remembered as used; the database knows the older ones.
const USED: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
/// Longest that the end of the process waits for exchanges in flight: as long as one may take.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(13);

/// Why an exchange does not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeRefusal {
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
    waiting: HashMap<ExchangeId, PendingExchange>,
    used: LruCache<UpstreamAuthorizationId, ()>,
    last_id: u64,
    /// A task sleeps until then, when the budget allows the next one.
    wakes_at: Option<Duration>,
    closed: bool,
}

struct PendingExchange {
    authorization: UpstreamAuthorizationId,
    permit: oneshot::Sender<Result<ExchangePermit, ExchangeRefusal>>,
}

impl Exchanges {
    /// No exchange yet; never more than at this rate.
    pub fn new(rate: Rate) -> Self {
        let state = State {
            queue: Queue::new(limits(rate)),
            waiting: HashMap::new(),
            used: LruCache::new(USED),
            last_id: 0,
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

    /// Waits for the permit to send the code of this upstream authorization. Dropped while it
    /// waits, it leaves no trace.
    ///
    /// # Errors
    /// The state was used, or too many wait.
    pub async fn permit(
        &self,
        authorization: UpstreamAuthorizationId,
        caller: Caller,
        arrival: Arrival,
    ) -> Result<ExchangePermit, ExchangeRefusal> {
        let (id, permit) = self.shared.line_up(authorization, caller, arrival)?;
        let _leaves = LeaveOnDrop { shared: &self.shared, id };
        Shared::advance(&self.shared);
        match tokio::time::timeout(QUEUE_TIMEOUT, permit).await {
            Ok(Ok(permit)) => permit,
            // Refused because too many wait, or too late.
            Ok(Err(_)) | Err(_) => Err(ExchangeRefusal::Busy),
        }
    }

    /// Uses the state of this upstream authorization for an answer that is not sent on.
    ///
    /// # Errors
    /// It was used.
    pub fn permit_without_exchange(
        &self,
        authorization: UpstreamAuthorizationId,
    ) -> Result<ExchangePermit, ExchangeRefusal> {
        let mut state = self.shared.lock();
        if state.closed {
            return Err(ExchangeRefusal::Busy);
        }
        if state.used.put(authorization, ()).is_some() {
            return Err(ExchangeRefusal::Used);
        }
        let shared = Arc::clone(&self.shared);
        Ok(ExchangePermit { shared, id: None, authorization, ended: ExchangeResult::NotSent })
    }

    /// Runs work that is finished whether or not anyone waits for it.
    pub fn run<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(work)
    }

    /// Exchanges that wait for their permit.
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
    ) -> Result<
        (ExchangeId, oneshot::Receiver<Result<ExchangePermit, ExchangeRefusal>>),
        ExchangeRefusal,
    > {
        let now = self.clock.elapsed();
        let mut state = self.lock();
        if state.used.contains(&authorization) {
            return Err(ExchangeRefusal::Used);
        }
        if state.closed || state.queue.paused_until() > now + QUEUE_TIMEOUT {
            return Err(ExchangeRefusal::Busy);
        }
        let (permit, receiver) = oneshot::channel();
        state.last_id += 1;
        let id = ExchangeId(state.last_id);
        let before =
            state.waiting.iter().find(|(_, waiting)| waiting.authorization == authorization);
        let refused = if let Some(old) = before.map(|(id, _)| *id) {
            state.queue.replace(old, id);
            if let Some(old) = state.waiting.remove(&old) {
                let _gone = old.permit.send(Err(ExchangeRefusal::Used));
            }
            None
        } else {
            state.queue.arrive(id, caller, arrival, now)
        };
        state.waiting.insert(id, PendingExchange { authorization, permit });
        if let Some(refused) = refused {
            state.waiting.remove(&refused);
        }
        Ok((id, receiver))
    }

    /// Gives out the turns that are due.
    fn advance(shared: &Arc<Self>) {
        let mut due = Vec::new();
        let mut state = shared.lock();
        let now = shared.clock.elapsed();
        while let Some(id) = state.queue.begin_next(now) {
            let Some(PendingExchange { authorization, permit }) = state.waiting.remove(&id) else {
                state.queue.end(id, ExchangeResult::NotSent, now);
                continue;
            };
            state.used.put(authorization, ());
            let shared = Arc::clone(shared);
            due.push((
                permit,
                ExchangePermit {
                    shared,
                    id: Some(id),
                    authorization,
                    ended: ExchangeResult::NotSent,
                },
            ));
        }
        let sooner = |at: &Duration| state.wakes_at.is_none_or(|known| *at < known);
        let wake_at = state.queue.wake_at().filter(sooner);
        state.wakes_at = wake_at.or(state.wakes_at);
        drop(state);
        for (caller, permit) in due {
            // A permit that is not wanted any more comes back by its own drop.
            let _unwanted = caller.send(Ok(permit));
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
struct LeaveOnDrop<'a> {
    shared: &'a Shared,
    id: ExchangeId,
}

impl Drop for LeaveOnDrop<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if state.waiting.remove(&self.id).is_some() {
            state.queue.leave(self.id);
        }
    }
}
