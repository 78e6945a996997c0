//! Load on the companion over real HTTP: devices that refresh their session with a proof for each
//! request (RFC 9449), and empty requests as the floor. Each device has one connection that stays
//! open. NOT our client: it neither locks nor saves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use keyport_tests::native::{CLIENT, DeviceKey};
use keyport_tests::{NativeClient, Person, World, wait};
use reqwest::StatusCode;
use tokio::sync::Barrier;

use crate::kernel;
use crate::samples::Samples;

/// Not counted, so that connections, nonces and caches are warm.
const WARM_UP: usize = 10;

/// One device with its session and its connection.
pub struct Device {
    http: reqwest::Client,
    key: DeviceKey,
    token_endpoint: String,
    refresh: String,
    nonce: Option<String>,
}

/// What a load came to.
pub struct Load {
    /// One for each request.
    pub latencies: Samples,
    /// Requests a second, over all connections.
    pub per_second: f64,
    /// The companion's processor time for one request, in microseconds.
    pub companion_cpu_us: Option<f64>,
}

/// Something that is done again and again over a connection of its own; answers with the time of
/// one.
trait Worker: Send + 'static {
    fn once(&mut self) -> impl Future<Output = Result<Duration>> + Send;
}

impl Device {
    /// Signs a new device in.
    pub async fn sign_in(world: &World) -> Result<Self> {
        let client = NativeClient::new(world)?;
        let session = client.sign_in(Person::ADA).await?;
        Ok(Self {
            http: connection()?,
            key: client.key,
            token_endpoint: format!("{}/oauth/token", world.issuer()),
            refresh: session.refresh,
            nonce: None,
        })
    }

    /// Sends the present token. The time is from the first byte sent to the last received; signing
    /// and parsing are not in it.
    async fn send(&mut self) -> Result<(StatusCode, serde_json::Value, Duration)> {
        let proof = self.key.proof("POST", &self.token_endpoint, self.nonce.as_deref(), None)?;
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT),
            ("refresh_token", self.refresh.as_str()),
        ];
        let request = self.http.post(&self.token_endpoint).header("dpop", proof).form(&form);
        let started = Instant::now();
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await?;
        let taken = started.elapsed();
        self.nonce = headers.get("dpop-nonce").and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok((status, serde_json::from_slice(&body)?, taken))
    }
}

impl Worker for Device {
    /// One rotation.
    async fn once(&mut self) -> Result<Duration> {
        let (mut status, mut body, mut taken) = self.send().await?;
        if body["error"] == "use_dpop_nonce" {
            (status, body, taken) = self.send().await?;
        }
        ensure!(status == StatusCode::OK, "a refresh was answered with {status} {}", body["error"]);
        let child = body["refresh_token"].as_str().context("no refresh token")?;
        ensure!(child != self.refresh, "the token was not rotated");
        child.clone_into(&mut self.refresh);
        Ok(taken)
    }
}

/// Asks for `/health` over a connection of its own.
struct Empty {
    http: reqwest::Client,
    url: String,
}

impl Worker for Empty {
    async fn once(&mut self) -> Result<Duration> {
        let started = Instant::now();
        let answer = self.http.get(&self.url).send().await?;
        let status = answer.status();
        answer.bytes().await?;
        ensure!(status == StatusCode::OK, "/health was answered with {status}");
        Ok(started.elapsed())
    }
}

/// All `devices` refresh at once, each `runs` times in a row; gives the devices back.
pub async fn refresh(
    world: &World,
    devices: Vec<Device>,
    runs: usize,
) -> Result<(Load, Vec<Device>)> {
    drive(world, devices, runs).await
}

/// Empty requests over so many connections, each `runs` times in a row.
pub async fn empty(world: &World, connections: usize, runs: usize) -> Result<Load> {
    let url = format!("{}/health", world.issuer());
    let workers = (0..connections).map(|_| Ok(Empty { http: connection()?, url: url.clone() }));
    let workers = workers.collect::<Result<Vec<_>>>()?;
    Ok(drive(world, workers, runs).await?.0)
}

async fn drive<W: Worker>(world: &World, workers: Vec<W>, runs: usize) -> Result<(Load, Vec<W>)> {
    let start = Arc::new(Barrier::new(workers.len() + 1));
    let tasks: Vec<_> =
        workers.into_iter().map(|w| tokio::spawn(repeat(w, runs, start.clone()))).collect();
    start.wait().await;
    let (started, before) = (Instant::now(), kernel::processor_time(world.companion.id()));
    let (mut workers, mut latencies) = (Vec::new(), Vec::new());
    for task in tasks {
        let (worker, taken) = task.await??;
        workers.push(worker);
        latencies.extend(taken);
    }
    let (elapsed, after) = (started.elapsed(), kernel::processor_time(world.companion.id()));
    let latencies = Samples::of(latencies).context("no run")?;
    let done = number(latencies.count());
    let used = before.zip(after).map(|(before, after)| after.saturating_sub(before));
    let load = Load {
        per_second: done / elapsed.as_secs_f64(),
        companion_cpu_us: used.map(|used| used.as_secs_f64() * 1e6 / done),
        latencies,
    };
    Ok((load, workers))
}

async fn repeat<W: Worker>(
    mut worker: W,
    runs: usize,
    start: Arc<Barrier>,
) -> Result<(W, Vec<Duration>)> {
    let mut warm = Ok(Duration::ZERO);
    for _ in 0..WARM_UP {
        if warm.is_ok() {
            warm = worker.once().await;
        }
    }
    // Whoever failed comes here too, or all the others would wait for ever.
    start.wait().await;
    warm?;
    let mut taken = Vec::with_capacity(runs);
    for _ in 0..runs {
        taken.push(worker.once().await?);
    }
    Ok((worker, taken))
}

fn connection() -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder().no_proxy().timeout(wait::WAIT_TIMEOUT);
    Ok(builder.redirect(reqwest::redirect::Policy::none()).build()?)
}

#[expect(clippy::cast_precision_loss, reason = "counts of runs are small")]
/// A count to calculate with.
pub fn number(count: usize) -> f64 {
    count as f64
}
