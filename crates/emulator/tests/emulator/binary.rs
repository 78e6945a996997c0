//! The process: ready line, standard output kept clean, graceful end, and clear words when it
//! cannot start.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

use crate::support::ENVIRONMENT;

struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let ready: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("not a ready line: {line:?}"));
        assert_eq!(ready["event"], "ready");
        let address = ready["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        Self { child, stdout, address }
    }

    /// The whole answer to one request, connection closed after it.
    fn get(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyport-emulator"));
    command.arg("serve").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn refused(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = command(arguments).output().unwrap();
    assert!(!status.success());
    assert!(stdout.is_empty(), "nothing is ready");
    String::from_utf8(stderr).unwrap()
}

#[test]
fn a_port_in_use_is_said_in_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let words = refused(&["--listen", &address]);
    assert!(words.contains("is in use: another program listens on"), "{words}");
    assert!(words.contains("--listen"), "{words}");
}

#[test]
fn a_bad_seed_is_said_with_file_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seed.json");
    let name = path.to_str().unwrap();
    assert!(refused(&["--seed", name]).contains(name));
    std::fs::write(&path, "{\n  \"people\": [}").unwrap();
    let words = refused(&["--seed", name]);
    assert!(words.contains(name) && words.contains("line 2"), "{words}");
}

#[test]
fn a_seed_file_replaces_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seed.json");
    std::fs::write(&path, ENVIRONMENT).unwrap();
    let process = Process::start(&["--listen", "127.0.0.1:0", "--seed", path.to_str().unwrap()]);
    let built_in = "Authorization: Bearer sk_test_emulator\r\n";
    assert!(process.get("/connections", built_in).starts_with("HTTP/1.1 401 "));
    let seeded = "Authorization: Bearer sk_test_of_the_tests\r\n";
    assert!(process.get("/connections/conn_acme", seeded).starts_with("HTTP/1.1 200 "));
}

#[test]
fn without_a_seed_file_acme_and_its_people_are_there() {
    let process = Process::start(&["--listen", "127.0.0.1:0"]);
    let key = "Authorization: Bearer sk_test_emulator\r\n";
    let organization = process.get("/organizations/org_01EMULATORACME", key);
    assert!(
        organization.contains("\"Acme\"") && organization.contains("\"acme.test\""),
        "{organization}"
    );
    assert!(process.get("/connections/conn_01EMULATOROKTA", key).contains("\"OktaSAML\""));
    let query =
        "client_id=client_emulator&response_type=code&redirect_uri=http://127.0.0.1:1/callback";
    let page = process.get(&format!("/sso/authorize?{query}&organization=org_01EMULATORACME"), "");
    assert!(page.contains("Sign in to Acme"), "{page}");
}

#[cfg(unix)]
#[test]
fn sigterm_ends_it_and_only_the_ready_line_was_printed() {
    let mut process = Process::start(&["--listen", "127.0.0.1:0"]);
    process.get("/sso/authorize", "");
    let idle = TcpStream::connect(&process.address).unwrap();
    let told =
        Command::new("kill").args(["-TERM", &process.child.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert!(process.child.wait().unwrap().success());
    let mut rest = String::new();
    process.stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    drop(idle);
}
