//! A keychain with moods: what is asked of it can be refused, item by item, and an item can be
//! damaged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use keyport_client::keychain::{
    Answered, Item, Keychain, KeychainTrouble, MemoryKeychain, SecretBytes,
};
use keyport_client::locks::{LockTrouble, Locking};

#[derive(Default)]
pub struct MoodyKeychain {
    items: MemoryKeychain,
    moods: Mutex<Moods>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Moods {
    probe: Option<KeychainTrouble>,
    read: Option<KeychainTrouble>,
    write: BTreeMap<String, KeychainTrouble>,
    delete: BTreeMap<String, KeychainTrouble>,
    late: Option<String>,
    stalls: Option<(String, watch::Receiver<bool>)>,
    damaged: BTreeSet<String>,
    aside: Vec<String>,
    lock: Option<fn() -> LockTrouble>,
    lock_waits: watch::Sender<usize>,
    newer: BTreeSet<String>,
    cannot_list: bool,
}

impl MoodyKeychain {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    pub fn fails_probes(&self, trouble: impl Into<Option<KeychainTrouble>>) {
        self.moods.lock().unwrap().probe = trouble.into();
    }

    pub fn fails_reads(&self, trouble: impl Into<Option<KeychainTrouble>>) {
        self.moods.lock().unwrap().read = trouble.into();
    }

    /// Writing items whose name begins so.
    pub fn fails_writes(&self, name: &str, trouble: KeychainTrouble) {
        self.moods.lock().unwrap().write.insert(name.to_owned(), trouble);
    }

    pub fn fails_deletes(&self, name: &str, trouble: KeychainTrouble) {
        self.moods.lock().unwrap().delete.insert(name.to_owned(), trouble);
    }

    /// Items whose name begins so are written when nobody waits for the answer any more.
    pub fn writes_late(&self, name: &str) {
        self.moods.lock().unwrap().late = Some(name.to_owned());
    }

    /// Writing items whose name begins so waits for the test.
    pub fn stalls_writes(&self, name: &str, go: watch::Receiver<bool>) {
        self.moods.lock().unwrap().stalls = Some((name.to_owned(), go));
    }

    /// Taking the lock ends so.
    pub fn fails_locks(&self, trouble: Option<fn() -> LockTrouble>) {
        self.moods.lock().unwrap().lock = trouble;
    }

    /// How many have asked for the lock while another had it.
    pub fn lock_waits(&self) -> watch::Receiver<usize> {
        self.moods.lock().unwrap().lock_waits.subscribe()
    }

    pub fn is_well_again(&self) {
        let mut moods = self.moods.lock().unwrap();
        moods.write.clear();
        moods.delete.clear();
        (moods.probe, moods.read, moods.late) = (None, None, None);
    }

    pub fn damage(&self, item: &Item) {
        self.moods.lock().unwrap().damaged.insert(item.name());
    }

    /// A newer version has written the item.
    pub fn is_of_a_newer_version(&self, item: &Item) {
        self.moods.lock().unwrap().newer.insert(item.name());
    }

    /// As a platform whose items cannot be listed.
    pub fn cannot_list(&self) {
        self.moods.lock().unwrap().cannot_list = true;
    }

    /// The keychain signals a change.
    pub fn signals_a_change(&self) {
        self.changed.send_replace(());
    }

    pub fn set_aside_so_far(&self) -> Vec<String> {
        self.moods.lock().unwrap().aside.clone()
    }

    /// As text, past every mood.
    pub async fn text_of(&self, item: &Item) -> Option<String> {
        let bytes = self.items.read(item).await.unwrap()?;
        Some(String::from_utf8(bytes.expose().to_vec()).unwrap())
    }

    pub async fn put(&self, item: &Item, text: &str) {
        self.items.write(item, &SecretBytes::new(text.as_bytes())).await.unwrap();
    }
}

fn refused(moods: &BTreeMap<String, KeychainTrouble>, item: &Item) -> Option<KeychainTrouble> {
    let name = item.name();
    moods.iter().find(|(start, _)| name.starts_with(start.as_str())).map(|(_, trouble)| *trouble)
}

fn at_once<'a, T: Send + 'a>(answer: Result<T, KeychainTrouble>) -> Answered<'a, T> {
    Box::pin(std::future::ready(answer))
}

impl Keychain for MoodyKeychain {
    fn probe(&self) -> Answered<'_, ()> {
        match self.moods.lock().unwrap().probe {
            Some(trouble) => at_once(Err(trouble)),
            None => self.items.probe(),
        }
    }

    fn read<'a>(&'a self, item: &'a Item) -> Answered<'a, Option<SecretBytes>> {
        let moods = self.moods.lock().unwrap();
        match moods.read {
            Some(trouble) => at_once(Err(trouble)),
            None if moods.newer.contains(&item.name()) => at_once(Err(KeychainTrouble::Newer)),
            None if moods.damaged.contains(&item.name()) => at_once(Err(KeychainTrouble::Corrupt)),
            None => self.items.read(item),
        }
    }

    fn write<'a>(&'a self, item: &'a Item, secret: &'a SecretBytes) -> Answered<'a, ()> {
        let moods = self.moods.lock().unwrap();
        if moods.newer.contains(&item.name()) {
            return at_once(Err(KeychainTrouble::Newer));
        }
        if let Some((name, go)) = &moods.stalls
            && item.name().starts_with(name)
        {
            let mut go = go.clone();
            return Box::pin(async move {
                let _ = go.wait_for(|go| *go).await;
                self.items.write(item, secret).await
            });
        }
        if moods.late.as_ref().is_some_and(|name| item.name().starts_with(name)) {
            return Box::pin(async move {
                self.items.write(item, secret).await?;
                Err(KeychainTrouble::Slow)
            });
        }
        match refused(&moods.write, item) {
            Some(trouble) => at_once(Err(trouble)),
            None => self.items.write(item, secret),
        }
    }

    fn delete<'a>(&'a self, item: &'a Item) -> Answered<'a, ()> {
        let moods = self.moods.lock().unwrap();
        if moods.newer.contains(&item.name()) {
            return at_once(Err(KeychainTrouble::Newer));
        }
        match refused(&moods.delete, item) {
            Some(trouble) => at_once(Err(trouble)),
            None => self.items.delete(item),
        }
    }

    fn set_aside<'a>(&'a self, item: &'a Item) -> Answered<'a, ()> {
        let mut moods = self.moods.lock().unwrap();
        if moods.newer.contains(&item.name()) {
            return at_once(Err(KeychainTrouble::Newer));
        }
        moods.aside.push(item.name());
        moods.damaged.remove(&item.name());
        self.items.delete(item)
    }

    fn unlock(&self) -> Answered<'_, ()> {
        self.is_well_again();
        at_once(Ok(()))
    }

    fn lock(&self, wait: Duration) -> Locking<'_> {
        if let Some(trouble) = self.moods.lock().unwrap().lock {
            return Box::pin(std::future::ready(Err(trouble())));
        }
        Box::pin(async move {
            match self.items.lock(Duration::ZERO).await {
                Err(LockTrouble::Busy) => {}
                taken => return taken,
            }
            self.moods.lock().unwrap().lock_waits.send_modify(|waits| *waits += 1);
            self.items.lock(wait).await
        })
    }

    fn check_lock(&self) -> Locking<'_, ()> {
        let lock = self.moods.lock().unwrap().lock;
        Box::pin(std::future::ready(match lock.map(|trouble| trouble()) {
            None | Some(LockTrouble::Busy) => Ok(()),
            Some(trouble) => Err(trouble),
        }))
    }

    fn list(&self) -> Answered<'_, Option<Vec<String>>> {
        let moods = self.moods.lock().unwrap();
        match moods.read {
            Some(trouble) => at_once(Err(trouble)),
            None if moods.cannot_list => at_once(Ok(None)),
            None => self.items.list(),
        }
    }

    fn changes(&self) -> Option<watch::Receiver<()>> {
        Some(self.changed.subscribe())
    }
}
