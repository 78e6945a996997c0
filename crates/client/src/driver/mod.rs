//! Runs the machine: one task owns it, takes inputs in order, runs its effects beside each other
//! and feeds their answers back. For the app and the CLI alike; it draws nothing and decides
//! nothing that `keyport-core` could decide.

mod attempt;
mod attempt_effects;
mod attempt_reports;
mod callbacks;
mod effects;
mod engine;
mod kept_attempt;
mod left_sessions;
mod notices;
mod prepare;
mod session_effects;
mod watch;

use std::sync::{Mutex, PoisonError};

use keyport_core::secret::{AuthorizationUrl, RawCallback};
use keyport_core::{
    Account, AttemptId, CallbackReceiver, Event, Intent, Problem, ReceiverOrder, Stored, View,
};
use tokio::sync::{broadcast, mpsc, oneshot, watch as watching};
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::platform::Platform;
use crate::receivers::ArrivedCallback;
use crate::session::{SaveLock, Sessions, WithoutLock};
use effects::EffectRunner;
use engine::Engine;
use notices::Notices;

/// Notices that a slow reader may be behind before it loses the oldest.
const NOTICES: usize = 64;

/// Something to tell or to do at once, beside the [`View`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientNotice {
    /// The browser is being sent there; to print where there is no browser.
    AuthorizationUrl(AuthorizationUrl),
    /// The window should come to the front.
    Raise,
    /// The page shows this number: compare.
    Confirm(String),
    /// The session is where it belongs.
    SignedIn {
        /// Who.
        account: Box<Account>,
        /// Where it is kept.
        stored: Stored,
        /// Why it is in memory, when the person did not choose that.
        not_saved: Option<Problem>,
    },
    /// Something went wrong.
    Problem {
        /// What.
        problem: Problem,
        /// What to read to IT, when it belongs to an attempt.
        attempt: Option<String>,
    },
}

/// What reaches the machine's task.
enum Input {
    Intent(Intent),
    Callback(ArrivedCallback),
    Event(Event),
    /// What came of a code, with the right to save it.
    Exchanged(Event, Option<Box<SaveLock>>),
    ShutDown(oneshot::Sender<()>),
}

type Inputs = mpsc::UnboundedSender<Input>;

/// A running client. Dropping it stops it at once; [`shut_down`](Self::shut_down) lets it finish
/// what is under way.
pub struct Client {
    inputs: Inputs,
    views: watching::Receiver<View>,
    notices: Notices,
    /// Listens from the start, for whoever asks first.
    first: Mutex<Option<broadcast::Receiver<ClientNotice>>>,
    sessions: Sessions,
    engine: JoinHandle<()>,
}

impl Client {
    /// Starts reading the keychain. Sign-ins come back through these receivers; if the deep link is
    /// one of them, an attempt that waits for its link is taken up again.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start(order: ReceiverOrder, config: Config, platform: Platform) -> Self {
        Self::start_with(order, WithoutLock::HoldInMemory, config, platform)
    }

    /// As [`start`](Self::start), for a command line: over loopback alone, because deep links are
    /// the app's. It ends after its sign-in, so a session that cannot be saved is refused.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn start_without_links(config: Config, platform: Platform) -> Self {
        let order = ReceiverOrder::only(CallbackReceiver::Loopback);
        Self::start_with(order, WithoutLock::Refuse, config, platform)
    }

    fn start_with(
        order: ReceiverOrder,
        without_lock: WithoutLock,
        config: Config,
        platform: Platform,
    ) -> Self {
        let sessions = Sessions::open(&config, &platform);
        let (inputs, received) = mpsc::unbounded_channel();
        let (notices, first) = broadcast::channel(NOTICES);
        let notices = Notices(notices);
        let (clock, random) = (platform.clock.clone(), platform.random.clone());
        let runner = EffectRunner::new(
            without_lock,
            config,
            platform,
            sessions.clone(),
            inputs.clone(),
            notices.clone(),
        );
        let (engine, views) = Engine::new(order, clock, random, runner, notices.clone());
        let engine = tokio::spawn(engine.run(received));
        Self { inputs, views, notices, first: Mutex::new(Some(first)), sessions, engine }
    }

    /// Takes an intent. One that the state does not allow changes nothing.
    pub fn intend(&self, intent: Intent) {
        self.send(Input::Intent(intent));
    }

    /// The keychain may hold something else by now: it is read again, and never unlocked for that.
    pub fn follow_keychain(&self) {
        self.send(Input::Event(Event::KeychainChanged));
    }

    /// Takes a callback that arrived at a receiver outside the client, ours or not: a deep link.
    pub fn deliver(&self, receiver: CallbackReceiver, raw: RawCallback) {
        self.send(Input::Callback(ArrivedCallback { receiver, raw, reply: None }));
    }

    /// Takes a deep link as it arrived, ours or not.
    pub fn deliver_link(&self, raw: RawCallback) {
        self.deliver(CallbackReceiver::Link, raw);
    }

    /// What to show now, and when it changes.
    #[must_use]
    pub fn views(&self) -> watching::Receiver<View> {
        self.views.clone()
    }

    /// Notices from now on; for the first caller, from the start on.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<ClientNotice> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.unwrap_or_else(|| self.notices.0.subscribe())
    }

    /// The sessions that this client works with.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Closes the receivers and finishes what others wait for: a report, a revocation, a write. A
    /// few seconds at most. An attempt that waits for its deep link is not cancelled: the link may
    /// start the client again.
    pub async fn shut_down(mut self) {
        let (done, finished) = oneshot::channel();
        self.send(Input::ShutDown(done));
        let _ = finished.await;
        let _ = (&mut self.engine).await;
    }

    fn send(&self, input: Input) {
        // The engine only ends in `shut_down`, after which no call can be made.
        let _ = self.inputs.send(input);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.engine.abort();
    }
}

fn tell(inputs: &Inputs, event: Event) {
    // After the end no task receives it.
    let _ = inputs.send(Input::Event(event));
}

fn short(attempt: &AttemptId) -> String {
    attempt.short()
}

fn hex<const N: usize>(bytes: [u8; N]) -> String {
    base16ct::lower::encode_string(&bytes)
}
