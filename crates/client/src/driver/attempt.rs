//! What the driver itself remembers of an attempt: its device key, where its loopback receiver is,
//! and whether its receivers are still open. The attempt's state is the machine's.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use keyport_core::{AttemptId, Problem, Store};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

use crate::http::DeviceKey;
use crate::loopback::ShortLink;
use crate::session::Sessions;

/// Remembered after their receivers are closed, to tell the companion how they ended.
const REMEMBERED: usize = 8;

pub(super) struct Attempt {
    pub id: AttemptId,
    /// Whether it can stand in the keychain.
    pub is_kept: bool,
    pub prepared: OnceLock<Prepared>,
    pub listening: Mutex<Option<JoinHandle<()>>>,
    closed: watch::Sender<bool>,
}

/// Known once the receivers are open.
pub(super) struct Prepared {
    pub key: Arc<DeviceKey>,
    pub store: Store,
    pub loopback: Option<Url>,
    /// The short link of the loopback listener.
    pub short_link: Option<ShortLink>,
}

impl Attempt {
    fn new(id: AttemptId, is_kept: bool) -> Self {
        Self {
            id,
            is_kept,
            prepared: OnceLock::new(),
            listening: Mutex::default(),
            closed: watch::Sender::new(false),
        }
    }

    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// Changes to true when the receivers of the callback close; ends when the attempt is dropped.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// The key that pushed it. One that was pushed before a restart was pushed with the kept one.
    pub(super) async fn key(&self, sessions: &Sessions) -> Result<Arc<DeviceKey>, Problem> {
        match self.prepared.get() {
            Some(prepared) => Ok(prepared.key.clone()),
            None => sessions.kept_device_key().await,
        }
    }

    /// Where its session goes. Only an attempt for the keychain outlives a restart.
    pub(super) fn store(&self) -> Store {
        self.prepared.get().map_or(Store::Keychain, |prepared| prepared.store)
    }

    pub(super) fn listens(&self, task: JoinHandle<()>) {
        *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    pub(super) fn listener(&self) -> Option<JoinHandle<()>> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The last few attempts.
#[derive(Default)]
pub(super) struct Attempts(Vec<Arc<Attempt>>);

impl Attempts {
    pub(super) fn begin(&mut self, id: AttemptId, is_kept: bool) -> Arc<Attempt> {
        if self.0.len() >= REMEMBERED {
            self.0.remove(0);
        }
        let attempt = Arc::new(Attempt::new(id, is_kept));
        self.0.push(attempt.clone());
        attempt
    }

    /// One that is not known comes from the keychain.
    pub(super) fn find(&mut self, id: &AttemptId) -> Arc<Attempt> {
        match self.0.iter().find(|attempt| attempt.id == *id) {
            Some(attempt) => attempt.clone(),
            None => self.begin(id.clone(), true),
        }
    }

    pub(super) fn all(&self) -> &[Arc<Attempt>] {
        &self.0
    }
}

/// Returns when the receivers are closed.
pub(super) async fn until_closed(mut closing: watch::Receiver<bool>) {
    // An error means that the attempt is forgotten, which is as good as closed.
    let _ = closing.wait_for(|closed| *closed).await;
}
