//! The running emulator's one piece of shared state, and its two ambient things: the clock and the
//! random numbers. Everything below takes them as arguments.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{TryRngCore, rngs::OsRng};
use tokio::sync::Notify;

use crate::codes::Codes;
use crate::environment::Environment;
use crate::faults::Faults;
use crate::ids::{Entropy, drawn};
use crate::secret::Secret;
use crate::seed::Seed;
use crate::sessions::Sessions;

/// The emulator; clones share one state.
#[derive(Debug, Clone)]
pub struct Emulator(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    release: Notify,
}

#[derive(Debug)]
pub(crate) struct State {
    pub environment: Environment,
    pub codes: Codes,
    pub faults: Faults,
    pub sessions: Sessions,
}

impl Emulator {
    /// An environment with what the seed names, without sessions and without faults.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        let state = State {
            environment: Environment::new(seed),
            codes: Codes::default(),
            faults: Faults::default(),
            sessions: Sessions::default(),
        };
        Self(Arc::new(Shared { state: Mutex::new(state), release: Notify::new() }))
    }

    /// One transition under the lock; a panic in an earlier one does not end the emulator.
    pub(crate) fn with<T>(&self, transition: impl FnOnce(&mut State) -> T) -> T {
        transition(&mut self.0.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Woken when the faults are cleared: what held calls wait for.
    pub(crate) fn release(&self) -> &Notify {
        &self.0.release
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
