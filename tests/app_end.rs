//! The end of the app: told by a signal or by its closed window at any moment, while the companion
//! answers nothing; and the start that cannot be, without a display.

#[path = "app/desk.rs"]
mod desk;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use keyport_tests::{Process, wait};
use rustix::process::{Pid, Signal, kill_process};

use desk::Desk;

/// Five seconds for what is owed, and what a busy machine needs to end a process; a blocked thread
/// is ended after eight.
const DEADLINE: Duration = Duration::from_secs(15);

/// A desktop on which Ada is signed in, with her access token due.
async fn signed_in() -> Result<Desk> {
    let desk = Desk::start()?;
    let app = desk.app(&[]).await?;
    let authorize = desk.begin(&app).await?;
    desk.session.xdg_open(&desk.callback(&authorize).await?)?;
    app.awaits(&["signed_in"], wait::PATIENCE).await?;
    app.close().await?;
    wait::until("the end of the first app", wait::PATIENCE, || {
        Ok(desk.session.xdotool(&["search", "--name", "^Keyport$"]).is_err().then_some(()))
    })?;
    Ok(desk)
}

/// The companion's address takes connections and nothing is ever answered on them.
fn companion(desk: &Desk, signal: Signal) -> Result<()> {
    let id = i32::try_from(desk.world.companion.id())?;
    let Some(id) = Pid::from_raw(id) else { anyhow::bail!("a process id") };
    Ok(kill_process(id, signal)?)
}

/// The app with its window; its refresh, which it begins at once, is not answered.
fn app(desk: &Desk, name: &str) -> Result<Process> {
    let command = desk.session.our_command("keyport-desktop")?;
    let app = desk.session.spawn(name, command)?;
    window_of(desk, &app)?;
    Ok(app)
}

/// The window of this process: another one may just be leaving.
fn window_of(desk: &Desk, app: &Process) -> Result<String> {
    let id = app.id().to_string();
    let search = ["search", "--all", "--onlyvisible", "--pid", &id, "--name", "^Keyport$"];
    wait::until("the window", wait::PATIENCE, || {
        let found = desk.session.xdotool(&search).unwrap_or_default();
        Ok(found.lines().next().map(str::to_owned))
    })
}

/// Waits until the app has been there for this long, unless it ends before.
fn after(started: Instant, moment: Duration) -> Result<()> {
    wait::until("the moment", wait::PATIENCE, || Ok((started.elapsed() >= moment).then_some(())))
}

/// The lock is free: a command that needs it gets it as soon as the companion answers again.
fn lock_is_free(desk: &Desk) -> Result<()> {
    companion(desk, Signal::CONT)?;
    let token = desk.terminal(&["token"])?;
    ensure!(!token.trim().is_empty(), "a token");
    Ok(())
}

#[tokio::test]
async fn told_to_end_at_any_moment_of_an_unanswered_refresh_it_is_gone_in_time() -> Result<()> {
    let desk = signed_in().await?;
    for tenths in [0, 10, 25, 49, 70] {
        companion(&desk, Signal::STOP)?;
        let mut app = app(&desk, &format!("app-{tenths}"))?;
        after(Instant::now(), Duration::from_millis(tenths * 100))?;
        let ended = app.terminate(DEADLINE)?;
        ensure!(ended.success(), "{tenths} tenths of a second after its window: {ended}");
        lock_is_free(&desk)?;
    }
    Ok(())
}

#[tokio::test]
async fn closed_at_any_moment_of_an_unanswered_refresh_it_is_gone_in_time() -> Result<()> {
    let desk = signed_in().await?;
    for tenths in [0, 20, 45] {
        companion(&desk, Signal::STOP)?;
        let mut app = app(&desk, &format!("app-{tenths}"))?;
        after(Instant::now(), Duration::from_millis(tenths * 100))?;
        let window = window_of(&desk, &app)?;
        desk.session.xdotool(&["windowactivate", "--sync", &window])?;
        desk.session.xdotool(&["key", "--clearmodifiers", "alt+F4"])?;
        let ended = app.wait(DEADLINE)?;
        ensure!(ended.success(), "{tenths} tenths of a second after its window: {ended}");
        lock_is_free(&desk)?;
    }
    Ok(())
}

#[test]
fn without_a_display_it_says_so_in_a_sentence() -> Result<()> {
    let desk = Desk::start()?;
    for (name, display) in [("none", None), ("gone", Some(":4711"))] {
        let mut command = desk.session.our_command("keyport-desktop")?;
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env("RUST_BACKTRACE", "1");
        command.envs(display.map(|display| ("DISPLAY", display)));
        let mut app = desk.session.spawn(name, command)?;
        let ended = app.wait(wait::PATIENCE)?;
        let said = app.log();
        ensure!(ended.code() == Some(1), "{ended}: {said}");
        ensure!(said.contains("There is no display"), "{said}");
        ensure!(!said.contains("panicked") && !said.contains("backtrace"), "{said}");
    }
    Ok(())
}
