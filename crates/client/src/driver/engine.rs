//! The task that owns the machine: inputs in, effects out, and each step's view and notices.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyport_core::effect::Outcome;
use keyport_core::secret::{CodeVerifier, RawCallback, State};
use keyport_core::{
    AttemptId, AttemptSeed, Callback, Door, DoorSeed, Effect, Event, Lifetime, Machine, Moment,
    Problem, Screen, View,
};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::chores::Chores;
use super::{Input, Inputs, Intent, Links, Notice, hex, short};
use crate::config::Config;
use crate::loopback::{self, Answer};
use crate::session::{SaveTurn, Sessions};
use crate::surroundings::Platform;

/// The path of the loopback redirect URI, with which its request targets begin.
const LOOPBACK_PATH: &str = "/callback";
/// How often a screen with a countdown is drawn.
const COUNTDOWN: Lifetime = Lifetime::seconds(1);
/// A deadline that a tick did not move is not looked at again sooner than this.
const SOON: Lifetime = Lifetime(100);
/// What finishing may take when the client ends.
const LAST: Duration = Duration::from_secs(5);

pub(super) struct Engine {
    machine: Machine,
    platform: Platform,
    link: &'static str,
    sessions: Sessions,
    chores: Chores,
    views: watch::Sender<View>,
    notices: broadcast::Sender<Notice>,
    last_tick: Moment,
    noise: u64,
}

impl Engine {
    pub(super) fn new(
        links: Links,
        config: Config,
        platform: Platform,
        sessions: Sessions,
        inputs: Inputs,
        notices: broadcast::Sender<Notice>,
    ) -> (Self, watch::Receiver<View>) {
        let now = platform.clock.now();
        let (machine, effects) = Machine::start(now);
        let (views, shown) = watch::channel(View::of(&machine, now));
        let link = config.channel.link;
        let chores = Chores::new(links, config, platform.clone(), sessions.clone(), inputs);
        let mut engine = Self {
            machine,
            platform,
            link,
            sessions,
            chores,
            views,
            notices,
            last_tick: Moment(0),
            noise: 0,
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
                () = self.chores.one_finished() => {}
            }
        }
    }

    /// What is under way may still end well or badly, and what follows from that is done too: a
    /// session that nobody waits for is revoked, a page is told. Nothing new begins.
    async fn shut_down(
        mut self,
        mut received: mpsc::UnboundedReceiver<Input>,
        done: oneshot::Sender<()>,
    ) {
        self.chores.close_all_doors();
        let finish = async {
            loop {
                tokio::select! {
                    biased;
                    Some(input) = received.recv() => match input {
                        Input::Event(event) => self.step(event),
                        Input::Exchanged(event, turn) => self.exchanged(event, turn),
                        _ => {}
                    },
                    more = self.chores.next_finished() => if !more {
                        break;
                    },
                }
            }
            self.chores.end().await;
        };
        if timeout(LAST, finish).await.is_err() {
            tracing::warn!("not everything was finished at the end");
        }
        let _ = done.send(());
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Intent(intent) => self.intend(intent),
            Input::Link(raw) => self.link_arrived(&raw),
            Input::Loopback(callback) => self.loopback_called(callback),
            Input::Event(event) => self.step(event),
            Input::Exchanged(event, turn) => self.exchanged(event, turn),
            Input::ShutDown(_) => {}
        }
    }

    /// The machine has the session saved, held or revoked, whatever its state; the turn is there
    /// for this step, so where it is not saved others need not wait.
    fn exchanged(&mut self, event: Event, mut turn: Option<Box<SaveTurn>>) {
        turn.iter_mut().for_each(|turn| turn.session_is_taken());
        self.chores.save_turn = turn;
        self.step(event);
        self.chores.save_turn = None;
    }

    fn intend(&mut self, intent: Intent) {
        let event = match intent {
            Intent::SignIn { hints, doors, store } => {
                let doors = doors.into_iter().map(|door| self.draw_door(door)).collect();
                let id = AttemptId(hex(self.draw::<16>()));
                tracing::info!(attempt = short(&id), "sign-in wanted");
                Event::SignInWanted(AttemptSeed { id, doors, hints, store })
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
            self.chores.unlock_then(event);
        } else {
            self.step(event);
        }
    }

    fn link_arrived(&mut self, raw: &RawCallback) {
        match Callback::parse(Door::Link, self.link, raw) {
            Err(noise) => self.count_noise(Door::Link, &noise.to_string()),
            Ok(callback) => {
                if !self.machine.holds_callbacks() && !self.machine.expects(&callback) {
                    self.count_noise(Door::Link, "nobody waits for it");
                }
                self.step(Event::Called(callback));
            }
        }
    }

    fn loopback_called(&mut self, call: loopback::Callback) {
        match Callback::parse(Door::Loopback, LOOPBACK_PATH, &call.raw) {
            Err(noise) => {
                self.count_noise(Door::Loopback, &noise.to_string());
                call.answer(Answer::Ignore);
            }
            Ok(callback) if !self.machine.expects(&callback) => {
                self.count_noise(Door::Loopback, "nobody waits for it");
                call.answer(Answer::Ignore);
            }
            Ok(callback) => {
                tracing::info!(door = ?Door::Loopback, "callback received");
                let issuer = self.sessions.companion().issuer();
                let back_to =
                    callback.handoff.as_deref().and_then(|handoff| issuer.handoff_page(handoff));
                call.answer(Answer::Accept { back_to });
                self.step(Event::Called(callback));
            }
        }
    }

    /// Its kind, never its content.
    fn count_noise(&mut self, door: Door, kind: &str) {
        self.noise += 1;
        tracing::info!(?door, kind, count = self.noise, "a callback that is not ours");
    }

    fn step(&mut self, event: Event) {
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
            self.chores.run(effect);
        }
        self.chores.batch_ends();
    }

    fn announce(&self, effect: &Effect) {
        match effect {
            Effect::OpenBrowser { url, .. } => {
                self.notify(Notice::AuthorizationUrl(url.clone()));
            }
            Effect::CopyLink { url } if self.platform.clipboard.is_none() => {
                self.notify(Notice::AuthorizationUrl(url.clone()));
            }
            Effect::Raise => self.notify(Notice::Raise),
            Effect::Report { attempt, outcome: Outcome::Stored | Outcome::Memory } => {
                if let Some((account, stored)) = self.machine.signed_in() {
                    tracing::info!(attempt = short(attempt), ?stored, "session stored");
                    let (account, not_saved) =
                        (Box::new(account.clone()), self.machine.not_saved());
                    self.notify(Notice::SignedIn { account, stored, not_saved });
                }
            }
            _ => {}
        }
    }

    fn draw_view(&self, now: Moment) {
        let view = View::of(&self.machine, now);
        let before = self.views.borrow().clone();
        match &view.screen {
            Screen::Confirm { number, .. } if !shows_number(&before, number) => {
                self.notify(Notice::Confirm(number.clone()));
            }
            Screen::Problem { code, attempt, .. } if view != before => {
                let problem = Problem::from_code(code).unwrap_or(Problem::Internal);
                tracing::info!(attempt, problem = code, "a problem is shown");
                self.notify(Notice::Problem { problem, attempt: attempt.clone() });
            }
            _ => {}
        }
        if view != before {
            self.views.send_replace(view);
        }
    }

    fn notify(&self, notice: Notice) {
        // Nobody has to listen.
        let _ = self.notices.send(notice);
    }

    fn next_wake(&self) -> Option<Moment> {
        let counts_down =
            matches!(self.views.borrow().screen, Screen::Waiting { .. } | Screen::Confirm { .. });
        // Never ahead of now, or a clock that was set back would stop the countdown.
        let last_tick = self.last_tick.min(self.platform.clock.now());
        let countdown = counts_down.then(|| last_tick.after(COUNTDOWN));
        let deadline = self.machine.next_deadline().map(|due| due.max(last_tick.after(SOON)));
        countdown.into_iter().chain(deadline).min()
    }

    fn shows(&self, problem: Problem) -> bool {
        let shown = &self.views.borrow().screen;
        matches!(shown, Screen::Problem { code, .. } if *code == problem.code())
    }

    fn draw_door(&self, door: Door) -> DoorSeed {
        let secret = || URL_SAFE_NO_PAD.encode(self.draw::<32>());
        DoorSeed { door, state: State::new(secret()), verifier: CodeVerifier::new(secret()) }
    }

    fn draw<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.platform.random.fill(&mut bytes);
        bytes
    }
}

fn shows_number(view: &View, shown: &str) -> bool {
    matches!(&view.screen, Screen::Confirm { number, .. } if number == shown)
}
