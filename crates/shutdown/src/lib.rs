//! The end of a process. [`Shutdown::install`] is the first call of a `main`: from then on SIGTERM
//! and SIGINT no longer end the process by themselves, but make one request to end that async code
//! waits for. Once made, the request has a deadline that two threads of this crate enforce, even
//! while every other thread of the process is blocked. NOT here: what a program does at its end.

mod signals;

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

/// Signals this soon after the first one belong to the same request: a terminal and a supervisor
/// often deliver one each.
const SAME_REQUEST: Duration = Duration::from_millis(500);

/// What asks a process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// SIGINT, or Ctrl-C on Windows: every program of the terminal is asked.
    Interrupt,
    /// SIGTERM: this process is asked.
    Terminate,
    /// SIGHUP: the terminal was closed.
    Hangup,
    /// The program itself: [`Shutdown::request`].
    Program,
}

/// What SIGHUP means to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hangup {
    /// It is not taken over: by default the system ends the process.
    Default,
    /// A request to end. A SIGHUP or SIGINT that the parent process set to be ignored (`nohup`, a
    /// background job of a shell) stays ignored.
    Ends,
    /// Nothing of the end: [`Shutdown::hangups`] tells of it.
    Told,
}

/// How a process ends.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// What SIGHUP means.
    pub hangup: Hangup,
    /// How long the process may take from the first request to its end.
    pub time_limit: Duration,
    /// The exit code of a process that has not ended within its time limit, or that receives a
    /// further signal while it ends.
    pub forced_exit_code: i32,
}

/// The request to end, as a process waits for it. Clones are handles to the same request.
#[derive(Clone, Debug)]
pub struct Shutdown(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    policy: Policy,
    cause: watch::Sender<Option<Cause>>,
    /// How often SIGHUP came, where it is told.
    hangups: watch::Sender<u64>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requested: Option<Instant>,
    forward: Option<mpsc::UnboundedSender<Cause>>,
    forward_calls: u64,
}

impl Shutdown {
    /// Takes over the signals and starts the two threads that watch them and the deadline. Each
    /// signal is recorded from the instant at which it stops ending the process by itself, provided
    /// that no other thread exists yet: call this first in `main`.
    ///
    /// # Errors
    /// When the system refuses a handler or a thread.
    pub fn install(policy: Policy) -> io::Result<Self> {
        let inner = Inner {
            policy,
            cause: watch::Sender::new(None),
            hangups: watch::Sender::new(0),
            state: Mutex::default(),
            changed: Condvar::new(),
        };
        let shutdown = Self(Arc::new(inner));
        let (watched, timed) = (shutdown.clone(), shutdown.clone());
        signals::watch(policy.hangup, move |cause| watched.receive(cause))?;
        thread("shutdown-time-limit", move || timed.enforce_time_limit())?;
        Ok(shutdown)
    }

    /// Tells of each SIGHUP from now on, where the policy is [`Hangup::Told`]. Several that come
    /// before the next wait are one.
    #[must_use]
    pub fn hangups(&self) -> Hangups {
        Hangups(self.0.hangups.subscribe())
    }

    /// Waits for the request to end; completes at once if it was made before.
    pub async fn requested(&self) -> Cause {
        let mut cause = self.0.cause.subscribe();
        loop {
            if let Some(cause) = *cause.borrow_and_update() {
                return cause;
            }
            if cause.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// What asked the process to end, if anything has.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        *self.0.cause.borrow()
    }

    /// Makes the request from within the program, for example when its window was closed. The time
    /// limit starts now, unless a request was made before.
    pub fn request(&self) {
        self.begin(&mut self.state(), Cause::Program);
    }

    /// Hands signals to the caller from now on, for a program that passes them on to a command.
    /// They make no request to end until the returned value is dropped.
    #[must_use]
    pub fn forward_signals(&self) -> ForwardedSignals {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.state();
        state.forward = Some(sender);
        state.forward_calls += 1;
        let call = state.forward_calls;
        drop(state);
        ForwardedSignals { shutdown: self.clone(), receiver, call }
    }

    fn receive(&self, cause: Cause) {
        if cause == Cause::Hangup && self.0.policy.hangup == Hangup::Told {
            self.0.hangups.send_modify(|count| *count += 1);
            return;
        }
        let mut state = self.state();
        if let Some(forward) = &state.forward {
            // An error means that the receiver is being dropped; it takes the lock for that.
            let _ = forward.send(cause);
            return;
        }
        if state.requested.is_some_and(|since| since.elapsed() >= SAME_REQUEST) {
            signals::exit(self.0.policy.forced_exit_code);
        }
        self.begin(&mut state, cause);
    }

    fn begin(&self, state: &mut State, cause: Cause) {
        if state.requested.is_none() {
            state.requested = Some(Instant::now());
            self.0.cause.send_replace(Some(cause));
            self.0.changed.notify_all();
        }
    }

    fn enforce_time_limit(&self) {
        let mut state = self.state();
        loop {
            let left = state
                .requested
                .map(|since| self.0.policy.time_limit.saturating_sub(since.elapsed()));
            state = match left {
                None => self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => signals::exit(self.0.policy.forced_exit_code),
                Some(left) => {
                    let waited = self.0.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The SIGHUPs of a process, see [`Shutdown::hangups`].
#[derive(Debug)]
pub struct Hangups(watch::Receiver<u64>);

impl Hangups {
    /// Waits for the next one. Cancel safe.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Signals that are handed to the caller of [`Shutdown::forward_signals`]. When it is dropped, a
/// signal that was not taken out makes the request to end.
#[derive(Debug)]
pub struct ForwardedSignals {
    shutdown: Shutdown,
    receiver: mpsc::UnboundedReceiver<Cause>,
    call: u64,
}

impl ForwardedSignals {
    /// Waits for the next signal. Cancel safe.
    pub async fn next(&mut self) -> Cause {
        match self.receiver.recv().await {
            Some(cause) => cause,
            // Another call of `forward_signals` receives them now.
            None => std::future::pending().await,
        }
    }
}

impl Drop for ForwardedSignals {
    fn drop(&mut self) {
        let mut state = self.shutdown.state();
        // The sender of a later call belongs to that call.
        if state.forward_calls == self.call {
            state.forward = None;
        }
        if let Ok(cause) = self.receiver.try_recv() {
            self.shutdown.begin(&mut state, cause);
        }
    }
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).stack_size(128 * 1024).spawn(run).map(drop)
}
