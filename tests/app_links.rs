//! Links to the running app, links that start it, and links that no sign-in waits for (RFC 8252
//! §8.1): the app with a real session bus and a real keychain. The browser's own part of the way is
//! in `installed.rs`.

#[path = "app/fixture.rs"]
mod fixture;

use anyhow::{Context, Result};
use keyport_tests::desktop::App;
use keyport_tests::{binaries, leaks, wait};

use fixture::{AppFixture, CHANNEL};

/// Waits until the app has counted this many callbacks that were not its own.
fn ignored_callback_is_counted(app: &App, count: usize) -> Result<()> {
    wait::until("the noise in the log", wait::WAIT_TIMEOUT, || {
        let counted = app.page.process().log().matches("a callback that is not ours").count();
        Ok((counted >= count).then_some(()))
    })
}

#[tokio::test]
async fn a_link_to_the_running_app_signs_in() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let authorize = fixture.begin(&app).await?;
    let link = fixture.callback(&authorize).await?;
    assert!(link.starts_with(&format!("{CHANNEL}:/callback?")), "the app's own scheme");
    fixture.session.xdg_open(&link)?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.page.says("in your system keychain", wait::WAIT_TIMEOUT).await?;
    app.close().await
}

#[tokio::test]
async fn a_link_that_starts_the_app_completes_the_sign_in() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let authorize = fixture.begin(&app).await?;
    app.close().await?;
    let link = fixture.callback(&authorize).await?;
    let program = binaries::path("keyport-desktop")?;
    let app = fixture.session.app_at(&program, &[&link], &[]).await?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.page.says("ada@acme.test", wait::WAIT_TIMEOUT).await?;
    app.close().await?;
    let items = fixture.session.secrets(CHANNEL)?;
    assert!(!items.contains_key("attempt"), "the attempt is over and forgotten");
    Ok(())
}

/// The keyring is locked, and the link of a sign-in that an earlier process began starts the app.
async fn started_beside_a_locked_keyring(fixture: &AppFixture) -> Result<App> {
    let app = fixture.app(&[]).await?;
    let authorize = fixture.begin(&app).await?;
    app.close().await?;
    fixture.session.lock_keyring()?;
    let link = fixture.callback(&authorize).await?;
    let program = binaries::path("keyport-desktop")?;
    let app = fixture.session.app_at(&program, &[&link], &[]).await?;
    app.awaits(&["problem"], wait::WAIT_TIMEOUT).await?;
    app.page.says("keychain is locked", wait::WAIT_TIMEOUT).await?;
    Ok(app)
}

#[tokio::test]
async fn a_link_at_start_completes_once_the_keychain_is_unlocked() -> Result<()> {
    let mut fixture = AppFixture::start()?;
    let app = started_beside_a_locked_keyring(&fixture).await?;
    fixture.session.unlock_keyring()?;
    app.intent("try-again").await?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.page.says("in your system keychain", wait::WAIT_TIMEOUT).await?;
    app.close().await
}

#[tokio::test]
async fn a_keychain_unlocked_elsewhere_is_noticed_on_focus() -> Result<()> {
    let mut fixture = AppFixture::start()?;
    let app = started_beside_a_locked_keyring(&fixture).await?;
    fixture.session.unlock_keyring()?;
    fixture.leave_and_come_back()?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.close().await
}

#[tokio::test]
async fn the_open_link_raises_the_window_and_begins_nothing() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let window = fixture.session.window("^Keyport$", wait::WAIT_TIMEOUT)?;
    for rest in [":/open", ":/", ":"] {
        fixture.session.xdotool(&["windowminimize", &window])?;
        wait::until("the minimized window", wait::WAIT_TIMEOUT, || {
            let active = fixture.session.xdotool(&["getactivewindow"]).unwrap_or_default();
            Ok((active.trim() != window).then_some(()))
        })?;
        fixture.session.xdg_open(&format!("{CHANNEL}{rest}"))?;
        fixture.in_front(&window)?;
    }
    assert_eq!(app.screen().await?, "signed_out");
    assert!(fixture.session.opened().is_empty(), "no browser was opened");
    assert!(!app.page.process().log().contains("a callback that is not ours"));
    app.close().await?;
    // A stopped app starts.
    fixture.session.xdg_open(&format!("{CHANNEL}:/open"))?;
    fixture.session.window("^Keyport$", wait::WAIT_TIMEOUT)?;
    Ok(())
}

#[tokio::test]
async fn a_page_that_opens_our_link_changes_no_session() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[("RUST_LOG", "trace")]).await?;
    let forged = [
        format!("{CHANNEL}:/callback?code=x&state=y"),
        format!("{CHANNEL}:/callback?error=access_denied"),
        format!("{CHANNEL}://callback?code=x&state=y"),
    ];
    for link in &forged {
        fixture.session.xdg_open(link)?;
    }
    ignored_callback_is_counted(&app, forged.len())?;
    assert_eq!(app.screen().await?, "signed_out", "without an attempt nothing happens");

    let authorize = fixture.begin(&app).await?;
    for link in &forged {
        fixture.session.xdg_open(link)?;
    }
    ignored_callback_is_counted(&app, 2 * forged.len())?;
    assert_eq!(app.screen().await?, "waiting", "the attempt is alive");
    let link = fixture.callback(&authorize).await?;
    fixture.session.xdg_open(&link)?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    let log = app.page.process().log();
    assert!(log.contains("DEBUG"), "it was asked to say all that it can");
    for secret in ["code=", "state=", "request_uri", &link] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    assert!(!leaks::holds_token(log.as_bytes(), &[]), "a token is in the log");
    app.close().await
}

#[tokio::test]
async fn an_old_link_used_once_more_changes_nothing() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let authorize = fixture.begin(&app).await?;
    let link = fixture.callback(&authorize).await?;
    fixture.session.xdg_open(&link)?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    fixture.session.xdg_open(&link)?;
    ignored_callback_is_counted(&app, 1)?;
    assert_eq!(app.screen().await?, "signed_in");
    app.close().await
}

#[tokio::test]
async fn the_app_started_twice_is_one_window_in_front() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let window = fixture.session.window("^Keyport$", wait::WAIT_TIMEOUT)?;
    fixture.session.xdotool(&["windowminimize", &window])?;
    let mut second =
        fixture.session.spawn("second", fixture.session.our_command("keyport-desktop")?)?;
    let ended = second.wait(wait::WAIT_TIMEOUT)?;
    assert!(ended.success(), "the second one hands over and ends: {ended}");
    fixture.in_front(&window)?;
    let windows = fixture.session.xdotool(&["search", "--onlyvisible", "--name", "^Keyport$"])?;
    assert_eq!(windows.lines().count(), 1, "one window: {windows}");
    app.close().await.context("the first one is still there")
}
