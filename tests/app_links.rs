//! Links to the running app, links that start it, and links that nobody waits for (RFC 8252 §8.1):
//! the app with a real session bus and a real keychain. The browser's own part of the way is in
//! `installed.rs`.

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

/// The keyring is locked, and the link of a sign-in that an earlier process began starts the app.
async fn started_beside_a_locked_keyring(desk: &Desk) -> Result<App> {
    let app = desk.app(&[]).await?;
    let authorize = desk.begin(&app).await?;
    app.close().await?;
    desk.session.lock_keyring()?;
    let link = desk.callback(&authorize).await?;
    let program = binaries::path("keyport-desktop")?;
    let app = desk.session.app_at(&program, &[&link], &[]).await?;
    app.awaits(&["problem"], wait::PATIENCE).await?;
    app.says("keychain is locked", wait::PATIENCE).await?;
    Ok(app)
}

#[tokio::test]
async fn a_link_that_starts_the_app_beside_a_locked_keychain_completes_once_it_is_open()
-> Result<()> {
    let mut desk = Desk::start()?;
    let app = started_beside_a_locked_keyring(&desk).await?;
    desk.session.unlock_keyring()?;
    app.intent("try-again").await?;
    app.awaits(&["signed_in"], wait::PATIENCE).await?;
    app.says("in your system keychain", wait::PATIENCE).await?;
    app.close().await
}

#[tokio::test]
async fn a_keychain_that_another_program_opens_is_noticed_when_the_person_comes_back() -> Result<()>
{
    let mut desk = Desk::start()?;
    let app = started_beside_a_locked_keyring(&desk).await?;
    desk.session.unlock_keyring()?;
    desk.leave_and_come_back()?;
    app.awaits(&["signed_in"], wait::PATIENCE).await?;
    app.close().await
}

#[tokio::test]
async fn the_link_that_only_opens_the_app_brings_it_to_the_front_and_begins_nothing() -> Result<()>
{
    let desk = Desk::start()?;
    let app = desk.app(&[]).await?;
    let window = desk.session.window("^Keyport$", wait::PATIENCE)?;
    for rest in [":/open", ":/", ":"] {
        desk.session.xdotool(&["windowminimize", &window])?;
        wait::until("the minimized window", wait::PATIENCE, || {
            let active = desk.session.xdotool(&["getactivewindow"]).unwrap_or_default();
            Ok((active.trim() != window).then_some(()))
        })?;
        desk.session.xdg_open(&format!("{CHANNEL}{rest}"))?;
        desk.in_front(&window)?;
    }
    assert_eq!(app.screen().await?, "signed_out");
    assert!(desk.session.opened().is_empty(), "no browser was opened");
    assert!(!app.process().log().contains("a callback that is not ours"));
    app.close().await?;
    // A stopped app starts.
    desk.session.xdg_open(&format!("{CHANNEL}:/open"))?;
    desk.session.window("^Keyport$", wait::PATIENCE)?;
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
    desk.in_front(&window)?;
    let windows = desk.session.xdotool(&["search", "--onlyvisible", "--name", "^Keyport$"])?;
    assert_eq!(windows.lines().count(), 1, "one window: {windows}");
    app.close().await.context("the first one is still there")
}
