//! The demo without a person: it starts a desktop session, starts the app in it, and makes the
//! clicks of a person.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use keyport_tests::desktop::{App, Browser};
use keyport_tests::{DesktopSession, Person, World, leaks, wait};

/// The keychain service of a development build.
const SERVICE: &str = "dev.keyport.desktop.dev";

/// The title of the app's window.
const WINDOW: &str = "^Keyport$";

/// Says what happens and keeps a numbered picture of it.
struct Pictures<'a> {
    session: &'a DesktopSession,
    folder: PathBuf,
    taken: usize,
}

impl Pictures<'_> {
    fn take(&mut self, name: &str, what: &str) -> Result<()> {
        self.taken += 1;
        let file = format!("{:02}-{name}.png", self.taken);
        self.session.screenshot_when_still(&self.folder.join(&file))?;
        println!("  {file:<24} {what}");
        Ok(())
    }
}

/// Signs in as `person`, restarts the app, and looks into the keychain and the home folder.
pub async fn sign_in(world: &World, person: Person<'_>, folder: &Path) -> Result<()> {
    println!("starts a desktop: display, window manager, session bus, keychain, browser");
    let session = DesktopSession::with()
        .trusting(world.companion_url())
        .logs(&folder.join("logs"))
        .start()?;
    let mut pictures = Pictures { session: &session, folder: folder.to_path_buf(), taken: 0 };
    let environment = [("KEYPORT_COMPANION", world.issuer())];

    println!("signs in");
    let app = session.app(&environment).await?;
    app.awaits(&["signed_out"], wait::WAIT_TIMEOUT).await?;
    session.move_window(WINDOW, 20, 120)?;
    pictures.take("signed-out", "the window opens")?;
    app.page.fill("#email", person.email).await?;
    app.intent("sign-in").await?;
    app.awaits(&["waiting"], wait::WAIT_TIMEOUT).await?;
    let browser = session.browser().await?;
    at_the_provider(&browser, world, person, &mut pictures).await?;
    confirm(&browser, &app, world, &mut pictures).await?;
    session.allow_app(async || Ok(app.screen().await? != "confirm")).await?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.page.says(person.email, wait::WAIT_TIMEOUT).await?;
    browser.tab(world.companion_url().as_str(), wait::WAIT_TIMEOUT).await?;
    browser.page.says(person.email, wait::WAIT_TIMEOUT).await?;
    pictures.take("signed-in", "app and tab say who is signed in")?;
    app.close().await?;

    println!("starts the app again");
    let app = session.app(&environment).await?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.page.says(person.email, wait::WAIT_TIMEOUT).await?;
    session.move_window(WINDOW, 20, 120)?;
    pictures.take("restarted", "signed in from the keychain")?;
    app.close().await?;

    look_for_tokens(&session)?;
    println!("signed in as {}", person.email);
    Ok(())
}

async fn at_the_provider(
    browser: &Browser,
    world: &World,
    person: Person<'_>,
    pictures: &mut Pictures<'_>,
) -> Result<()> {
    browser.tab(world.emulator_url().as_str(), wait::WAIT_TIMEOUT).await?;
    browser.page.fill("[name=email]", person.email).await?;
    browser.page.fill("[name=password]", person.password).await?;
    pictures.take("provider", "the browser is at the identity provider, the app waits")?;
    browser.page.click("form [type=submit]").await
}

/// The number in the window and the one on the page are the same.
async fn confirm(
    browser: &Browser,
    app: &App,
    world: &World,
    pictures: &mut Pictures<'_>,
) -> Result<()> {
    browser.tab(world.companion_url().as_str(), wait::WAIT_TIMEOUT).await?;
    browser.page.find("button[name=continue]").await?;
    app.awaits(&["confirm"], wait::WAIT_TIMEOUT).await?;
    let number = two_digits(&app.page.page_text().await).context("the window shows no number")?;
    browser.page.says(&number, wait::WAIT_TIMEOUT).await?;
    pictures.take("confirm", "the same number in the window and on the page")?;
    browser.page.click("button[name=continue]").await
}

/// The first word of two digits.
fn two_digits(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != ':');
    words
        .find(|word| word.len() == 2 && word.bytes().all(|b| b.is_ascii_digit()))
        .map(str::to_owned)
}

/// The session is in the keychain, and in no file.
fn look_for_tokens(session: &DesktopSession) -> Result<()> {
    let items = session.secrets(SERVICE)?;
    println!("the keychain holds {}", items.keys().cloned().collect::<Vec<_>>().join(", "));
    for wanted in ["device", "index"] {
        ensure!(items.contains_key(wanted), "no item {wanted} in the keychain");
    }
    let accounts = items.iter().filter(|(name, _)| name.starts_with("account:"));
    let secrets: Vec<String> =
        accounts.flat_map(|(_, value)| leaks::refresh_tokens(value)).collect();
    ensure!(!secrets.is_empty(), "no refresh token in the keychain's account item");
    let leaking = leaks::files_with_tokens(&session.home(), &secrets)?;
    ensure!(leaking.is_empty(), "files with a token: {leaking:?}");
    println!("no file under the home folder holds a token");
    Ok(())
}
