//! What the memory of a process still holds after a sign-out: no token, no code and no verifier.
//! The process is this test program, started again; it frees memory as our programs do.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]

#[allow(dead_code, reason = "the other test binaries use the rest")]
#[path = "../driver/support/mod.rs"]
mod support;

use std::alloc::System;
use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use keyport_client::browser::{Browser, Opening, PermittedUrl};
use keyport_client::keychain::MemoryKeychain;
use keyport_client::{Client, Intent, Platform, SystemClock, SystemRandomness};
use keyport_core::{CallbackReceiver, ReceiverOrder, Refreshed, Screen, View};
use tokio::time::timeout;
use url::Url;
use zeroizing_alloc::ZeroAlloc;

use support::fixture::{configuration, visit};
use support::{TestCompanion, WAIT_TIMEOUT};

#[global_allocator]
static WIPED_WHEN_FREED: ZeroAlloc<System> = ZeroAlloc(System);

const COMPANION: &str = "KEYPORT_TEST_MEMORY_COMPANION";
const SAYS: &str = "=> ";

struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(companion: &Url) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_other_process", "--nocapture"]);
        command.env(COMPANION, companion.as_str());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// The next thing that it says.
    fn says(&mut self) -> String {
        for line in self.output.by_ref().lines() {
            if let Some((_, said)) = line.unwrap().split_once(SAYS) {
                return said.to_owned();
            }
        }
        panic!("the process ended");
    }

    /// Which of `secrets` stand in its memory that can be written.
    fn holds(&self, secrets: &[String]) -> Vec<String> {
        let of_process = |file: &str| format!("/proc/{}/{file}", self.child.id());
        let mut memory = std::fs::File::open(of_process("mem")).unwrap();
        let mut found = Vec::new();
        for line in std::fs::read_to_string(of_process("maps")).unwrap().lines() {
            let mut words = line.split_ascii_whitespace();
            let (range, rights) = (words.next().unwrap(), words.next().unwrap());
            let (from, to) = range.split_once('-').unwrap();
            let number = |hex| u64::from_str_radix(hex, 16).unwrap();
            let (from, to) = (number(from), number(to));
            if !rights.starts_with("rw") || memory.seek(SeekFrom::Start(from)).is_err() {
                continue;
            }
            let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
            if memory.read_exact(&mut bytes).is_err() {
                continue;
            }
            for secret in secrets {
                let stands = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                if stands {
                    found.push(format!("{secret} in {}", words.clone().last().unwrap_or("")));
                }
            }
        }
        found
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_sign_out_no_secret_of_the_session_is_in_memory() {
    let companion = TestCompanion::start().await;
    let mut process = Process::start(&companion.url);
    let opened = process.says();
    let back = companion.signs_in(&opened);
    visit(&back).await;
    assert_eq!(process.says(), "signed in");
    let secrets = || {
        let mut secrets: Vec<String> = Vec::new();
        for what in ["exchange", "refresh"] {
            for seen in companion.seen(what) {
                for name in ["code", "code_verifier", "refresh_token"] {
                    secrets.extend(seen.fields.get(name).cloned());
                }
            }
        }
        secrets.extend(companion.world().given.clone());
        secrets
    };
    let live = process.holds(&secrets());
    assert!(!live.is_empty(), "a session that lives is found");
    process.child.stdin.take().unwrap().write_all(b"sign out\n").unwrap();
    assert_eq!(process.says(), "signed out");
    assert!(secrets().len() >= 7, "{:?}", secrets());
    assert_eq!(process.holds(&secrets()), Vec::<String>::new());
}

struct SaidBrowser;

impl Browser for SaidBrowser {
    fn open<'a>(&'a self, url: &'a PermittedUrl) -> Opening<'a> {
        println!("{SAYS}{}", url.expose());
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Not a test: the other process. Does nothing unless a [`Process`] started it.
#[tokio::test]
async fn the_other_process() {
    let Ok(companion) = std::env::var(COMPANION) else { return };
    let config = configuration(Url::parse(&companion).unwrap());
    let platform = Platform {
        browser: Arc::new(SaidBrowser),
        clipboard: None,
        keychain: Arc::new(MemoryKeychain::default()),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandomness),
    };
    let loopback = ReceiverOrder::only(CallbackReceiver::Loopback);
    let client = Client::start(loopback, config, platform);
    client.intend(Intent::SignIn { email: None });
    let mut views = client.views();
    let is_in = |view: &View| matches!(view.screen, Screen::SignedIn { .. });
    timeout(WAIT_TIMEOUT, views.wait_for(is_in)).await.unwrap().unwrap();
    let sessions = client.sessions().clone();
    let account = sessions.current().await.unwrap().unwrap().id;
    sessions.access_token(&account).await.unwrap();
    assert!(matches!(sessions.refresh(&account).await, Refreshed::Done { .. }));
    println!("{SAYS}signed in");
    // Until the living session was looked at.
    let looked_at = || std::io::stdin().lock().read_line(&mut String::new());
    tokio::task::spawn_blocking(looked_at).await.unwrap().unwrap();
    sessions.sign_out(&account).await.unwrap();
    println!("{SAYS}signed out");
    std::future::pending::<()>().await;
}
