//! The process that is the client: signs in again and again with the real driver, a scripted
//! browser and a stop watch. One runtime, one device, one account: each sign-in replaces the
//! session before it, as it does for a person.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use keyport_client::browser::{Browser, Desktop, Opening, PermittedUrl, SystemBrowser};
use keyport_client::keychain::{MemoryKeychain, SystemKeychain};
use keyport_client::{Channel, Client, Config, Intent, Platform, SystemClock, SystemRandomness};
use keyport_core::{CallbackReceiver, ReceiverOrder, Screen, Stored};
use keyport_tests::{Jar, Person, wait};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use url::Url;

use super::browser::FakeBrowser;
use super::{Keychain, Measured, Orders};

/// Not counted: metadata, connections, the device key and the confirmation of a new device.
const WARM_UP: usize = 5;
/// Between two runs, for what follows a sign-in: the report to the companion, the end of the old
/// session.
const PAUSE: Duration = Duration::from_millis(20);

/// Measures both, and says so on standard output.
pub async fn measure(orders: &Orders) -> Result<()> {
    let stored = sign_ins(orders).await?;
    let spawned = clicks(orders).await?;
    let measured = Measured { stored: counted(&stored)?, spawned: counted(&spawned)? };
    let mut output = std::io::stdout();
    writeln!(output, "{}", serde_json::to_string(&measured)?)?;
    Ok(output.flush()?)
}

/// From the callback's bytes to the view that says where the session is kept.
async fn sign_ins(orders: &Orders) -> Result<Vec<Duration>> {
    let (opened, mut urls) = mpsc::unbounded_channel();
    let client = start(orders, Arc::new(Handed(opened)))?;
    let mut jar = Jar::new()?;
    let mut times = Vec::new();
    for _ in 0..WARM_UP + orders.runs {
        client.intend(sign_in());
        let url =
            timeout(wait::WAIT_TIMEOUT, urls.recv()).await?.context("no browser was wanted")?;
        let callback = Person::ADA.sign_in(&mut jar, &url).await?;
        times.push(call_back(&client, &callback.parse()?).await?);
        tokio::time::sleep(PAUSE).await;
    }
    client.shut_down().await;
    Ok(times)
}

/// Brings the callback as a browser does, and takes the time until the session is stored.
async fn call_back(client: &Client, callback: &Url) -> Result<Duration> {
    let mut views = client.views();
    ensure!(
        matches!(views.borrow().screen, Screen::Waiting { .. } | Screen::Confirm { .. }),
        "the client does not wait for the callback"
    );
    let (host, port) = (callback.host_str().context("a host")?, callback.port().context("a port")?);
    let query = callback.query().context("a query")?;
    let request = format!(
        "GET /callback?{query} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/html\r\n\
         Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Site: cross-site\r\n\r\n"
    );
    let mut browser = TcpStream::connect((host, port)).await?;
    let started = Instant::now();
    browser.write_all(request.as_bytes()).await?;
    let ended =
        |screen: &Screen| matches!(screen, Screen::SignedIn { .. } | Screen::Problem { .. });
    let view =
        timeout(wait::WAIT_TIMEOUT, views.wait_for(|view| ended(&view.screen))).await??.clone();
    let taken = started.elapsed();
    match view.screen {
        Screen::SignedIn { stored: Stored::Keychain, .. } => {}
        other => bail!("not stored: {other:?}"),
    }
    let mut answer = String::new();
    browser.read_to_string(&mut answer).await?;
    ensure!(answer.starts_with("HTTP/1.1 30"), "the tab was not sent back to the companion");
    Ok(taken)
}

/// From the click to the process of the browser.
async fn clicks(orders: &Orders) -> Result<Vec<Duration>> {
    let fake = Arc::new(FakeBrowser::install(&orders.folder)?);
    let browser = Some(fake.program.clone().into_os_string());
    let desktop = Desktop { display: true, browser, path: None };
    let client = start(orders, Arc::new(SystemBrowser::on(desktop)))?;
    let mut views = client.views();
    let is_idle = |screen: &Screen| matches!(screen, Screen::SignedIn { .. } | Screen::SignedOut);
    let mut times = Vec::new();
    for _ in 0..WARM_UP + orders.runs {
        timeout(wait::WAIT_TIMEOUT, views.wait_for(|view| is_idle(&view.screen))).await??;
        let ear = fake.clone();
        let hearing = tokio::task::spawn_blocking(move || ear.next_start(wait::WAIT_TIMEOUT));
        let clicked = Instant::now();
        client.intend(sign_in());
        times.push(hearing.await??.saturating_duration_since(clicked));
        client.intend(Intent::Cancel);
        tokio::time::sleep(PAUSE).await;
    }
    client.shut_down().await;
    Ok(times)
}

fn sign_in() -> Intent {
    Intent::SignIn { email: Some(Person::ADA.email.to_owned()) }
}

fn start(orders: &Orders, browser: Arc<dyn Browser>) -> Result<Client> {
    let channel = Channel::development();
    let keychain: Arc<dyn keyport_client::keychain::Keychain> = match orders.keychain {
        Keychain::System => Arc::new(SystemKeychain::of(channel.service())?),
        Keychain::Memory => Arc::new(MemoryKeychain::default()),
    };
    let config = Config { channel, ..Config::of(orders.companion.clone()) };
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandomness));
    let platform = Platform { browser, clipboard: None, keychain, clock, random };
    Ok(Client::start(ReceiverOrder::only(CallbackReceiver::Loopback), config, platform))
}

/// Hands every address to the scripted browser.
struct Handed(mpsc::UnboundedSender<String>);

impl Browser for Handed {
    fn open<'a>(&'a self, url: &'a PermittedUrl) -> Opening<'a> {
        // The other end is gone only when the benchmark has failed, which is reported there.
        let _ = self.0.send(url.expose().to_owned());
        Box::pin(std::future::ready(Ok(())))
    }
}

fn counted(times: &[Duration]) -> Result<Vec<u64>> {
    let nanoseconds = times.iter().skip(WARM_UP).map(|time| u64::try_from(time.as_nanos()));
    Ok(nanoseconds.collect::<Result<_, _>>()?)
}
