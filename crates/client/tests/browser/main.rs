//! The browser opener, with a real program in the place of `xdg-open` that writes down what it got.
#![cfg(all(unix, not(target_os = "macos")))]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keyport_client::browser::{self, BrowserTrouble, CompanionOrigin, Desktop, SystemBrowser};
use keyport_core::secret::AuthorizationUrl;
use tempfile::TempDir;
use url::Url;

const COMPANION: &str = "http://127.0.0.1:8788";
const AUTHORIZE: &str = "http://127.0.0.1:8788/oauth/authorize?client_id=keyport-desktop\
     &request_uri=urn:ietf:params:oauth:request_uri:abc";

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

async fn open_on(desktop: Desktop, url: &str) -> Result<(), BrowserTrouble> {
    let companion = CompanionOrigin::of(&Url::parse(COMPANION).unwrap()).unwrap();
    let url = AuthorizationUrl::new(url);
    browser::open(&SystemBrowser::on(desktop), &url, &companion).await
}

#[tokio::test]
async fn the_url_arrives_as_one_argument_and_standard_input_is_not_handed_down() {
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
        assert!(matches!(result, Err(BrowserTrouble::NotPermitted)), "{url:?}: {result:?}");
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
        assert!(matches!(result, Err(BrowserTrouble::NoBrowser)), "{result:?}");
    }
    assert_eq!(programs.got("xdg-open"), None);
}

#[tokio::test]
async fn a_plain_browser_of_the_persons_choice_is_used_by_name_or_path_even_without_a_display() {
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
async fn a_browser_setting_meant_for_a_shell_is_left_aside_and_not_handed_down() {
    let programs = Programs::with("xdg-open", "exit 0");
    programs.add("calc", "exit 0");
    for browser in ["calc;calc", "calc %s", "$(calc)", "`calc`", "calc|calc", "-calc", "calc:calc"]
    {
        let desktop = Desktop { browser: Some(browser.into()), ..programs.desktop() };
        open_on(desktop, AUTHORIZE).await.unwrap();
        let got = programs.got("xdg-open").unwrap();
        assert_eq!(got, [AUTHORIZE, "stdin /dev/null", "browser unset"], "{browser}");
        assert_eq!(programs.got("calc"), None, "{browser}");
    }
}

#[tokio::test]
async fn a_program_that_fails_at_once_has_not_opened_a_browser() {
    let programs = Programs::with("xdg-open", "exit 3");
    let result = open_on(programs.desktop(), AUTHORIZE).await;
    assert!(matches!(result, Err(BrowserTrouble::Failed(Some(3)))), "{result:?}");
    assert!(!format!("{result:?}").contains("request_uri"));
}

#[tokio::test]
async fn a_program_that_is_missing_or_not_one_is_told_apart_from_one_that_fails() {
    let empty = tempfile::tempdir().unwrap();
    let path = Some(OsString::from(empty.path()));
    let desktop = Desktop { display: true, browser: None, path };
    let result = open_on(desktop, AUTHORIZE).await;
    assert!(matches!(result, Err(BrowserTrouble::NotStarted(_))), "{result:?}");
}

#[tokio::test]
async fn a_browser_that_stays_open_counts_as_opened_and_is_left_running() {
    let programs = Programs::with("xdg-open", "echo $$ > \"$log.pid\"; exec /bin/sleep 60");
    let begun = Instant::now();
    open_on(programs.desktop(), AUTHORIZE).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let process = fs::read_to_string(programs.path("xdg-open.log.pid")).unwrap();
    let process = process.trim();
    assert!(Path::new("/proc").join(process).exists(), "the browser was taken down");
    assert_ne!(process_group(process), process_group("self"), "Ctrl-C would reach the browser");
    let stopped = Command::new("kill").arg(process).status().unwrap();
    assert!(stopped.success());
}

/// The fifth field of `/proc/PID/stat`; the second may hold spaces, but ends with a parenthesis.
fn process_group(process: &str) -> String {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    after_name.split_whitespace().nth(2).unwrap().to_owned()
}
