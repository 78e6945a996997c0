//! A keychain with faults: what is asked of it can be refused, item by item, and an item can be
//! damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use keyport_client::keychain::{
    Answered, Item, Keychain, KeychainError, MemoryKeychain, SecretBytes,
};
use keyport_client::locks::{LockError, Locking};

#[derive(Default)]
pub struct FaultyKeychain {
    items: MemoryKeychain,
    faults: Mutex<Faults>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Faults {
    probe: Option<KeychainError>,
    read: Option<KeychainError>,
    write: BTreeMap<String, KeychainError>,
    delete: BTreeMap<String, KeychainError>,
    late: Option<String>,
    stalls: Option<(String, watch::Receiver<bool>)>,
    damaged: BTreeSet<String>,
    aside: Vec<String>,
    lock: Option<fn() -> LockError>,
    lock_waits: watch::Sender<usize>,
    newer: BTreeSet<String>,
    cannot_list: bool,
}

impl FaultyKeychain {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn fails_probes(&self, error: impl Into<Option<KeychainError>>) {
        self.faults.lock().unwrap().probe = error.into();
    }

    pub fn fails_reads(&self, error: impl Into<Option<KeychainError>>) {
        self.faults.lock().unwrap().read = error.into();
    }

    /// Writing items whose name begins so.
    pub fn fails_writes(&self, name: &str, error: KeychainError) {
        self.faults.lock().unwrap().write.insert(name.to_owned(), error);
    }

    pub fn fails_deletes(&self, name: &str, error: KeychainError) {
        self.faults.lock().unwrap().delete.insert(name.to_owned(), error);
    }

    /// Items whose name begins so are written when the caller no longer waits for the answer.
    pub fn writes_late(&self, name: &str) {
        self.faults.lock().unwrap().late = Some(name.to_owned());
    }

    /// Writing items whose name begins so waits for the test.
    pub fn stalls_writes(&self, name: &str, go: watch::Receiver<bool>) {
        self.faults.lock().unwrap().stalls = Some((name.to_owned(), go));
    }

    /// Taking the lock ends so.
    pub fn fails_locks(&self, error: Option<fn() -> LockError>) {
        self.faults.lock().unwrap().lock = error;
    }

    /// How many have asked for the lock while another had it.
    pub fn lock_waits(&self) -> watch::Receiver<usize> {
        self.faults.lock().unwrap().lock_waits.subscribe()
    }

    pub fn is_well_again(&self) {
        let mut faults = self.faults.lock().unwrap();
        faults.write.clear();
        faults.delete.clear();
        (faults.probe, faults.read, faults.late) = (None, None, None);
    }

    pub fn damage(&self, item: &Item) {
        self.faults.lock().unwrap().damaged.insert(item.name());
    }

    /// A newer version has written the item.
    pub fn is_of_a_newer_version(&self, item: &Item) {
        self.faults.lock().unwrap().newer.insert(item.name());
    }

    /// As a platform whose items cannot be listed.
    pub fn cannot_list(&self) {
        self.faults.lock().unwrap().cannot_list = true;
    }

    /// The keychain signals a change.
    pub fn signals_a_change(&self) {
        self.changed.send_replace(());
    }

    pub fn set_aside_so_far(&self) -> Vec<String> {
        self.faults.lock().unwrap().aside.clone()
    }

    /// As text, past every fault.
    pub async fn text_of(&self, item: &Item) -> Option<String> {
        let bytes = self.items.read(item).await.unwrap()?;
        Some(String::from_utf8(bytes.expose().to_vec()).unwrap())
    }

    pub async fn put(&self, item: &Item, text: &str) {
        self.items.write(item, &SecretBytes::new(text.as_bytes())).await.unwrap();
    }
}

fn refused(faults: &BTreeMap<String, KeychainError>, item: &Item) -> Option<KeychainError> {
    let name = item.name();
    faults.iter().find(|(start, _)| name.starts_with(start.as_str())).map(|(_, error)| *error)
}

fn at_once<'a, T: Send + 'a>(answer: Result<T, KeychainError>) -> Answered<'a, T> {
    Box::pin(std::future::ready(answer))
}

impl Keychain for FaultyKeychain {
    fn probe(&self) -> Answered<'_, ()> {
        match self.faults.lock().unwrap().probe {
            Some(error) => at_once(Err(error)),
            None => self.items.probe(),
        }
    }

    fn read<'a>(&'a self, item: &'a Item) -> Answered<'a, Option<SecretBytes>> {
        let faults = self.faults.lock().unwrap();
        match faults.read {
            Some(error) => at_once(Err(error)),
            None if faults.newer.contains(&item.name()) => at_once(Err(KeychainError::Newer)),
            None if faults.damaged.contains(&item.name()) => at_once(Err(KeychainError::Corrupt)),
            None => self.items.read(item),
        }
    }

    fn write<'a>(&'a self, item: &'a Item, secret: &'a SecretBytes) -> Answered<'a, ()> {
        let faults = self.faults.lock().unwrap();
        if faults.newer.contains(&item.name()) {
            return at_once(Err(KeychainError::Newer));
        }
        if let Some((name, go)) = &faults.stalls
            && item.name().starts_with(name)
        {
            let mut go = go.clone();
            return Box::pin(async move {
                let _ = go.wait_for(|go| *go).await;
                self.items.write(item, secret).await
            });
        }
        if faults.late.as_ref().is_some_and(|name| item.name().starts_with(name)) {
            return Box::pin(async move {
                self.items.write(item, secret).await?;
                Err(KeychainError::Slow)
            });
        }
        match refused(&faults.write, item) {
            Some(error) => at_once(Err(error)),
            None => self.items.write(item, secret),
        }
    }

    fn delete<'a>(&'a self, item: &'a Item) -> Answered<'a, ()> {
        let faults = self.faults.lock().unwrap();
        if faults.newer.contains(&item.name()) {
            return at_once(Err(KeychainError::Newer));
        }
        match refused(&faults.delete, item) {
            Some(error) => at_once(Err(error)),
            None => self.items.delete(item),
        }
    }

    fn set_aside<'a>(&'a self, item: &'a Item) -> Answered<'a, ()> {
        let mut faults = self.faults.lock().unwrap();
        if faults.newer.contains(&item.name()) {
            return at_once(Err(KeychainError::Newer));
        }
        faults.aside.push(item.name());
        faults.damaged.remove(&item.name());
        self.items.delete(item)
    }

    fn unlock(&self) -> Answered<'_, ()> {
        self.is_well_again();
        at_once(Ok(()))
    }

    fn lock(&self, wait: Duration) -> Locking<'_> {
        if let Some(error) = self.faults.lock().unwrap().lock {
            return Box::pin(std::future::ready(Err(error())));
        }
        Box::pin(async move {
            match self.items.lock(Duration::ZERO).await {
                Err(LockError::Busy) => {}
                taken => return taken,
            }
            self.faults.lock().unwrap().lock_waits.send_modify(|waits| *waits += 1);
            self.items.lock(wait).await
        })
    }

    fn check_lock(&self) -> Locking<'_, ()> {
        let lock = self.faults.lock().unwrap().lock;
        Box::pin(std::future::ready(match lock.map(|error| error()) {
            None | Some(LockError::Busy) => Ok(()),
            Some(error) => Err(error),
        }))
    }

    fn list(&self) -> Answered<'_, Option<Vec<String>>> {
        let faults = self.faults.lock().unwrap();
        match faults.read {
            Some(error) => at_once(Err(error)),
            None if faults.cannot_list => at_once(Ok(None)),
            None => self.items.list(),
        }
    }

    fn changes(&self) -> Option<watch::Receiver<()>> {
        Some(self.changed.subscribe())
    }
}
