//! Everything that an unauthenticated caller can do, at once: how much of it, and starting and
//! stopping it. All of it is bounded in count and time.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use keyport_tests::{Jar, NativeClient, World};
use reqwest::Method;
use tokio::task::JoinSet;
use url::Url;

use crate::sockets;

/// Tasks that push good requests.
const PUSHERS: u64 = 8;
/// Tasks that push made-up domains.
const DOMAIN_PUSHERS: usize = 2;
/// Tasks that come back with made-up codes.
const CODE_BRINGERS: usize = 4;
/// A nonce lives for a minute or two.
const NONCE: Duration = Duration::from_secs(30);
/// After an answer that could not be had.
const PAUSE: Duration = Duration::from_millis(100);

/// How much.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Pollers of one attempt that hang up.
    pub pollers: usize,
    /// Between two polls of one of them.
    pub poll_pause: Duration,
    /// Connections whose answers are not read.
    pub unread: usize,
    /// Connections that say nothing.
    pub idle: usize,
    /// Whether made-up codes come to the callback.
    pub codes: bool,
    /// Whether made-up domains are pushed.
    pub domains: bool,
    /// Good requests that are pushed.
    pub pushes: u64,
    /// The load lasts at least this long.
    pub shortest: Duration,
    /// And at most this long, whatever is done by then.
    pub longest: Duration,
    /// Whether a run counts only when all requests were pushed in that time.
    pub is_whole: bool,
}

impl Size {
    /// For `cargo xtask stress`.
    pub const LONG: Self = Self {
        pollers: 200,
        poll_pause: Duration::from_millis(1000),
        unread: 200,
        idle: 6000,
        codes: true,
        domains: true,
        pushes: 50_000,
        shortest: Duration::from_secs(120),
        longest: Duration::from_secs(1200),
        is_whole: true,
    };
    /// For every run of the tests, on a shared machine.
    pub const SHORT: Self = Self {
        pollers: 50,
        unread: 50,
        idle: 600,
        pushes: 500,
        shortest: Duration::from_secs(20),
        longest: Duration::from_secs(45),
        is_whole: false,
        ..Self::LONG
    };

    /// No more connections than this process may have open, with some left for the people.
    pub fn within(self, files: u64) -> Self {
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        let others = self.pollers + self.unread + 256;
        Self { idle: self.idle.min(files.saturating_sub(others)), ..self }
    }

    /// Only the loads whose name contains `word`.
    pub fn only(self, word: Option<&str>) -> Self {
        let is_meant = |name: &str| word.is_none_or(|word| name.contains(word));
        let count = |name: &str, count: usize| if is_meant(name) { count } else { 0 };
        Self {
            pollers: count("poll", self.pollers),
            unread: count("unread", self.unread),
            idle: count("idle", self.idle),
            codes: is_meant("code"),
            domains: is_meant("domain"),
            pushes: if is_meant("push") { self.pushes } else { 0 },
            ..self
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pollers, unread, idle, pushes, .. } = self;
        write!(f, "{pollers} pollers that hang up, {unread} connections that do not read, ")?;
        write!(f, "{idle} idle connections, {pushes} pushed requests")?;
        let said = [(self.codes, ", made-up codes"), (self.domains, ", made-up domains")];
        said.iter().filter(|(is_on, _)| *is_on).try_for_each(|(_, what)| f.write_str(what))
    }
}

/// What was done so far.
#[derive(Debug, Default)]
struct Done {
    polls: Arc<AtomicU64>,
    unread: Arc<AtomicU64>,
    idle: Arc<AtomicU64>,
    codes: AtomicU64,
    domains: AtomicU64,
    pushes: AtomicU64,
    pushes_left: AtomicU64,
}

/// The load while it lasts.
pub struct Load {
    tasks: JoinSet<()>,
    done: Arc<Done>,
    started: Instant,
}

/// The attacker's own attempt, which all of its requests belong to.
struct Attacker {
    companion: SocketAddr,
    issuer: Url,
    provider: String,
    device: Arc<NativeClient>,
    attempt: String,
}

/// Starts all of it.
pub fn start(world: &World, size: &Size) -> Result<Load> {
    let issuer = world.companion_url().clone();
    let host = issuer.host_str().context("a host")?;
    let companion: SocketAddr = format!("{host}:{}", issuer.port().context("a port")?).parse()?;
    let attacker = Arc::new(Attacker {
        companion,
        issuer,
        provider: world.emulator_url().to_string(),
        device: Arc::new(NativeClient::keeping_connections(world)?),
        attempt: "0123456789abcdef0123456789abcdef".to_owned(),
    });
    let done = Arc::new(Done::default());
    done.pushes_left.store(size.pushes, Ordering::Relaxed);
    let mut tasks = JoinSet::new();
    for _ in 0..size.idle {
        tasks.spawn(sockets::idle(companion, Arc::clone(&done.idle)));
    }
    for _ in 0..size.unread {
        tasks.spawn(sockets::unread(companion, Arc::clone(&done.unread)));
    }
    for _ in 0..size.pollers {
        let pause = size.poll_pause;
        tasks.spawn(poll(Arc::clone(&attacker), Arc::clone(&done.polls), pause));
    }
    tasks.spawn(keep_nonce(Arc::clone(&attacker)));
    for number in 0..if size.domains { DOMAIN_PUSHERS } else { 0 } {
        tasks.spawn(push_domains(Arc::clone(&attacker), Arc::clone(&done), number));
    }
    for _ in 0..if size.codes { CODE_BRINGERS } else { 0 } {
        tasks.spawn(bring_codes(Arc::clone(&attacker), Arc::clone(&done)));
    }
    for _ in 0..PUSHERS {
        let device = NativeClient::keeping_connections(world)?;
        tasks.spawn(push(device, Arc::clone(&done)));
    }
    Ok(Load { tasks, done, started: Instant::now() })
}

impl Load {
    /// Waits until as much is done as was wanted, or the longest time is over.
    pub async fn is_done(&self, size: &Size) {
        loop {
            let taken = self.started.elapsed();
            let is_enough = self.pushed() >= size.pushes && taken >= size.shortest;
            if is_enough || taken >= size.longest {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Good requests that the companion has taken.
    pub fn pushed(&self) -> u64 {
        self.done.pushes.load(Ordering::Relaxed)
    }

    /// Ends all of it at once; says what was done.
    pub async fn stop(mut self) -> String {
        self.tasks.shutdown().await;
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        format!(
            "{} polls, {} connections unread, {} idle (reopened ones count again), \
             {} made-up codes, {} made-up domains, {} pushed requests",
            count(&self.done.polls),
            count(&self.done.unread),
            count(&self.done.idle),
            count(&self.done.codes),
            count(&self.done.domains),
            count(&self.done.pushes),
        )
    }
}

/// Pollers read no answer, so that the nonce in their proofs has to come from elsewhere.
async fn keep_nonce(attacker: Arc<Attacker>) {
    loop {
        let _ = attacker.device.attempt(Method::GET, &attacker.attempt, None).await;
        tokio::time::sleep(NONCE).await;
    }
}

async fn poll(attacker: Arc<Attacker>, asked: Arc<AtomicU64>, pause: Duration) {
    loop {
        let (device, attempt) = (Arc::clone(&attacker.device), attacker.attempt.clone());
        // Ends only when a proof cannot be made, for want of a nonce: then again.
        let _ =
            sockets::hang_up(attacker.companion, device, attempt, Arc::clone(&asked), pause).await;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Takes one of the pushes that are left, until there is none.
async fn push(device: NativeClient, done: Arc<Done>) {
    let take = |left: u64| left.checked_sub(1);
    while done.pushes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        match device.push(&[]).await {
            Ok(_) => {
                done.pushes.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => {
                done.pushes_left.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn push_domains(attacker: Arc<Attacker>, done: Arc<Done>, pusher: usize) {
    for number in 0_u64.. {
        let email = format!("eve@made-up-{pusher}-{number}.test");
        if attacker.device.try_push(&[("login_hint", &email)]).await.is_err() {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        done.domains.fetch_add(1, Ordering::Relaxed);
    }
}

async fn bring_codes(attacker: Arc<Attacker>, done: Arc<Done>) {
    for number in 0_u64.. {
        match bring_code(&attacker, number).await {
            Ok(()) => {
                done.codes.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Begins as a person does, and comes back from the provider with the right state and a code that
/// the provider never gave.
async fn bring_code(attacker: &Attacker, number: u64) -> Result<()> {
    let mut browser = Jar::new()?.stopping_at(&attacker.provider);
    let pushed = attacker.device.push(&[("attempt", &attacker.attempt)]).await?;
    let page = browser.open(&pushed.url).await?;
    let provider: Url = page.leaves_to.context("no way to the provider")?.parse()?;
    let state = provider.query_pairs().find(|(name, _)| name == "state").context("a state")?.1;
    let mut callback = attacker.issuer.join("callback")?;
    let code = format!("made-up-{number}");
    callback.query_pairs_mut().append_pair("code", &code).append_pair("state", &state);
    browser.open(callback.as_str()).await?;
    Ok(())
}
