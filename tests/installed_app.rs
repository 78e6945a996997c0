//! The app as people get it: installed from the .deb, with a real Chromium, the desktop's own link
//! handling, a real keychain, and emulator and companion as processes (RFC 8252 §7.1 and §7.3). The
//! debug package unless `KEYPORT_PACKAGE` names another. NOT the screens: those are in `app_*.rs`.

#[path = "installed/fixture.rs"]
mod fixture;
#[path = "installed/site.rs"]
mod site;

use std::ffi::OsString;
use std::net::TcpStream;
use std::os::unix::ffi::OsStringExt;

use anyhow::{Context, Result};
use keyport_tests::installed::Installed;
use keyport_tests::{Process, process, wait};

use fixture::InstalledFixture;

/// Waits until the app has counted this many links that were not its own.
fn ignored_callback_is_counted(app: &Process, count: usize) -> Result<()> {
    wait::until("the noise in the log", wait::WAIT_TIMEOUT, || {
        Ok((app.log().matches("a callback that is not ours").count() >= count).then_some(()))
    })
}

/// What a page can only guess: the form of our links.
fn forged(scheme: &str) -> Vec<String> {
    vec![
        format!("{scheme}:/callback?code=x&state=y"),
        format!("{scheme}:/callback?error=access_denied&state=y"),
    ]
}

#[tokio::test]
async fn a_link_to_the_running_app_signs_in_and_survives_a_restart() -> Result<()> {
    let fixture = InstalledFixture::start()?;
    let app = fixture.app("app", &[])?;
    fixture.ask_for_sign_in()?;
    let browser = fixture.session.browser().await?;
    fixture.sign_in_with(&browser).await?;
    fixture.is_signed_in(&browser).await?;
    fixture.close(app)?;

    let app = fixture.app("restarted", &[])?;
    // The heading has the focus; the next thing is "Sign out", which only a person who is signed in
    // can press.
    fixture.keys(&["Tab", "Return"])?;
    wait::until("an empty keychain", wait::WAIT_TIMEOUT, || {
        Ok(fixture.account()?.is_none().then_some(()))
    })?;
    wait::until("the revocation", wait::WAIT_TIMEOUT, || {
        Ok(fixture.world.companion.log().contains("\"revocation\"").then_some(()))
    })?;
    fixture.close(app)
}

#[tokio::test]
async fn a_link_that_starts_the_app_completes_the_sign_in_it_had_begun() -> Result<()> {
    let fixture = InstalledFixture::start()?;
    let app = fixture.app("app", &[])?;
    fixture.ask_for_sign_in()?;
    let browser = fixture.session.browser().await?;
    fixture.close(app)?;
    assert!(
        fixture.session.secrets(&fixture.scheme)?.contains_key("attempt"),
        "the attempt is kept"
    );
    fixture.sign_in_with(&browser).await?;
    fixture.is_signed_in(&browser).await?;
    fixture.window().context("the window that the link opened")?;
    Ok(())
}

#[tokio::test]
async fn over_loopback_the_tab_ends_on_the_companions_page() -> Result<()> {
    let fixture = InstalledFixture::start()?;
    let app = fixture.app("app", &[("KEYPORT_RECEIVER", "loopback")])?;
    fixture.ask_for_sign_in()?;
    let browser = fixture.session.browser().await?;
    fixture.sign_in_with(&browser).await?;
    fixture.is_signed_in(&browser).await?;
    let address = browser.page.client.current_url().await?;
    assert!(address.path().starts_with("/handoff/"), "{address}");
    assert_eq!(address.query(), None, "no code in the address bar");
    fixture.close(app)
}

#[tokio::test]
async fn a_forged_link_redeems_nothing_and_the_sign_in_completes() -> Result<()> {
    let installed = Installed::shared()?;
    let links = forged(&installed.scheme()?);
    let page = site::serve(&links)?;
    let fixture = InstalledFixture::with(installed, Some(&page))?;
    let app = fixture.app("app", &[])?;
    fixture.ask_for_sign_in()?;
    let browser = fixture.session.browser().await?;
    fixture.session.xdg_open(page.as_str())?;
    browser.tab(page.as_str(), wait::WAIT_TIMEOUT).await?;
    for number in 0..links.len() {
        browser.page.click(&format!("#link-{number}")).await?;
        let arrived = async || Ok(app.log().matches("that is not ours").count() > number);
        fixture.session.allow_app(arrived).await?;
    }
    assert_eq!(fixture.token_requests(), 0, "no code was sent to the companion");
    assert_eq!(fixture.account()?, None);
    assert!(
        fixture.session.secrets(&fixture.scheme)?.contains_key("attempt"),
        "the attempt is alive"
    );
    fixture.sign_in_with(&browser).await?;
    fixture.is_signed_in(&browser).await?;
    assert!(fixture.token_requests() > 0, "that is how a redemption looks");
    fixture.close(app)
}

#[tokio::test]
async fn a_forged_link_that_starts_the_app_changes_nothing() -> Result<()> {
    let installed = Installed::shared()?;
    let page = site::serve(&forged(&installed.scheme()?))?;
    let fixture = InstalledFixture::with(installed, Some(&page))?;
    fixture.session.xdg_open(page.as_str())?;
    let browser = fixture.session.browser().await?;
    browser.tab(page.as_str(), wait::WAIT_TIMEOUT).await?;
    browser.page.click("#link-0").await?;
    let opened = async || Ok(fixture.session.xdotool(&["search", "--name", "^Keyport$"]).is_ok());
    fixture.session.allow_app(opened).await?;
    fixture.window()?;
    assert_eq!(fixture.token_requests(), 0, "no code was sent to the companion");
    assert_eq!(fixture.account()?, None);
    // Only the screen of a person who is signed out takes an address.
    fixture.ask_for_sign_in()?;
    fixture.sign_in_with(&browser).await?;
    fixture.is_signed_in(&browser).await
}

#[tokio::test]
async fn no_arguments_that_a_program_can_give_disturb_the_running_app() -> Result<()> {
    let fixture = InstalledFixture::start()?;
    let app = fixture.app("app", &[])?;
    fixture.ask_for_sign_in()?;
    let link = |rest: &str| OsString::from(format!("{}{rest}", fixture.scheme));
    let long = format!(":/callback?code={}&state=y", "x".repeat(3 * 1024));
    // A bare scheme only brings the window to the front (`tests/app_links.rs`).
    let noise = ["://callback?code=x&state=y", ":/callback?code=ä&state=é", ":callback", &long];
    for rest in noise {
        started_with(&fixture, &[link(rest)])?;
    }
    ignored_callback_is_counted(&app, noise.len())?;
    let one = || link(":/callback?code=x&state=y");
    started_with(&fixture, &[one(), one()])?;
    started_with(&fixture, &[one(), "--automation".into()])?;
    // Not text at all: whatever becomes of the second process, the first one stays.
    let _ = started_with(&fixture, &[OsString::from_vec(b"\xff\xfe:/callback".to_vec())]);
    assert_eq!(app.log().matches("that is not ours").count(), noise.len(), "two are no link");
    assert_eq!(fixture.token_requests(), 0);

    let browser = fixture.session.browser().await?;
    fixture.sign_in_with(&browser).await?;
    fixture.is_signed_in(&browser).await?;
    fixture.close(app)
}

/// Starts the installed program once more; it hands over and ends.
fn started_with(fixture: &InstalledFixture, arguments: &[OsString]) -> Result<()> {
    let mut command = fixture.session.command(fixture.program());
    command.args(arguments);
    process::run(command).map(drop)
}

#[test]
fn only_a_development_build_lets_another_program_into_its_window() -> Result<()> {
    let fixture = InstalledFixture::start()?;
    for receiver in ["WEBKIT_INSPECTOR_SERVER", "WEBKIT_INSPECTOR_HTTP_SERVER"] {
        let address = format!("127.0.0.1:{}", process::free_port()?);
        let app =
            fixture.app(receiver, &[("TAURI_WEBVIEW_AUTOMATION", "true"), (receiver, &address)])?;
        let is_open = TcpStream::connect(&address).is_ok();
        assert_eq!(is_open, fixture.is_development(), "{receiver}, once the window is drawn");
        let environment = std::fs::read(format!("/proc/{}/environ", app.id()))?;
        let environment = String::from_utf8_lossy(&environment);
        for name in ["TAURI_WEBVIEW_AUTOMATION=", receiver] {
            assert_eq!(environment.contains(name), fixture.is_development(), "{name}");
        }
        fixture.close(app)?;
    }
    Ok(())
}
