//! The services as an operator meets them: told to end at any moment, a log that is not read,
//! a provider that does not answer, a full disk, a database file that vanishes. Real processes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use keyport_tests::world::{ACME, API_KEY, CLIENT_ID};
use keyport_tests::{Process, World, binaries, wait};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use url::Url;

/// More than any ordinary start takes, and less than the calls to the provider may take.
const BEFORE_THE_PROVIDER: Duration = Duration::from_secs(8);

fn companion(folder: &Path, provider: &str) -> Result<Command> {
    let mut command = binaries::command("keyport-companion")?;
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("WORKOS_API_KEY", API_KEY)
        .env("WORKOS_CLIENT_ID", CLIENT_ID)
        .env("WORKOS_BASE_URL", provider.trim_end_matches('/'))
        .env("KEYPORT_ORGANIZATIONS", ACME)
        .env("DATABASE_URL", format!("sqlite:{}", folder.join("companion.db").display()))
        .current_dir(folder);
    Ok(command)
}

async fn get_json(url: &Url) -> Result<Value> {
    Ok(reqwest::get(url.clone()).await?.json().await?)
}

fn is_ready(line: &str) -> Option<()> {
    line.contains("\"ready\"").then_some(())
}

/// Starts the program again and again and ends each at another moment.
fn end_at_every_moment(
    rounds: u64,
    folder: &Path,
    start: impl Fn() -> Result<Command>,
) -> Result<()> {
    for round in 0..rounds {
        let mut process = Process::spawn("ended", start()?, folder)?;
        let at_ready = round % 3 == 0;
        if at_ready {
            process.ready()?;
        } else {
            // From the start of the process to after its first line.
            std::thread::sleep(Duration::from_millis(round * 4));
        }
        let status = process.terminate(Duration::from_secs(20))?;
        let ready = at_ready || process.line(wait::WAIT_TIMEOUT, is_ready).is_ok();
        let by_default = std::os::unix::process::ExitStatusExt::signal(&status) == Some(15);
        let good = status.success() || (by_default && !ready);
        ensure!(good, "round {round}, ready {ready}: {status}\n{}", process.log());
    }
    Ok(())
}

#[test]
fn the_companion_ends_at_any_moment_and_with_0_once_it_was_ready() -> Result<()> {
    let world = World::start()?;
    let folder = tempfile::tempdir()?;
    let provider = world.emulator_url().as_str();
    end_at_every_moment(60, folder.path(), || companion(folder.path(), provider))
}

#[test]
fn the_emulator_ends_at_any_moment_and_with_0_once_it_was_ready() -> Result<()> {
    let folder = tempfile::tempdir()?;
    end_at_every_moment(60, folder.path(), || {
        let mut command = binaries::command("keyport-emulator")?;
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        Ok(command)
    })
}

/// A companion whose standard error is a pipe that is read only when the test wants it.
struct Unread {
    child: Child,
    url: Url,
}

impl Unread {
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("stdout")?).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line)?;
        let url = said["url"].as_str().context("a url")?.parse()?;
        Ok(Self { child, url })
    }

    /// More requests than lines can wait: each writes at least one.
    async fn flood(&self) -> Result<()> {
        let http = reqwest::Client::builder().no_proxy().timeout(wait::WAIT_TIMEOUT).build()?;
        for _ in 0..9500 {
            http.get(self.url.join("/health")?).send().await?.error_for_status()?;
        }
        Ok(())
    }

    fn terminate(&mut self) -> Result<ExitStatus> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let child = &mut self.child;
        wait::until("the end", Duration::from_secs(20), || Ok(child.try_wait()?))
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_log_that_is_not_read_stops_nothing_and_tells_what_was_dropped() -> Result<()> {
    let world = World::start()?;
    let folder = tempfile::tempdir()?;
    let mut command = companion(folder.path(), world.emulator_url().as_str())?;
    command.env("RUST_LOG", "info");
    let mut companion = Unread::start(command)?;
    companion.flood().await.context("while the log is not read")?;
    let errors = BufReader::new(companion.child.stderr.take().context("stderr")?);
    let (found, told) = mpsc::channel();
    // In a thread of its own: reading has no deadline. The pipe then stays open, unread.
    std::thread::spawn(move || {
        let mut lines = errors.lines().map_while(Result::ok);
        let told = |line: String| serde_json::from_str::<Value>(&line).ok()?["dropped"].as_u64();
        found.send((lines.find_map(told), lines))
    });
    let (dropped, _unread) = told.recv_timeout(wait::WAIT_TIMEOUT).context("what was dropped")?;
    assert!(dropped.context("the log ended without telling")? > 0);
    companion.flood().await.context("when the log is not read again")?;
    assert_eq!(companion.terminate()?.code(), Some(0));
    Ok(())
}

/// How a provider of the tests answers.
#[derive(Clone, Copy, PartialEq)]
enum Provider {
    Silent,
    RefusesTheKey,
    BehindAProxyThatRefuses,
}

const KINDS: [Provider; 3] =
    [Provider::Silent, Provider::RefusesTheKey, Provider::BehindAProxyThatRefuses];

struct FakeProvider {
    url: String,
    kind: Arc<AtomicUsize>,
}

impl FakeProvider {
    fn start(kind: Provider) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let fake = Self { url, kind: Arc::new(AtomicUsize::new(0)) };
        fake.becomes(kind);
        let kind = Arc::clone(&fake.kind);
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let kind = KINDS[kind.load(Ordering::SeqCst)];
                if kind != Provider::Silent {
                    let _ = answer(&mut stream, kind);
                }
                kept.push(stream);
            }
        });
        Ok(fake)
    }

    fn becomes(&self, kind: Provider) {
        let place = KINDS.iter().position(|known| *known == kind).unwrap_or_default();
        self.kind.store(place, Ordering::SeqCst);
    }
}

fn answer(stream: &mut TcpStream, kind: Provider) -> Result<()> {
    let _ = stream.read(&mut [0; 8192])?;
    let (status, media_type, body) = match kind {
        Provider::RefusesTheKey => {
            ("401 Unauthorized", "application/json", r#"{"message":"Unauthorized"}"#)
        }
        _ => ("403 Forbidden", "text/html", "<h1>Blocked by policy</h1>"),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(())
}

#[tokio::test]
async fn a_silent_provider_does_not_delay_the_start_and_a_wrong_key_found_later_does_not_end_it()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let provider = FakeProvider::start(Provider::Silent)?;
    let command = companion(folder.path(), &provider.url)?;
    let mut process = Process::spawn("companion", command, folder.path())?;
    let url: Url = process.line(BEFORE_THE_PROVIDER, |line| {
        let said: Value = serde_json::from_str(line).ok()?;
        said["url"].as_str()?.parse().ok()
    })?;
    assert_eq!(get_json(&url.join("/ready")?).await?["setup"], "unknown");

    provider.becomes(Provider::RefusesTheKey);
    wait::until_async("the wrong key", wait::WAIT_TIMEOUT, async || {
        let details = get_json(&url.join("/ready")?).await?;
        Ok((details["setup"] == "setup_wrong").then_some(()))
    })
    .await?;
    let pushed = reqwest::Client::new().post(url.join("/oauth/par")?).send().await?;
    assert_eq!(pushed.status(), 503);
    assert_eq!(pushed.json::<Value>().await?["keyport_problem"], "setup_wrong");
    let token = reqwest::Client::new().post(url.join("/oauth/token")?).send().await?;
    assert_ne!(token.status(), 503, "sessions go on");
    assert!(process.ended()?.is_none(), "it goes on");
    assert!(process.log().contains("wrong WORKOS_API_KEY"));
    assert!(process.terminate(Duration::from_secs(20))?.success());
    Ok(())
}

#[test]
fn a_refusal_by_a_proxy_proves_nothing_and_one_by_the_provider_ends_the_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let provider = FakeProvider::start(Provider::BehindAProxyThatRefuses)?;
    let command = companion(folder.path(), &provider.url)?;
    let mut process = Process::spawn("proxied", command, folder.path())?;
    process.line(wait::WAIT_TIMEOUT, is_ready)?;
    assert!(process.terminate(Duration::from_secs(20))?.success());

    provider.becomes(Provider::RefusesTheKey);
    let command = companion(folder.path(), &provider.url)?;
    let mut process = Process::spawn("refused", command, folder.path())?;
    assert_eq!(process.wait(wait::WAIT_TIMEOUT)?.code(), Some(1));
    assert!(process.log().contains("keyport-companion: wrong WORKOS_API_KEY"), "{}", process.log());
    Ok(())
}

#[test]
fn a_first_start_on_a_full_disk_leaves_no_key_file() -> Result<()> {
    let world = World::start()?;
    let folder = tempfile::tempdir()?;
    let full = companion(folder.path(), world.emulator_url().as_str())?;
    // Files may not grow at all, and the signal that would end the process for it is ignored.
    let mut shell = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
    shell.args(["-c", script]).arg(full.get_program()).args(full.get_args());
    for (name, value) in full.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.current_dir(folder.path());
    let output = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("the key file"), "{errors}");
    let left: Vec<_> = std::fs::read_dir(folder.path())?.flatten().map(|e| e.path()).collect();
    assert!(left.is_empty(), "{left:?}");

    let logs = tempfile::tempdir()?;
    let again = companion(folder.path(), world.emulator_url().as_str())?;
    let mut process = Process::spawn("again", again, logs.path())?;
    process.ready()?;
    assert!(process.terminate(Duration::from_secs(20))?.success());
    Ok(())
}

#[tokio::test]
async fn a_database_file_that_vanishes_or_is_replaced_is_noticed() -> Result<()> {
    let world = World::start()?;
    let ready = world.companion_url().join("/ready")?;
    assert_eq!(reqwest::get(ready.clone()).await?.status(), 200);
    std::fs::remove_file(world.database())?;
    for _ in ["removed", "replaced"] {
        let answer = reqwest::get(ready.clone()).await?;
        assert_eq!(answer.status(), 503);
        let details: Value = answer.json().await?;
        let text = details["error_description"].as_str().context("a description")?;
        assert!(text.contains("removed or replaced"), "{text}");
        std::fs::write(world.database(), b"")?;
    }
    assert!(world.companion.log().contains("removed or replaced"));
    Ok(())
}
