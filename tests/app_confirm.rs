//! The comparison of numbers on a small screen: the browser's page with its number and its button,
//! and the window with its number, are seen together. The browser is a real Chromium that the app
//! opened, and it fills the screen.

#[path = "app/fixture.rs"]
mod fixture;
#[path = "../src-tauri/src/placement.rs"]
mod placement;

use anyhow::{Context, Result, ensure};
use keyport_tests::desktop::{App, Browser};
use keyport_tests::{DesktopSession, Person, World, wait};

use fixture::AppFixture;

const SCREEN: (u16, u16) = (1280, 800);

/// A rectangle on the screen: left, top, right, bottom.
#[derive(Clone, Copy, Debug)]
struct Area([f64; 4]);

impl Area {
    fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (self.0, other.0);
        a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
    }

    fn is_on_screen(&self) -> bool {
        let [left, top, right, bottom] = self.0;
        left >= 0.0
            && top >= 0.0
            && right <= f64::from(SCREEN.0)
            && bottom <= f64::from(SCREEN.1)
            && right > left
            && bottom > top
    }
}

fn small_screen(window_manager: bool) -> Result<AppFixture> {
    let world = World::start()?;
    let mut session = DesktopSession::with()
        .screen(SCREEN.0, SCREEN.1)
        .environment("KEYPORT_COMPANION", world.issuer());
    if !window_manager {
        session = session.without_window_manager();
    }
    Ok(AppFixture { session: session.start()?, world })
}

/// Ada has signed in at her provider; the page asks her to compare.
async fn at_the_comparison(fixture: &AppFixture) -> Result<(App, Browser)> {
    let app = fixture.app(&[("RUST_LOG", "keyport=debug")]).await?;
    app.page.fill("#email", Person::ADA.email).await?;
    app.intent("sign-in").await?;
    let browser = fixture.session.browser().await?;
    browser.tab(fixture.world.emulator_url().as_str(), wait::WAIT_TIMEOUT).await?;
    browser.page.fill("[name=email]", Person::ADA.email).await?;
    browser.page.fill("[name=password]", Person::ADA.password).await?;
    browser.page.click("form [type=submit]").await?;
    browser.tab(fixture.world.companion_url().as_str(), wait::WAIT_TIMEOUT).await?;
    browser.page.find("button[name=continue]").await?;
    app.awaits(&["confirm"], wait::WAIT_TIMEOUT).await?;
    Ok((app, browser))
}

/// Where an element of the page in the browser is on the screen.
async fn on_screen(browser: &Browser, selector: &str) -> Result<Area> {
    let script = format!(
        "const box = document.querySelector('{selector}').getBoundingClientRect();
        const x = screenX + (outerWidth - innerWidth) / 2, y = screenY + outerHeight - innerHeight;
        return [box.left + x, box.top + y, box.right + x, box.bottom + y];"
    );
    let numbers = browser.page.script(&script).await?;
    let numbers: Vec<f64> = serde_json::from_value(numbers)?;
    Ok(Area(numbers.try_into().ok().context("four numbers")?))
}

/// What is drawn uppermost at this point of the screen: a window with its frame.
fn uppermost_at(fixture: &AppFixture, x: f64, y: f64) -> Result<Area> {
    let place = fixture.session.uppermost_at(x, y)?;
    Ok(area_of(place.context("a window: the browser fills the screen")?))
}

fn area_of([x, y, width, height]: [i64; 4]) -> Area {
    #[expect(clippy::cast_precision_loss, reason = "pixels of a screen")]
    let edges = [x, y, x + width, y + height].map(|edge| edge as f64);
    Area(edges)
}

/// The app's window with its frame, if it is uppermost in its own middle. The browser is far
/// larger.
fn window_if_uppermost(fixture: &AppFixture) -> Result<Option<Area>> {
    let window = fixture.session.window("^Keyport$", wait::WAIT_TIMEOUT)?;
    let [left, top, right, bottom] = area_of(fixture.session.place_of(&window)?).0;
    let found = uppermost_at(fixture, f64::midpoint(left, right), f64::midpoint(top, bottom))?;
    Ok(is_of_the_app(&found).then_some(found))
}

fn is_of_the_app(area: &Area) -> bool {
    area.0[2] - area.0[0] < 500.0
}

/// Windows as the window manager would have them: x, y, width, height.
const fn placed(x: i32, y: i32, width: i32, height: i32) -> placement::Area {
    placement::Area { x, y, width, height }
}

#[test]
fn the_window_covers_no_browser_page_or_stays_where_it_is() {
    let work = placed(0, 0, 1280, 800);
    for scale in [1.0, 1.5, 2.0] {
        for x in (-200..1280).step_by(40) {
            for width in (200..=1480).step_by(40) {
                let kept_free = placed(x, 30, width, 770).page_column(scale);
                let window = placed(420, 90, 440, 640);
                match placement::beside(window, kept_free, work, scale) {
                    Some(place) => {
                        assert!(!place.overlaps(&kept_free), "{place:?} covers {kept_free:?}");
                        assert!(place.x >= 0 && place.x + place.width <= 1280, "{place:?}");
                        assert!(place.y >= 0 && place.y + place.height <= 800, "{place:?}");
                    }
                    None => assert!(kept_free.x < 440 && kept_free.x + kept_free.width > 840),
                }
            }
        }
    }
    let free_already = placed(0, 0, 440, 640);
    let browser = placed(500, 0, 780, 800).page_column(1.0);
    assert_eq!(placement::beside(free_already, browser, work, 1.0), Some(free_already));
    let no_room = placed(0, 0, 800, 600);
    assert_eq!(placement::beside(free_already, no_room.page_column(1.0), no_room, 1.0), None);
}

#[tokio::test]
async fn number_and_button_are_seen_beside_the_number_in_the_window() -> Result<()> {
    let fixture = small_screen(true)?;
    let (app, browser) = at_the_comparison(&fixture).await?;
    let button = on_screen(&browser, "button[name=continue]").await?;
    let number = on_screen(&browser, ".number").await?;
    let beside = wait::until("the window beside the page", wait::WAIT_TIMEOUT, || {
        let uppermost = window_if_uppermost(&fixture)?;
        Ok(uppermost.filter(|window| !window.overlaps(&button) && !window.overlaps(&number)))
    });
    fixture.session.screenshot(&fixture.session.logs().join("comparison.png"))?;
    let window = beside?;
    for area in [window, button, number] {
        ensure!(area.is_on_screen(), "{area:?} is not on the screen");
    }
    let compared = app.page.text("#confirm-number").await?;
    ensure!(browser.page.text(".number").await? == compared, "one number");
    // A click in the browser does not cover the window's number.
    let [left, top, ..] = number.0;
    let (x, y) = (format!("{left:.0}"), format!("{top:.0}"));
    fixture.session.xdotool(&["mousemove", &x, &y, "click", "1"])?;
    ensure!(window_if_uppermost(&fixture)?.is_some(), "the window is still uncovered");

    browser.page.click("button[name=continue]").await?;
    app.awaits(&["waiting", "finishing", "signed_in"], wait::WAIT_TIMEOUT).await?;
    app.close().await
}

#[tokio::test]
async fn where_no_window_can_be_placed_the_page_is_not_covered() -> Result<()> {
    let fixture = small_screen(false)?;
    let (app, browser) = at_the_comparison(&fixture).await?;
    let button = on_screen(&browser, "button[name=continue]").await?;
    let number = on_screen(&browser, ".number").await?;
    let is_uncovered = || -> Result<()> {
        for Area([left, top, right, bottom]) in [button, number] {
            for x in [left + 2.0, f64::midpoint(left, right), right - 2.0] {
                let there = uppermost_at(&fixture, x, f64::midpoint(top, bottom))?;
                ensure!(!is_of_the_app(&there), "the page is covered at {x} by {there:?}");
            }
        }
        Ok(())
    };
    // Otherwise an app that has not acted yet would pass.
    wait::until("the app to leave its window where it is", wait::WAIT_TIMEOUT, || {
        Ok(app.page.process().log().contains("the window is not placed").then_some(()))
    })?;
    let window = fixture.session.window("^Keyport$", wait::WAIT_TIMEOUT)?;
    wait::until("the window to ask for attention", wait::WAIT_TIMEOUT, || {
        is_uncovered()?;
        Ok(fixture.session.asks_for_attention(&window)?.then_some(()))
    })?;
    is_uncovered()?;
    fixture.session.screenshot(&fixture.session.logs().join("comparison-bare.png"))?;
    app.close().await
}
