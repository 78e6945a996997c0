//! What the driver itself remembers of an attempt: its device key, its receivers, and whether they
//! are still open. The attempt's state is the machine's.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use keyport_core::{AttemptId, CallbackReceiver, Problem, SessionStore};
use tokio::sync::watch;
use url::Url;

use crate::http::DeviceKey;
use crate::receivers::OpenReceiver;
use crate::receivers::loopback::ShortLink;
use crate::session::Sessions;

/// Remembered after their receivers are closed, to tell the companion how they ended.
const REMEMBERED: usize = 8;

pub(super) struct Attempt {
    pub id: AttemptId,
    /// Whether it can stand in the keychain.
    pub is_kept: bool,
    pub prepared: OnceLock<Prepared>,
    receivers: Mutex<Vec<OpenReceiver>>,
    closed: watch::Sender<bool>,
}

/// Known once the receivers are open.
pub(super) struct Prepared {
    pub key: Arc<DeviceKey>,
    pub store: SessionStore,
}

impl Attempt {
    fn new(id: AttemptId, is_kept: bool) -> Self {
        Self {
            id,
            is_kept,
            prepared: OnceLock::new(),
            receivers: Mutex::default(),
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
    pub(super) fn store(&self) -> SessionStore {
        self.prepared.get().map_or(SessionStore::Keychain, |prepared| prepared.store)
    }

    pub(super) fn opened(&self, receiver: OpenReceiver) {
        self.receivers().push(receiver);
    }

    /// Where the browser takes the callback, if a receiver of this kind is open or was.
    pub(super) fn redirect_uri(&self, kind: CallbackReceiver) -> Option<Url> {
        let receivers = self.receivers();
        let receiver = receivers.iter().find(|receiver| receiver.kind == kind);
        receiver.map(|receiver| receiver.redirect_uri.clone())
    }

    pub(super) fn short_link(&self) -> Option<ShortLink> {
        self.receivers().iter().find_map(|receiver| receiver.short_link.clone())
    }

    /// Returns when the receivers, once closed, have sent their last answers.
    pub(super) async fn served(&self) {
        let receivers = std::mem::take(&mut *self.receivers());
        for serving in receivers.into_iter().filter_map(|receiver| receiver.serving) {
            let _ = serving.await;
        }
    }

    fn receivers(&self) -> MutexGuard<'_, Vec<OpenReceiver>> {
        self.receivers.lock().unwrap_or_else(PoisonError::into_inner)
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
