//! The task that owns the machine: inputs in, effects out, and each step's view and notices.

use std::sync::Arc;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyport_core::secret::{CodeVerifier, State};
use keyport_core::{
    AttemptId, CallbackReceiver, Draws, Effect, Event, Intent, Machine, Moment, ReceiverOrder,
    ReceiverSecrets, Screen, View,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::effects::EffectRunner;
use super::notices::Notices;
use super::{Input, hex};
use crate::platform::{Clock, Random};
use crate::session::SaveLock;

/// How often a screen with a countdown is drawn.
const COUNTDOWN: Duration = Duration::from_secs(1);
/// A deadline that a tick did not move is not looked at again sooner than this.
const MIN_TICK: Duration = Duration::from_millis(100);
/// What finishing may take when the client ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct Engine {
    pub(super) machine: Machine,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    pub(super) runner: EffectRunner,
    views: watch::Sender<View>,
    notices: Notices,
    last_tick: Moment,
    pub(super) ignored: u64,
}

impl Engine {
    pub(super) fn new(
        order: ReceiverOrder,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        runner: EffectRunner,
        notices: Notices,
    ) -> (Self, watch::Receiver<View>) {
        let now = clock.now();
        let (machine, effects) = Machine::start(order, now);
        let (views, shown) = watch::channel(View::of(&machine, now));
        let last_tick = Moment(0);
        let mut engine =
            Self { machine, clock, random, runner, views, notices, last_tick, ignored: 0 };
        engine.run_effects(effects);
        (engine, shown)
    }

    pub(super) async fn run(mut self, mut received: mpsc::UnboundedReceiver<Input>) {
        let clock = self.clock.clone();
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
                        Input::Intent(_)
                        | Input::Callback(_)
                        | Input::ShutDown(_) => {}
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
        let unlocks_first = self.machine.unlocks_first(&intent);
        let event = Event::Intended { intent, draws: draws(&*self.random) };
        if unlocks_first {
            self.runner.unlock_then(event);
        } else {
            self.step(event);
        }
    }

    pub(super) fn step(&mut self, event: Event) {
        let now = self.clock.now();
        let (machine, effects) = self.machine.clone().step(event, now);
        self.machine = machine;
        self.run_effects(effects);
        self.draw_view(now);
    }

    fn run_effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.runner.run(effect, &self.machine);
        }
        self.runner.batch_ends();
    }

    fn next_wake(&self) -> Option<Moment> {
        let counts_down =
            matches!(self.views.borrow().screen, Screen::Waiting { .. } | Screen::Confirm { .. });
        // Never ahead of now, or a clock that was set back would stop the countdown.
        let last_tick = self.last_tick.min(self.clock.now());
        let countdown = counts_down.then(|| last_tick.after(COUNTDOWN));
        let deadline = self.machine.next_deadline().map(|due| due.max(last_tick.after(MIN_TICK)));
        countdown.into_iter().chain(deadline).min()
    }

    fn draw_view(&self, now: Moment) {
        let view = View::of(&self.machine, now);
        self.views.send_if_modified(|shown| {
            let is_new = view != *shown;
            if is_new {
                self.notices.of_view(shown, &view);
                *shown = view;
            }
            is_new
        });
    }
}

/// The random values of the attempt that an intent may begin.
fn draws(random: &dyn Random) -> Draws {
    let secret = || URL_SAFE_NO_PAD.encode(draw::<32>(random));
    let drawn = |receiver| ReceiverSecrets {
        receiver,
        state: State::new(secret()),
        verifier: CodeVerifier::new(secret()),
    };
    let receivers = CallbackReceiver::ALL.map(drawn).to_vec();
    Draws { attempt: AttemptId(hex(draw::<16>(random))), receivers }
}

fn draw<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}
