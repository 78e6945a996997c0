//! Links to the running app, links that start it, and links that nobody waits for (RFC 8252 §8.1): the app with a real session bus
//! and a real keychain. The browser's own part of the way is in `installed.rs`.

#[path = "app/desk.rs"]
mod desk;

use anyhow::{Context, Result};
use keyport_tests::desktop::App;
use keyport_tests::{binaries, leaks, wait};

use desk::{CHANNEL, Desk};

/// Waits until the app has counted this many callbacks that were not its own.
fn noise_is_counted(app: &App, count: usize) -> Result<()> {
    wait::until("the noise in the log", wait::PATIENCE, || {
        let counted = app.process().log().matches("a callback that is not ours").count();
        Ok((counted >= count).then_some(()))
    })
}

#[tokio::test]
async fn a_link_to_the_running_app_signs_in() -> Result<()> {
    let desk = Desk::start()?;
    let app = desk.app(&[]).await?;
    let authorize = desk.begin(&app).await?;
    let link = desk.callback(&authorize).await?;
    assert!(link.starts_with(&format!("{CHANNEL}:/callback?")), "the app's own scheme");
    desk.session.xdg_open(&link)?;
    app.awaits(&["signed_in"], wait::PATIENCE).await?;
    app.says("in your system keychain", wait::PATIENCE).await?;
    app.close().await
}

#[tokio::test]
async fn a_link_that_starts_the_app_completes_the_sign_in() -> Result<()> {
    let desk = Desk::start()?;
    let app = desk.app(&[]).await?;
    let authorize = desk.begin(&app).await?;
    app.close().await?;
    let link = desk.callback(&authorize).await?;
    let program = binaries::path("keyport-desktop")?;
    let app = desk.session.app_at(&program, &[&link], &[]).await?;
    app.awaits(&["signed_in"], wait::PATIENCE).await?;
    app.says("ada@acme.test", wait::PATIENCE).await?;
    app.close().await?;
    let items = desk.session.secrets(CHANNEL)?;
    assert!(!items.contains_key("attempt"), "the attempt is over and forgotten");
    Ok(())
}

#[tokio::test]
async fn a_page_that_opens_our_link_signs_nobody_in_and_ends_nothing() -> Result<()> {
    let desk = Desk::start()?;
    let app = desk.app(&[("RUST_LOG", "trace")]).await?;
    let forged = [
        format!("{CHANNEL}:/callback?code=x&state=y"),
        format!("{CHANNEL}:/callback?error=access_denied"),
        format!("{CHANNEL}://callback?code=x&state=y"),
    ];
    for link in &forged {
        desk.session.xdg_open(link)?;
    }
    noise_is_counted(&app, forged.len())?;
    assert_eq!(app.screen().await?, "signed_out", "without an attempt nothing happens");

    let authorize = desk.begin(&app).await?;
    for link in &forged {
        desk.session.xdg_open(link)?;
    }
    noise_is_counted(&app, 2 * forged.len())?;
    assert_eq!(app.screen().await?, "waiting", "the attempt is alive");
    let link = desk.callback(&authorize).await?;
    desk.session.xdg_open(&link)?;
    app.awaits(&["signed_in"], wait::PATIENCE).await?;
    let log = app.process().log();
    assert!(log.contains("DEBUG"), "it was asked to say all that it can");
    for secret in ["code=", "state=", "request_uri", &link] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    assert!(!leaks::holds_token(log.as_bytes(), &[]), "a token is in the log");
    app.close().await
}

#[tokio::test]
async fn an_old_link_used_once_more_changes_nothing() -> Result<()> {
    let desk = Desk::start()?;
    let app = desk.app(&[]).await?;
    let authorize = desk.begin(&app).await?;
    let link = desk.callback(&authorize).await?;
    desk.session.xdg_open(&link)?;
    app.awaits(&["signed_in"], wait::PATIENCE).await?;
    desk.session.xdg_open(&link)?;
    noise_is_counted(&app, 1)?;
    assert_eq!(app.screen().await?, "signed_in");
    app.close().await
}

#[tokio::test]
async fn the_app_started_twice_is_one_window_in_front() -> Result<()> {
    let desk = Desk::start()?;
    let app = desk.app(&[]).await?;
    let window = desk.session.window("^Keyport$", wait::PATIENCE)?;
    desk.session.xdotool(&["windowminimize", &window])?;
    let mut second = desk.session.spawn("second", desk.session.our_command("keyport-desktop")?)?;
    let ended = second.wait(wait::PATIENCE)?;
    assert!(ended.success(), "the second one hands over and ends: {ended}");
    wait::until("the window in front", wait::PATIENCE, || {
        let active = desk.session.xdotool(&["getactivewindow"]).unwrap_or_default();
        Ok((active.trim() == window).then_some(()))
    })?;
    let windows = desk.session.xdotool(&["search", "--onlyvisible", "--name", "^Keyport$"])?;
    assert_eq!(windows.lines().count(), 1, "one window: {windows}");
    app.close().await.context("the first one is still there")
}
