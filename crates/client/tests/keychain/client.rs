//! A client in a process of its own: this test program, started again and told what to do line by
//! line.

use std::io::{BufRead, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use keyport_client::keychain::{Item, Keychain, KeychainError, SecretBytes, SystemKeychain};
use keyport_core::AccountId;

use crate::session::{SERVICE, Session, WAIT_TIMEOUT};

const MARK: &str = "KEYPORT_TEST_CLIENT";
const ANSWER: &str = "=> ";
const HEARING: &str = "hears changes from now on";

/// What a client says to one line, and how long it took.
#[derive(Debug)]
pub struct Said {
    pub answer: String,
    pub took: Duration,
    /// Ticks of 10 ms that the client's only runtime thread went through meanwhile.
    pub ticks: u64,
}

pub struct Client {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    input: ChildStdin,
}

impl Client {
    pub fn in_session(session: &Session) -> Self {
        Self::start(session.command(std::env::current_exe().unwrap()))
    }

    pub fn start(mut command: Command) -> Self {
        command.args(["--exact", "client::the_other_process", "--nocapture"]).env(MARK, "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let input = process.stdin.take().unwrap();
        Self { process, lines, input }
    }

    /// Asks without waiting for the answer.
    pub fn ask(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// The next answer.
    pub fn hear(&mut self) -> Said {
        loop {
            let line = self.lines.next().expect("the client answers").unwrap();
            // The test harness prints on the same stream.
            let Some((_, said)) = line.split_once(ANSWER) else { continue };
            let mut words = said.split(' ');
            let mut number = || words.next_back().unwrap().parse().unwrap();
            let (ticks, took) = (number(), Duration::from_millis(number()));
            return Said { answer: words.collect::<Vec<_>>().join(" "), took, ticks };
        }
    }

    /// Listens for changes; returns once it does.
    pub fn hears_changes(&mut self) {
        self.ask("hear");
        while !self.lines.next().expect("the client answers").unwrap().contains(HEARING) {}
    }

    pub fn says(&mut self, line: &str) -> Said {
        self.ask(line);
        self.hear()
    }

    /// Asserts what the client says.
    pub fn expect(&mut self, line: &str, answer: &str) {
        let said = self.says(line);
        assert_eq!(said.answer, answer, "{line}: {said:?}");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Not a test: the other process. Does nothing unless a [`Client`] started it.
#[tokio::test]
async fn the_other_process() {
    if std::env::var_os(MARK).is_none() {
        return;
    }
    let keychain = SystemKeychain::of(SERVICE).unwrap();
    let (lines, mut to_do) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            lines.send(line.unwrap()).unwrap();
        }
    });
    while let Some(line) = to_do.recv().await {
        let begun = Instant::now();
        let mut ticks = 0;
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        let mut work = std::pin::pin!(obey(&keychain, &line));
        let answer = loop {
            tokio::select! {
                answer = &mut work => break answer,
                _ = tick.tick() => ticks += 1,
            }
        };
        println!("{ANSWER}{answer} {} {ticks}", begun.elapsed().as_millis());
    }
}

async fn obey(keychain: &dyn Keychain, line: &str) -> String {
    let words: Vec<_> = line.split(' ').collect();
    let result = match words[..] {
        ["probe"] => keychain.probe().await.map(|()| "ok".to_owned()),
        ["unlock"] => keychain.unlock().await.map(|()| "ok".to_owned()),
        ["read", item] => keychain.read(&named(item)).await.map(|secret| match secret {
            Some(secret) => format!("holds {}", String::from_utf8_lossy(secret.expose())),
            None => "empty".to_owned(),
        }),
        ["write", item, value] => {
            let secret = SecretBytes::new(value.as_bytes());
            keychain.write(&named(item), &secret).await.map(|()| "ok".to_owned())
        }
        ["write-many", item, prefix, count] => {
            let mut result = Ok(());
            for number in 0..count.parse::<u32>().unwrap() {
                let secret = SecretBytes::new(format!("{prefix}-{number}"));
                result = result.and(keychain.write(&named(item), &secret).await);
                result = result.and(keychain.read(&named(item)).await.map(|_| ()));
            }
            result.map(|()| "ok".to_owned())
        }
        ["list"] => keychain.list().await.map(|names| match names {
            Some(names) => format!("lists {}", names.join(" ")),
            None => "cannot list".to_owned(),
        }),
        ["hear"] => {
            // The first change is the subscription itself.
            let mut changes = keychain.changes().unwrap();
            let heard = async {
                changes.changed().await.unwrap();
                println!("{HEARING}");
                changes.changed().await.unwrap();
            };
            let heard = tokio::time::timeout(WAIT_TIMEOUT, heard).await;
            Ok(heard.map_or("no change", |()| "changed").to_owned())
        }
        ["delete", item] => keychain.delete(&named(item)).await.map(|()| "ok".to_owned()),
        ["set-aside", item] => keychain.set_aside(&named(item)).await.map(|()| "ok".to_owned()),
        _ => panic!("unknown: {line}"),
    };
    result.unwrap_or_else(|error| error_name(error).to_owned())
}

fn named(name: &str) -> Item {
    match name.split_once(':') {
        Some((_, id)) => Item::Account(AccountId(id.to_owned())),
        None if name == "device" => Item::Device,
        None if name == "index" => Item::Index,
        None => panic!("no such item: {name}"),
    }
}

fn error_name(error: KeychainError) -> &'static str {
    match error {
        KeychainError::Locked => "locked",
        KeychainError::Absent => "absent",
        KeychainError::Refused => "refused",
        KeychainError::Corrupt => "corrupt",
        KeychainError::Newer => "newer",
        KeychainError::Slow => "slow",
        KeychainError::TooLarge => "too large",
    }
}
