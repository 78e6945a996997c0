//! A desktop on which the package is installed, and a person at it: the window gets keys, the
//! browser gets clicks, and what came of it is read from the tab, the keychain, the files and the
//! companion's log. NOT through the window's page, so that a release package is tested by the same
//! hands.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use keyport_tests::desktop::Browser;
use keyport_tests::installed::Installed;
use keyport_tests::{DesktopSession, Person, Process, World, leaks, wait};
use serde_json::Value;
use url::Url;

const TITLE: &str = "^Keyport$";

/// Session first: what runs in it ends before the services, and those before the package is
/// removed.
pub struct InstalledFixture {
    pub session: DesktopSession,
    pub world: World,
    /// Of the installed app's links; also the service of its keychain items.
    pub scheme: String,
    installed: Arc<Installed>,
}

impl InstalledFixture {
    /// The usual one.
    pub fn start() -> Result<Self> {
        Self::with(Installed::shared()?, None)
    }

    /// Where pages of `site` may open the app without a question, as if the person had once said
    /// "always allow".
    pub fn with(installed: Arc<Installed>, site: Option<&Url>) -> Result<Self> {
        let world = World::start()?;
        let mut session = DesktopSession::with().trusting(world.companion_url());
        for (name, value) in installed.environment() {
            session = session.environment(name, &value);
        }
        if let Some(site) = site {
            session = session.trusting(site);
        }
        let session = session.start()?;
        // As IT sets it: an app that a browser starts is told nothing by its environment.
        let settings = session.home().join(".config/keyport");
        std::fs::create_dir_all(&settings)?;
        let companion = serde_json::json!({ "companion": world.issuer() });
        std::fs::write(settings.join("settings.json"), companion.to_string())?;
        let scheme = installed.scheme()?;
        Ok(Self { session, world, scheme, installed })
    }

    /// The app's program.
    pub fn program(&self) -> PathBuf {
        self.installed.program("keyport-desktop")
    }

    /// Whether the package holds a development build.
    pub fn is_development(&self) -> bool {
        self.scheme.ends_with(".dev")
    }

    /// Starts the app; returns when its window is drawn.
    pub fn app(&self, name: &str, environment: &[(&str, &str)]) -> Result<Process> {
        let mut command = self.session.command(self.program());
        command.envs(environment.iter().copied());
        let app = self.session.spawn(name, command)?;
        self.window()?;
        Ok(app)
    }

    /// The app's window, in front, drawn and at rest: a webview is there before it shows anything
    /// or takes keys.
    pub fn window(&self) -> Result<String> {
        let window = self.session.window(TITLE, wait::WAIT_TIMEOUT)?;
        self.session.xdotool(&["windowactivate", "--sync", &window])?;
        let picture = self.session.logs().join("window.png");
        let picture = picture.to_str().context("a file name in UTF-8")?;
        let mut before = String::new();
        wait::until("a window at rest", wait::WAIT_TIMEOUT, || {
            self.session.run("import", &["-window", &window, picture])?;
            let now = self.session.run("identify", &["-format", "%# %k", picture])?;
            let colours = now.split(' ').nth(1).and_then(|count| count.parse().ok());
            let rests = now == before && colours.unwrap_or(0_u32) > 16;
            before = now;
            Ok(rests.then_some(()))
        })?;
        Ok(window)
    }

    /// Closes the window as a person does, and waits for the end of the app.
    pub fn close(&self, mut app: Process) -> Result<()> {
        self.session.close_window(|| self.session.window(TITLE, Duration::ZERO).ok())?;
        let status = app.wait(wait::WAIT_TIMEOUT)?;
        anyhow::ensure!(status.success(), "the app ended with {status}");
        Ok(())
    }

    /// Types Ada's address and Enter into the window in front; returns when the app has opened the
    /// browser.
    pub fn ask_for_sign_in(&self) -> Result<()> {
        let before = self.session.opened().len();
        self.session.xdotool(&["type", Person::ADA.email])?;
        self.keys(&["Return"])?;
        wait::until("the browser", wait::WAIT_TIMEOUT, || {
            Ok((self.session.opened().len() > before).then_some(()))
        })
    }

    /// Presses these keys.
    pub fn keys(&self, keys: &[&str]) -> Result<()> {
        let mut arguments = vec!["key", "--clearmodifiers"];
        arguments.extend(keys);
        self.session.xdotool(&arguments).map(drop)
    }

    /// Ada signs in at her provider and continues on the companion's page; returns when the
    /// keychain has her account.
    pub async fn sign_in_with(&self, browser: &Browser) -> Result<()> {
        browser.tab(self.world.emulator_url().as_str(), wait::WAIT_TIMEOUT).await?;
        browser.page.fill("[name=email]", Person::ADA.email).await?;
        browser.page.fill("[name=password]", Person::ADA.password).await?;
        browser.page.click("form [type=submit]").await?;
        browser.tab(self.world.companion_url().as_str(), wait::WAIT_TIMEOUT).await?;
        browser.page.click("button[name=continue]").await?;
        let stored = async || Ok(self.account()?.is_some());
        self.session.allow_app(stored).await.with_context(|| self.world.companion.log())
    }

    /// The item with the account's session in the keychain.
    pub fn account(&self) -> Result<Option<String>> {
        let items = self.session.secrets(&self.scheme)?;
        Ok(items.into_iter().find_map(|(name, item)| name.starts_with("account:").then_some(item)))
    }

    /// The tab, the keychain and the files say so.
    pub async fn is_signed_in(&self, browser: &Browser) -> Result<()> {
        browser.tab(self.world.companion_url().as_str(), wait::WAIT_TIMEOUT).await?;
        let words = format!("Signed in as {}. You can close this tab.", Person::ADA.email);
        browser.page.says(&words, wait::WAIT_TIMEOUT).await?;
        let secrets = leaks::refresh_tokens(&self.account()?.context("no account is stored")?);
        anyhow::ensure!(!secrets.is_empty(), "no refresh token in the keychain");
        wait::until("the attempt forgotten", wait::WAIT_TIMEOUT, || {
            Ok((!self.session.secrets(&self.scheme)?.contains_key("attempt")).then_some(()))
        })?;
        let leaking = leaks::files_with_tokens(&self.session.home(), &secrets)?;
        anyhow::ensure!(leaking.is_empty(), "files with a token: {leaking:?}");
        Ok(())
    }

    /// How many requests the companion's token endpoint has answered.
    pub fn token_requests(&self) -> usize {
        let log = self.world.companion.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["message"] == "answered" && line["span"]["path"] == "/oauth/token")
            .count()
    }
}
