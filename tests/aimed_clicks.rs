//! A page that opened the hand-off page can aim a person's click at *Continue* before they see it.
//! So its buttons take no click for a moment, whatever the person's settings are. A real Chromium,
//! real processes.

use anyhow::{Context, Result};
use fantoccini::wd::WebDriverCompatibleCommand;
use keyport_tests::desktop::Browser;
use keyport_tests::native::NativeClient;
use keyport_tests::{DesktopSession, Person, World, wait};
use reqwest::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// Whether each button of a new page takes clicks, before anything of it is painted.
const LOOK_AT_ONCE: &str = "document.addEventListener('DOMContentLoaded', () => {
    const buttons = [...document.querySelectorAll('form button')];
    window.atOnce = buttons.map((button) => getComputedStyle(button).pointerEvents);
});";

/// The same just after the page, which was hidden, has come to the front.
const COME_TO_THE_FRONT: &str = "document.dispatchEvent(new Event('visibilitychange'));
    const buttons = [...document.querySelectorAll('form button')];
    return buttons.map((button) => getComputedStyle(button).pointerEvents);";

/// Has Chromium run a script in each new page before the page's own.
#[derive(Debug)]
struct OnEachPage(&'static str);

impl WebDriverCompatibleCommand for OnEachPage {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        let command = json!({
            "cmd": "Page.addScriptToEvaluateOnNewDocument",
            "params": {"source": self.0},
        });
        (http::Method::POST, Some(command.to_string()))
    }
}

/// Ada has signed in at her provider; answers with the browser that shows the hand-off page.
async fn at_the_hand_off(session: &DesktopSession, world: &World, url: &str) -> Result<Browser> {
    session.xdg_open(url)?;
    let browser = session.browser().await?;
    browser.tab(world.emulator_url().as_str(), wait::WAIT_TIMEOUT).await?;
    browser.page.client.issue_cmd(OnEachPage(LOOK_AT_ONCE)).await?;
    browser.page.fill("[name=email]", Person::ADA.email).await?;
    browser.page.fill("[name=password]", Person::ADA.password).await?;
    browser.page.click("form [type=submit]").await?;
    browser.page.find("button[name=continue]").await?;
    Ok(browser)
}

async fn the_buttons_take_no_click_at_first(session: DesktopSession, reduced: bool) -> Result<()> {
    let world = World::start()?;
    let client = NativeClient::new(&world)?;
    let pushed = client.push(&[]).await?;
    let browser = at_the_hand_off(&session, &world, &pushed.url).await?;
    let asked =
        browser.page.script("return matchMedia('(prefers-reduced-motion)').matches").await?;
    assert_eq!(asked, Value::Bool(reduced), "the person's setting");
    let at_once = browser.page.script("return window.atOnce").await?;
    assert_eq!(at_once, json!(["none", "none"]), "on a new page");
    assert_eq!(
        browser.page.script(COME_TO_THE_FRONT).await?,
        json!(["none", "none"]),
        "come to front"
    );

    // Later they take clicks.
    browser.page.click("button[name=not_me]").await.context("a click after the rest")?;
    wait::until_async("the person's answer", wait::WAIT_TIMEOUT, async || {
        let state = client.attempt(Method::GET, &pushed.attempt, None).await?;
        Ok((state.text("state") == "cancelled").then_some(()))
    })
    .await
}

#[tokio::test]
async fn the_buttons_rest_for_a_person_who_wants_less_motion() -> Result<()> {
    let session = DesktopSession::with().browser_argument("--force-prefers-reduced-motion");
    the_buttons_take_no_click_at_first(session.start()?, true).await
}

#[tokio::test]
async fn the_buttons_rest_on_a_new_page_and_on_one_that_comes_to_the_front() -> Result<()> {
    the_buttons_take_no_click_at_first(DesktopSession::start()?, false).await
}
