//! The running emulator's one piece of shared state, and its two ambient things: the clock and the
//! random numbers. Everything below takes them as arguments.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use rand::{TryRngCore, rngs::OsRng};
use tokio::sync::Notify;

use crate::authkit::{Agent, AuthKit, Context};
use crate::codes::{AccessTokens, Codes};
use crate::directories::Directories;
use crate::environment::Environment;
use crate::events::Events;
use crate::faults::Faults;
use crate::ids::{Entropy, Random, drawn};
use crate::links::Links;
use crate::profile::Profile;
use crate::secret::Secret;
use crate::seed::Seed;
use crate::sessions::Sessions;
use crate::signing::SigningKey;
use crate::timestamp::Timestamp;
use crate::webhooks::Webhooks;

/// The emulator; clones share one state.
#[derive(Debug, Clone)]
pub struct Emulator(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    release: Notify,
    happened: Notify,
    /// Made when it is needed first: most tests do without.
    signing_key: OnceLock<SigningKey>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub environment: Environment,
    /// Codes of standalone SSO.
    pub codes: Codes<Profile>,
    pub access_tokens: AccessTokens,
    pub authkit: AuthKit,
    pub events: Events,
    pub directories: Directories,
    pub links: Links,
    pub webhooks: Webhooks,
    /// How far the emulator's clock is ahead of the machine's.
    pub clock_ahead: Duration,
    pub faults: Faults,
    pub sessions: Sessions,
}

impl Emulator {
    /// An environment with what the seed names, without sessions and without faults.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        let state = State {
            authkit: AuthKit::new(&seed),
            directories: Directories::new(&seed.directories),
            webhooks: Webhooks::new(&seed.webhook_endpoints),
            environment: Environment::new(seed),
            codes: Codes::default(),
            access_tokens: AccessTokens::default(),
            events: Events::default(),
            links: Links::default(),
            clock_ahead: Duration::ZERO,
            faults: Faults::new(crate::http::table::names()),
            sessions: Sessions::default(),
        };
        let (state, release, happened) = (Mutex::new(state), Notify::new(), Notify::new());
        let signing_key = OnceLock::new();
        Self(Arc::new(Shared { state, release, happened, signing_key }))
    }

    /// One transition under the lock; a panic in an earlier one does not end the emulator.
    pub(crate) fn with<T>(&self, transition: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.events.all().len();
        let outcome = transition(&mut state);
        if state.events.all().len() > before {
            self.0.happened.notify_one();
        }
        outcome
    }

    /// Woken when an event was recorded.
    pub(crate) fn happened(&self) -> &Notify {
        &self.0.happened
    }

    /// One transition of AuthKit under the lock, with the moment and random values for it.
    pub(crate) fn transition<T>(
        &self,
        agent: Agent,
        transition: impl FnOnce(&mut AuthKit, &mut Context<'_>) -> T,
    ) -> anyhow::Result<T> {
        let random = Random::new(draw_secret()?);
        Ok(self.with(|state| {
            let now = state.now();
            let (environment, events) = (&state.environment, &mut state.events);
            let mut context = Context { environment, events, random, now, agent };
            transition(&mut state.authkit, &mut context)
        }))
    }

    /// # Errors
    /// When the machine has no random numbers.
    pub(crate) fn signing_key(&self) -> anyhow::Result<&SigningKey> {
        if let Some(key) = self.0.signing_key.get() {
            return Ok(key);
        }
        let key = SigningKey::generate()?;
        Ok(self.0.signing_key.get_or_init(|| key))
    }

    /// Woken when the faults are cleared: what held calls wait for.
    pub(crate) fn release(&self) -> &Notify {
        &self.0.release
    }
}

impl State {
    /// The moment on the emulator's clock.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::of_clock(SystemTime::now(), self.clock_ahead)
    }
}

pub(crate) fn entropy() -> anyhow::Result<Entropy> {
    let mut entropy = Entropy::default();
    OsRng.try_fill_bytes(&mut entropy)?;
    Ok(entropy)
}

/// A fresh authorization code or access token: 130 random bits.
pub(crate) fn draw_secret() -> anyhow::Result<Secret> {
    Ok(Secret::from(drawn(&entropy()?)))
}

pub(crate) fn draw_request_id() -> anyhow::Result<String> {
    Ok(drawn(&entropy()?))
}
