//! `keyport link`: hands a sign-in link to the desktop, as a browser does, so that what the app
//! does with a link can be tested without a browser. It keeps no link (a link holds a code) and is
//! no general opener. RFC 8252 §7.1. The Windows and macOS lines have not been run.

use std::process::Stdio;
use std::time::Duration;

use keyport_core::secret::RawCallback;
use keyport_core::{Callback, CallbackError, CallbackReceiver};
use tokio::process::Command;
use tokio::time::timeout;

use crate::arguments::Link;
use crate::exit::Exit;
use crate::output::Output;

/// How the links of our builds begin: release and development.
pub const BEGINNINGS: &[&str] = &["dev.keyport.desktop:", "dev.keyport.desktop.dev:"];

/// Longer than what the app reads, so that this can be shown too; shorter than what a system hands
/// to a program.
const LONGEST: usize = 8 * 1024;

/// A program that has not ended by then became the app itself, or waits for it: the link is handed
/// over.
const HAND_OVER: Duration = Duration::from_secs(10);

/// Whether this is a link for our app and nothing that another program could take for something
/// else.
pub fn is_ours(link: &str) -> bool {
    scheme(link).is_some()
        && link.len() <= LONGEST
        && link.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Hands the link over, once or twice.
pub async fn link(what: &Link, output: &Output) -> Exit {
    let (url, times) = match what {
        Link::Send(handed) => (&handed.url, 1),
        Link::Replay(handed) => (&handed.url, 2),
    };
    match reading(url) {
        Ok(_) => output.say("cli-link-whole", &[]),
        Err(error) => output.say("cli-link-error", &[("error", &error.to_string())]),
    }
    for _ in 0..times {
        match hand_over(url).await {
            Ok(program) => output.say("cli-link-sent", &[("program", &program)]),
            Err(error) => {
                output.say(error, &[("scheme", scheme(url).unwrap_or_default())]);
                return Exit::Unreachable;
            }
        }
    }
    Exit::Done
}

fn scheme(link: &str) -> Option<&'static str> {
    let beginning = BEGINNINGS.iter().find(|beginning| link.starts_with(**beginning))?;
    Some(beginning.trim_end_matches(':'))
}

/// What the app will take it for. Whether it waits for it, only the app knows.
fn reading(link: &str) -> Result<Callback, CallbackError> {
    let address = format!("{}:/callback", scheme(link).unwrap_or_default());
    Callback::parse(CallbackReceiver::Link, &address, &RawCallback::new(link))
}

/// Answers with the name of the program that has it; otherwise with what to say.
async fn hand_over(link: &str) -> Result<String, &'static str> {
    let handler = handler(scheme(link).unwrap_or_default()).await?;
    for opener in openers() {
        let mut command = Command::new(opener[0]);
        command.args(&opener[1..]).arg(link);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // The app outlives us, and a Ctrl-C here is not meant for it.
        #[cfg(unix)]
        command.process_group(0);
        let Ok(mut child) = command.spawn() else {
            continue;
        };
        match timeout(HAND_OVER, child.wait()).await {
            Err(_) => return Ok(handler.unwrap_or_else(|| opener[0].to_owned())),
            Ok(Ok(status)) if status.success() => {
                return Ok(handler.unwrap_or_else(|| opener[0].to_owned()));
            }
            Ok(_) => {}
        }
    }
    Err("cli-link-failed")
}

const fn openers() -> &'static [&'static [&'static str]] {
    if cfg!(windows) {
        &[&["rundll32.exe", "url.dll,FileProtocolHandler"]]
    } else if cfg!(target_os = "macos") {
        &[&["/usr/bin/open"]]
    } else {
        &[&["xdg-open"], &["gio", "open"]]
    }
}

/// The desktop entry that is registered for the scheme of the link; `None` on a system that has no
/// such query. Where none is registered, `xdg-open` would give the link and its code to a browser.
async fn handler(scheme: &str) -> Result<Option<String>, &'static str> {
    if cfg!(any(windows, target_os = "macos")) {
        return Ok(None);
    }
    let kind = format!("x-scheme-handler/{scheme}");
    let asked = Command::new("xdg-mime")
        .args(["query", "default", &kind])
        .stdin(Stdio::null())
        .output()
        .await;
    let entry = asked.map_err(|_| "cli-link-no-desktop")?.stdout;
    let entry = String::from_utf8_lossy(&entry).trim().to_owned();
    if entry.is_empty() { Err("cli-link-no-app") } else { Ok(Some(entry)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_our_schemes_are_handed_over_even_if_refused_there() {
        for link in [
            "dev.keyport.desktop:/callback?code=x&state=y",
            "dev.keyport.desktop.dev:/callback?code=x&state=y",
            "dev.keyport.desktop://callback?code=x",
            "dev.keyport.desktop:/other",
        ] {
            assert!(is_ours(link), "{link}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for link in [
            "",
            "--help",
            "https://acme.test/callback?code=x",
            "file:///etc/passwd",
            "DEV.KEYPORT.DESKTOP:/callback?code=x",
            "dev.keyport.desktop.evil:/callback?code=x",
            " dev.keyport.desktop:/callback?code=x",
            "dev.keyport.desktop:/callback?code=x y",
            "dev.keyport.desktop:/callback?code=x\n",
            "dev.keyport.desktop:/callback?code=é",
        ] {
            assert!(!is_ours(link), "{link:?}");
        }
        assert!(!is_ours(&format!("dev.keyport.desktop:/{}", "a".repeat(LONGEST))));
    }

    #[test]
    fn it_says_beforehand_what_the_app_will_make_of_it() {
        assert!(reading("dev.keyport.desktop.dev:/callback?code=x&state=y").is_ok());
        assert_eq!(reading("dev.keyport.desktop:/callback?code=x"), Err(CallbackError::NoState));
        assert_eq!(
            reading("dev.keyport.desktop://callback?code=x&state=y"),
            Err(CallbackError::OtherAddress)
        );
    }
}
