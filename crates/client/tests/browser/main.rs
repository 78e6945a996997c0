//! The browser opener, with a real program in the place of `xdg-open` that writes down what it got.
#![cfg(all(unix, not(target_os = "macos")))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keyport_client::browser::{self, BrowserError, CompanionOrigin, Desktop, SystemBrowser};
use keyport_core::secret::AuthorizationUrl;
use tempfile::TempDir;
use url::Url;

const COMPANION: &str = "http://127.0.0.1:8788";
const AUTHORIZE: &str = "http://127.0.0.1:8788/oauth/authorize?client_id=keyport-desktop\
     &request_uri=urn:ietf:params:oauth:request_uri:abc";

const MARK: &str = "KEYPORT_TEST_BROWSER";
const ANSWER: &str = "=> ";
/// Longer than anything here may take; reached only when something hangs.
const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

/// A folder with one program in it. Before it ends as `last` says, the program writes its arguments
/// and its standard input, each ended by NUL, to a file.
struct Programs {
    folder: TempDir,
}

impl Programs {
    fn with(name: &str, last: &str) -> Self {
        let programs = Self { folder: tempfile::tempdir().unwrap() };
        programs.add(name, last);
        programs
    }

    fn add(&self, name: &str, last: &str) {
        let script = format!(
            "#!/bin/sh\nlog='{}'\n\
             {{ printf '%s\\0' \"$@\"; printf 'stdin %s\\0' \"$(/bin/readlink /proc/$$/fd/0)\";\n\
             printf 'browser %s\\0' \"${{BROWSER-unset}}\"; }} > \"$log.part\"\n\
             /bin/mv \"$log.part\" \"$log\"\n{last}\n",
            self.log(name).display()
        );
        // Written by another process: a file that this one has open for writing could not be
        // started while a parallel test forks.
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(self.path(name));
        let mut shell = shell.stdin(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success());
    }

    /// What opening comes to in a process with these variables, these programs, and something on
    /// its standard input.
    fn open_in_another_process(&self, variables: &[(&str, &str)]) -> String {
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", "the_other_process", "--nocapture"]).env(MARK, "1");
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"] {
            process.env_remove(name);
        }
        process.env("PATH", self.folder.path()).envs(variables.iter().copied());
        let process = process.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = String::from_utf8(process.wait_with_output().unwrap().stdout).unwrap();
        let said = output.lines().find_map(|line| line.split_once(ANSWER));
        said.expect("an answer").1.to_owned()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self, name: &str) -> std::path::PathBuf {
        self.path(&format!("{name}.log"))
    }

    /// What the program got; `None` if it never ran.
    fn got(&self, name: &str) -> Option<Vec<String>> {
        let log = fs::read_to_string(self.log(name)).ok()?;
        Some(log.split_terminator('\0').map(str::to_owned).collect())
    }

    fn desktop(&self) -> Desktop {
        let path = Some(OsString::from(self.folder.path()));
        Desktop { display: true, browser: None, path }
    }
}

async fn open_on(desktop: Desktop, url: &str) -> Result<(), BrowserError> {
    let companion = CompanionOrigin::of(&Url::parse(COMPANION).unwrap()).unwrap();
    let url = AuthorizationUrl::new(url);
    browser::open(&SystemBrowser::on(desktop), &url, &companion, None).await
}

#[tokio::test]
async fn the_url_is_one_argument_and_stdin_is_not_inherited() {
    let programs = Programs::with("xdg-open", "exit 0");
    open_on(programs.desktop(), AUTHORIZE).await.unwrap();
    let got = programs.got("xdg-open").unwrap();
    assert_eq!(got, [AUTHORIZE, "stdin /dev/null", "browser unset"]);
}

#[tokio::test]
async fn a_url_with_an_ampersand_starts_no_second_command() {
    let programs = Programs::with("xdg-open", "exit 0");
    programs.add("calc", "exit 0");
    let url = format!("{COMPANION}/?a=1&calc");
    open_on(programs.desktop(), &url).await.unwrap();
    assert_eq!(programs.got("xdg-open").unwrap()[0], url);
    assert_eq!(programs.got("calc"), None);
}

#[tokio::test]
async fn what_is_not_the_companions_never_reaches_a_program() {
    let programs = Programs::with("xdg-open", "exit 0");
    for url in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://evil.test/",
        "https://127.0.0.1:8788/",
        "http://127.0.0.1:8789/",
        "http://localhost:8788/",
        "http://ada:pw@127.0.0.1:8788/",
        "http://127.0.0.1:8788@evil.test/",
        "http://127.0.0.1:8788/a\nb",
        "http://127.0.0.1:8788/\r\n--version",
        "http://127.0.0.1:8788/\"&calc&\"",
        "http://127.0.0.1:8788/'$(calc)'",
        "http://127.0.0.1:8788/%USERPROFILE%",
        "dev.keyport.desktop:/callback?code=x&state=y",
        "--help",
        "",
    ] {
        let result = open_on(programs.desktop(), url).await;
        assert!(matches!(result, Err(BrowserError::NotPermitted)), "{url:?}: {result:?}");
        assert_eq!(programs.got("xdg-open"), None, "{url:?}");
    }
}

#[tokio::test]
async fn without_a_display_and_without_a_browser_nothing_is_started() {
    let programs = Programs::with("xdg-open", "exit 0");
    for browser in [None, Some(""), Some("w3m %s"), Some("a:b")] {
        let browser = browser.map(OsString::from);
        let desktop = Desktop { display: false, browser, ..programs.desktop() };
        let result = open_on(desktop, AUTHORIZE).await;
        assert!(matches!(result, Err(BrowserError::NoBrowser)), "{result:?}");
    }
    assert_eq!(programs.got("xdg-open"), None);
}

#[tokio::test]
async fn a_plain_browser_setting_is_used_even_without_a_display() {
    let programs = Programs::with("my-browser", "exit 0");
    let path = programs.path("my-browser").to_str().unwrap().to_owned();
    for browser in ["my-browser", path.as_str()] {
        let browser = Some(OsString::from(browser));
        let desktop = Desktop { display: false, browser, ..programs.desktop() };
        open_on(desktop, AUTHORIZE).await.unwrap();
        assert_eq!(programs.got("my-browser").unwrap()[0], AUTHORIZE);
        fs::remove_file(programs.log("my-browser")).unwrap();
    }
}

#[tokio::test]
async fn a_browser_setting_for_a_shell_is_ignored() {
    let programs = Programs::with("xdg-open", "exit 0");
    programs.add("calc", "exit 0");
    for browser in ["calc;calc", "calc %s", "$(calc)", "`calc`", "calc|calc", "-calc", "calc:calc"]
    {
        let said = programs.open_in_another_process(&[("BROWSER", browser), ("DISPLAY", ":9")]);
        assert_eq!(said, "Ok(())", "{browser}");
        let got = programs.got("xdg-open").unwrap();
        assert_eq!(got, [AUTHORIZE, "stdin /dev/null", "browser unset"], "{browser}");
        assert_eq!(programs.got("calc"), None, "{browser}");
    }
}

#[tokio::test]
async fn the_environment_names_display_and_browser() {
    let programs = Programs::with("xdg-open", "exit 0");
    programs.add("my-browser", "exit 0");
    for nothing in [&[][..], &[("DISPLAY", ""), ("WAYLAND_DISPLAY", "")], &[("BROWSER", "")]] {
        assert_eq!(programs.open_in_another_process(nothing), "Err(NoBrowser)", "{nothing:?}");
    }
    assert_eq!(programs.got("xdg-open"), None);
    assert_eq!(programs.open_in_another_process(&[("WAYLAND_DISPLAY", "wayland-0")]), "Ok(())");
    assert_eq!(programs.got("xdg-open").unwrap()[0], AUTHORIZE);
    let chosen = [("BROWSER", "my-browser"), ("DISPLAY", ":9")];
    assert_eq!(programs.open_in_another_process(&chosen), "Ok(())");
    assert_eq!(programs.got("my-browser").unwrap()[0], AUTHORIZE);
}

/// Not a test: the other process, which takes its desktop from the environment. Does nothing unless
/// [`Programs::open_in_another_process`] started it.
#[tokio::test]
async fn the_other_process() {
    if std::env::var_os(MARK).is_some() {
        println!("{ANSWER}{:?}", open_on(Desktop::of_environment(), AUTHORIZE).await);
    }
}

#[tokio::test]
async fn a_program_that_fails_at_once_has_not_opened_a_browser() {
    let programs = Programs::with("xdg-open", "exit 3");
    let result = open_on(programs.desktop(), AUTHORIZE).await;
    assert!(matches!(result, Err(BrowserError::Failed(Some(3)))), "{result:?}");
    assert!(!format!("{result:?}").contains("request_uri"));
}

#[tokio::test]
async fn a_missing_program_is_told_apart_from_one_that_fails() {
    let empty = tempfile::tempdir().unwrap();
    let path = Some(OsString::from(empty.path()));
    let desktop = Desktop { display: true, browser: None, path };
    let result = open_on(desktop, AUTHORIZE).await;
    assert!(matches!(result, Err(BrowserError::NotStarted(_))), "{result:?}");
}

#[tokio::test]
async fn a_browser_that_stays_open_counts_as_opened_and_is_left_running() {
    let alive =
        "echo $$ > \"$log.pid\"; read line < \"$log.pipe\"; echo \"$line\" > \"$log.alive\"";
    let programs = Programs::with("xdg-open", alive);
    let beside = |name: &str| programs.path(&format!("xdg-open.log.{name}"));
    assert!(Command::new("mkfifo").arg(beside("pipe")).status().unwrap().success());
    let begun = Instant::now();
    open_on(programs.desktop(), AUTHORIZE).await.unwrap();
    assert!(begun.elapsed() < WAIT_TIMEOUT, "{:?}", begun.elapsed());
    let process = fs::read_to_string(beside("pid")).unwrap();
    let group = process_group(process.trim());
    assert_ne!(group, process_group("self"), "Ctrl-C would reach the browser");
    // For reading too, so that opening does not wait for a browser that is no more.
    let mut pipe = fs::File::options().read(true).write(true).open(beside("pipe")).unwrap();
    writeln!(pipe, "browsing").unwrap();
    while !fs::read_to_string(beside("alive")).is_ok_and(|line| line == "browsing\n") {
        assert!(begun.elapsed() < WAIT_TIMEOUT, "the browser was taken down");
        tokio::task::yield_now().await;
    }
}

/// The fifth field of `/proc/PID/stat`; the second may hold spaces, but ends with a parenthesis.
fn process_group(process: &str) -> String {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    after_name.split_whitespace().nth(2).unwrap().to_owned()
}
