//! The end of the app: told by a signal or by its closed window at any moment, while the companion
//! answers nothing; and the start that cannot be, without a display.

#[path = "app/fixture.rs"]
mod fixture;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use keyport_tests::{Process, wait};
use rustix::process::{Pid, Signal, kill_process};

use fixture::AppFixture;

/// Five seconds for what is owed, and what a busy machine needs to end a process; a blocked thread
/// is ended after eight.
const DEADLINE: Duration = Duration::from_secs(15);

/// A desktop session in which Ada is signed in. Her access token is due for renewal.
async fn signed_in() -> Result<AppFixture> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let authorize = fixture.begin(&app).await?;
    fixture.session.xdg_open(&fixture.callback(&authorize).await?)?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.close().await?;
    wait::until("the end of the first app", wait::WAIT_TIMEOUT, || {
        Ok(fixture.session.xdotool(&["search", "--name", "^Keyport$"]).is_err().then_some(()))
    })?;
    Ok(fixture)
}

/// The companion's address takes connections and nothing is ever answered on them.
fn companion(fixture: &AppFixture, signal: Signal) -> Result<()> {
    let id = i32::try_from(fixture.world.companion.id())?;
    let Some(id) = Pid::from_raw(id) else { anyhow::bail!("a process id") };
    Ok(kill_process(id, signal)?)
}

/// The app with its window; its refresh, which it begins at once, is not answered.
fn app(fixture: &AppFixture, name: &str) -> Result<Process> {
    let command = fixture.session.our_command("keyport-desktop")?;
    let app = fixture.session.spawn(name, command)?;
    window_of(fixture, &app)?;
    Ok(app)
}

/// The window of this process: another one may just be leaving.
fn window_of(fixture: &AppFixture, app: &Process) -> Result<String> {
    wait::until("the window", wait::WAIT_TIMEOUT, || Ok(visible_window_of(fixture, app)))
}

fn visible_window_of(fixture: &AppFixture, app: &Process) -> Option<String> {
    let id = app.id().to_string();
    let search = ["search", "--all", "--onlyvisible", "--pid", &id, "--name", "^Keyport$"];
    let found = fixture.session.xdotool(&search).ok()?;
    found.lines().next().map(str::to_owned)
}

/// Waits until the app has been there for this long, unless it ends before.
fn after(started: Instant, moment: Duration) -> Result<()> {
    wait::until(
        "the moment",
        wait::WAIT_TIMEOUT,
        || Ok((started.elapsed() >= moment).then_some(())),
    )
}

/// The lock is free: a command that needs it gets it as soon as the companion answers again.
fn lock_is_free(fixture: &AppFixture) -> Result<()> {
    companion(fixture, Signal::CONT)?;
    let token = fixture.terminal(&["token"])?;
    ensure!(!token.trim().is_empty(), "a token");
    Ok(())
}

#[tokio::test]
async fn sigterm_during_an_unanswered_refresh_ends_it_in_time() -> Result<()> {
    let fixture = signed_in().await?;
    for tenths in [0, 10, 25, 49, 70] {
        companion(&fixture, Signal::STOP)?;
        let mut app = app(&fixture, &format!("app-{tenths}"))?;
        after(Instant::now(), Duration::from_millis(tenths * 100))?;
        let ended = app.terminate(DEADLINE)?;
        ensure!(ended.success(), "{tenths} tenths of a second after its window: {ended}");
        lock_is_free(&fixture)?;
    }
    Ok(())
}

#[tokio::test]
async fn closing_during_an_unanswered_refresh_ends_it_in_time() -> Result<()> {
    let fixture = signed_in().await?;
    for tenths in [0, 20, 45] {
        companion(&fixture, Signal::STOP)?;
        let mut app = app(&fixture, &format!("app-{tenths}"))?;
        after(Instant::now(), Duration::from_millis(tenths * 100))?;
        fixture.session.close_window(|| visible_window_of(&fixture, &app))?;
        let ended = app.wait(DEADLINE)?;
        ensure!(ended.success(), "{tenths} tenths of a second after its window: {ended}");
        lock_is_free(&fixture)?;
    }
    Ok(())
}

#[test]
fn without_a_display_it_says_so_in_a_sentence() -> Result<()> {
    let fixture = AppFixture::start()?;
    for (name, display) in [("none", None), ("gone", Some(":4711"))] {
        let mut command = fixture.session.our_command("keyport-desktop")?;
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env("RUST_BACKTRACE", "1");
        command.envs(display.map(|display| ("DISPLAY", display)));
        let mut app = fixture.session.spawn(name, command)?;
        let ended = app.wait(wait::WAIT_TIMEOUT)?;
        let said = app.log();
        ensure!(ended.code() == Some(1), "{ended}: {said}");
        ensure!(said.contains("There is no display"), "{said}");
        ensure!(!said.contains("panicked") && !said.contains("backtrace"), "{said}");
    }
    Ok(())
}
