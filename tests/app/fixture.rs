//! A desktop with our services and our app on it, and the way of one sign-in through it. The app
//! opens the real browser; where a test has to hold the callback in its hands, the person goes on
//! in a browser of the test's own.
#![allow(dead_code, reason = "each test program uses its part of it")]

use anyhow::{Context, Result};
use keyport_tests::desktop::{App, Keyring};
use keyport_tests::{DesktopSession, Jar, Person, World, wait};

/// The scheme of the development build, which is also the service of its keychain items.
pub const CHANNEL: &str = "dev.keyport.desktop.dev";

const ENTER: char = '\u{e007}';

/// Desktop and services.
pub struct AppFixture {
    pub world: World,
    pub session: DesktopSession,
}

impl AppFixture {
    /// The usual ones.
    pub fn start() -> Result<Self> {
        Self::with(Keyring::Unlocked)
    }

    /// With a Secret Service in this state.
    pub fn with(keyring: Keyring) -> Result<Self> {
        let world = World::start()?;
        let session = DesktopSession::with()
            .keyring(keyring)
            .environment("KEYPORT_COMPANION", world.issuer())
            .start()?;
        Ok(Self { world, session })
    }

    /// The app, with its first screen drawn.
    pub async fn app(&self, environment: &[(&str, &str)]) -> Result<App> {
        let starting = tokio::time::timeout(wait::WAIT_TIMEOUT, self.session.app(environment));
        let app = starting.await.context("the app gives no webview")??;
        app.awaits(&["signed_out", "signed_in", "problem", "not_set_up"], wait::WAIT_TIMEOUT)
            .await?;
        Ok(app)
    }

    /// Types Ada's email, presses Enter and waits for the browser; answers with the address that it
    /// was opened with.
    pub async fn begin(&self, app: &App) -> Result<String> {
        let before = self.session.opened().len();
        app.page.fill("#email", &format!("{}{ENTER}", Person::ADA.email)).await?;
        app.awaits(&["waiting"], wait::WAIT_TIMEOUT).await?;
        self.opened_after(before)
    }

    /// The address that the browser was opened with after this many others.
    pub fn opened_after(&self, before: usize) -> Result<String> {
        wait::until("the browser", wait::WAIT_TIMEOUT, || {
            let opened = self.session.opened();
            Ok(opened.get(before).and_then(|line| line.split(' ').next_back()).map(str::to_owned))
        })
    }

    /// Waits until this window is the active one.
    pub fn in_front(&self, window: &str) -> Result<()> {
        wait::until("the window in front", wait::WAIT_TIMEOUT, || {
            let active = self.session.xdotool(&["getactivewindow"]).unwrap_or_default();
            Ok((active.trim() == window).then_some(()))
        })
    }

    /// The person looks at another window, and at ours again.
    pub fn leave_and_come_back(&self) -> Result<()> {
        let window = self.session.window("^Keyport$", wait::WAIT_TIMEOUT)?;
        self.session.xdotool(&["windowactivate", "--sync", &window])?;
        self.session.xdotool(&["windowminimize", "--sync", &window])?;
        wait::until("the window left", wait::WAIT_TIMEOUT, || {
            let active = self.session.xdotool(&["getactivewindow"]).unwrap_or_default();
            Ok((active.trim() != window).then_some(()))
        })?;
        self.session.xdotool(&["windowactivate", "--sync", &window])?;
        self.in_front(&window)
    }

    /// Signs a person in with the terminal, into the same keychain; the browser is the test's own.
    pub async fn sign_in_with_terminal(&self, person: Person<'_>) -> Result<()> {
        let mut command = self.session.our_command("keyport")?;
        command.args(["sign-in", "--no-browser", "--json", "--email", person.email]);
        let mut terminal = self.session.spawn("terminal", command)?;
        let link = terminal.line(wait::WAIT_TIMEOUT, |line| {
            let event: serde_json::Value = serde_json::from_str(line).ok()?;
            (event["event"] == "authorization_url")
                .then(|| event["url"].as_str().map(str::to_owned))?
        })?;
        let mut browser = Jar::new()?;
        let back =
            person.sign_in(&mut browser, &link).await.context("the way through the pages")?;
        Jar::new()?.open(&back).await?;
        let ended = terminal.wait(wait::WAIT_TIMEOUT)?;
        anyhow::ensure!(ended.success(), "the terminal ended with {ended}: {}", terminal.log());
        Ok(())
    }

    /// Runs one command of the terminal to its end.
    pub fn terminal(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.session.our_command("keyport")?;
        command.args(arguments);
        keyport_tests::process::run(command)
    }

    /// Ada signs in at this address; answers with the callback that her browser would open.
    pub async fn callback(&self, authorize: &str) -> Result<String> {
        let mut browser = Jar::new()?.stopping_at(CHANNEL);
        Person::ADA.sign_in(&mut browser, authorize).await.context("Ada's way through the pages")
    }
}
