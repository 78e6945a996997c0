//! The task that owns the machine: inputs in, effects out, and each step's view and notices.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyport_core::secret::{CodeVerifier, State};
use keyport_core::{
    AttemptId, AttemptSeed, CallbackReceiver, Effect, Event, Lifetime, Machine, Moment, Problem,
    ReceiverSecrets, Screen, View,
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::effects::EffectRunner;
use super::{ClientNotice, Input, Inputs, Intent, Links, hex, short};
use crate::config::Config;
use crate::platform::Platform;
use crate::receivers::Receivers;
use crate::session::{SaveLock, Sessions};

/// How often a screen with a countdown is drawn.
const COUNTDOWN: Lifetime = Lifetime::seconds(1);
/// A deadline that a tick did not move is not looked at again sooner than this.
const MIN_TICK: Lifetime = Lifetime(100);
/// What finishing may take when the client ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct Engine {
    pub(super) machine: Machine,
    pub(super) platform: Platform,
    pub(super) receivers: Receivers,
    pub(super) sessions: Sessions,
    runner: EffectRunner,
    pub(super) views: watch::Sender<View>,
    pub(super) notices: broadcast::Sender<ClientNotice>,
    last_tick: Moment,
    pub(super) ignored: u64,
}

impl Engine {
    pub(super) fn new(
        links: Links,
        config: Config,
        platform: Platform,
        sessions: Sessions,
        inputs: Inputs,
        notices: broadcast::Sender<ClientNotice>,
    ) -> (Self, watch::Receiver<View>) {
        let now = platform.clock.now();
        let (machine, effects) = Machine::start(now);
        let (views, shown) = watch::channel(View::of(&machine, now));
        let receivers = Receivers::of(&config);
        let runner = EffectRunner::new(
            links,
            config,
            platform.clone(),
            sessions.clone(),
            inputs,
            receivers.clone(),
        );
        let mut engine = Self {
            machine,
            platform,
            receivers,
            sessions,
            runner,
            views,
            notices,
            last_tick: Moment(0),
            ignored: 0,
        };
        engine.run_effects(effects);
        (engine, shown)
    }

    pub(super) async fn run(mut self, mut received: mpsc::UnboundedReceiver<Input>) {
        let clock = self.platform.clock.clone();
        loop {
            let wake = self.next_wake();
            let woken = clock.until(wake.unwrap_or(Moment(u64::MAX)));
            tokio::select! {
                input = received.recv() => match input {
                    Some(Input::ShutDown(done)) => return self.shut_down(received, done).await,
                    Some(input) => self.take(input),
                    None => return,
                },
                () = woken, if wake.is_some() => {
                    self.last_tick = clock.now();
                    self.step(Event::Tick);
                }
                () = self.runner.one_finished() => {}
            }
        }
    }

    /// What is under way may still end well or badly, and what follows from that is done too: a
    /// session that is not awaited any more is revoked, a page is told. Nothing new begins.
    async fn shut_down(
        mut self,
        mut received: mpsc::UnboundedReceiver<Input>,
        done: oneshot::Sender<()>,
    ) {
        self.runner.close_all_receivers();
        let finish = async {
            loop {
                tokio::select! {
                    biased;
                    Some(input) = received.recv() => match input {
                        Input::Event(event) => self.step(event),
                        Input::Exchanged(event, lock) => self.exchanged(event, lock),
                        _ => {}
                    },
                    more = self.runner.next_finished() => if !more {
                        break;
                    },
                }
            }
            self.runner.end().await;
        };
        if timeout(SHUTDOWN_TIMEOUT, finish).await.is_err() {
            tracing::warn!("not everything was finished at the end");
        }
        let _ = done.send(());
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Intent(intent) => self.intend(intent),
            Input::Callback(arrived) => self.callback_arrived(arrived),
            Input::Event(event) => self.step(event),
            Input::Exchanged(event, lock) => self.exchanged(event, lock),
            Input::ShutDown(_) => {}
        }
    }

    /// The machine has the session saved, held or revoked, whatever its state; the lock is there
    /// for this step, so where it is not saved others need not wait.
    fn exchanged(&mut self, event: Event, mut lock: Option<Box<SaveLock>>) {
        lock.iter_mut().for_each(|lock| lock.session_is_taken());
        self.runner.save_lock = lock;
        self.step(event);
        self.runner.save_lock = None;
    }

    fn intend(&mut self, intent: Intent) {
        let event = match intent {
            Intent::SignIn { hints, receivers, store } => {
                let receivers =
                    receivers.into_iter().map(|receiver| self.draw_receiver(receiver)).collect();
                let id = AttemptId(hex(self.draw::<16>()));
                tracing::info!(attempt = short(&id), "sign-in wanted");
                Event::SignInWanted(AttemptSeed { id, receivers, hints, store })
            }
            Intent::OpenAgain => Event::OpenAgainWanted,
            Intent::CopyLink => Event::CopyLinkWanted,
            Intent::Cancel => Event::CancelWanted,
            Intent::Dismiss => Event::DismissWanted,
            Intent::LoadAgain => Event::LoadAgainWanted,
            Intent::Follow => Event::KeychainChanged,
            Intent::Show(account) => Event::AccountWanted(account),
            Intent::SignOut => Event::SignOutWanted,
            Intent::SignOutOfAll => Event::SignOutOfAllWanted,
        };
        let again = matches!(event, Event::SignInWanted(_) | Event::LoadAgainWanted);
        if again && self.shows(Problem::KeychainLocked) {
            // The person has just asked for it, so the system's question comes as no surprise.
            self.runner.unlock_then(event);
        } else {
            self.step(event);
        }
    }

    pub(super) fn step(&mut self, event: Event) {
        let now = self.platform.clock.now();
        // The machine moves through its step; a cheap one stands in for it meanwhile.
        let machine = std::mem::replace(&mut self.machine, Machine::start(now).0);
        let (machine, effects) = machine.step(event, now);
        self.machine = machine;
        self.run_effects(effects);
        self.draw_view(now);
    }

    fn run_effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.announce(&effect);
            self.runner.run(effect);
        }
        self.runner.batch_ends();
    }

    fn next_wake(&self) -> Option<Moment> {
        let counts_down =
            matches!(self.views.borrow().screen, Screen::Waiting { .. } | Screen::Confirm { .. });
        // Never ahead of now, or a clock that was set back would stop the countdown.
        let last_tick = self.last_tick.min(self.platform.clock.now());
        let countdown = counts_down.then(|| last_tick.after(COUNTDOWN));
        let deadline = self.machine.next_deadline().map(|due| due.max(last_tick.after(MIN_TICK)));
        countdown.into_iter().chain(deadline).min()
    }

    fn shows(&self, problem: Problem) -> bool {
        let shown = &self.views.borrow().screen;
        matches!(shown, Screen::Problem { code, .. } if *code == problem.code())
    }

    fn draw_receiver(&self, receiver: CallbackReceiver) -> ReceiverSecrets {
        let secret = || URL_SAFE_NO_PAD.encode(self.draw::<32>());
        ReceiverSecrets {
            receiver,
            state: State::new(secret()),
            verifier: CodeVerifier::new(secret()),
        }
    }

    fn draw<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.platform.random.fill(&mut bytes);
        bytes
    }
}
