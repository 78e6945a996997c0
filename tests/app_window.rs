//! The window itself: its size on a small screen, the size of its text, and settings that are put
//! right while it is open.

#[path = "app/fixture.rs"]
mod fixture;

use anyhow::{Context, Result, ensure};
use keyport_tests::wait;

use fixture::AppFixture;

/// The display of the tests, in pixels.
const SCREEN: [i64; 2] = [1440, 900];

#[tokio::test]
async fn at_twice_the_scale_everything_can_be_reached() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[("GDK_SCALE", "2")]).await?;
    let window = fixture.session.window("^Keyport$", wait::WAIT_TIMEOUT)?;
    let scale = app.page.script("return devicePixelRatio").await?;
    ensure!(scale.as_f64() == Some(2.0), "the scale is {scale}");
    let [x, y, width, height] = fixture.session.place_of(&window)?;
    let fits = x >= 0 && y >= 0 && x + width <= SCREEN[0] && y + height <= SCREEN[1];
    ensure!(fits, "the window is {width}x{height} at {x},{y}");
    let reached = app
        .page
        .script(
            "const last = [...document.querySelectorAll('section button')].pop();
            last.scrollIntoView();
            const { top, bottom } = last.getBoundingClientRect();
            return top >= 0 && bottom <= innerHeight;",
        )
        .await?;
    ensure!(reached == true, "the last button can be scrolled to");
    fixture.session.screenshot_when_still(&fixture.session.logs().join("scale-2.png"))?;
    app.close().await
}

#[tokio::test]
async fn the_keys_of_a_browser_change_the_size_of_the_text() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let window = fixture.session.window("^Keyport$", wait::WAIT_TIMEOUT)?;
    fixture.session.xdotool(&["windowactivate", "--sync", &window])?;
    let width = async || -> Result<i64> {
        app.page.script("return innerWidth").await?.as_i64().context("a width")
    };
    let usual = width().await?;
    for (key, changed) in [
        ("ctrl+plus", -1),
        ("ctrl+0", 0),
        ("ctrl+minus", 1),
        ("ctrl+KP_Add", 0),
        ("ctrl+KP_Subtract", 1),
        ("ctrl+0", 0),
    ] {
        fixture.session.xdotool(&["key", "--clearmodifiers", key])?;
        wait::until_async(key, wait::WAIT_TIMEOUT, async || {
            Ok(((width().await? - usual).signum() == changed).then_some(()))
        })
        .await?;
    }
    app.close().await
}

#[tokio::test]
async fn settings_that_were_put_right_are_found_by_looking_again() -> Result<()> {
    let fixture = AppFixture::start()?;
    let settings = fixture.session.home().join(".config/keyport");
    std::fs::create_dir_all(&settings)?;
    let settings = settings.join("settings.json");
    std::fs::write(&settings, "{}broken")?;
    let app = fixture.app(&[("KEYPORT_COMPANION", "")]).await?;
    app.awaits(&["not_set_up"], wait::WAIT_TIMEOUT).await?;
    app.page.click("[data-command=read_settings_again]").await?;
    app.awaits(&["not_set_up"], wait::WAIT_TIMEOUT).await?;
    std::fs::write(
        &settings,
        serde_json::json!({"companion": fixture.world.issuer()}).to_string(),
    )?;
    app.page.click("[data-command=read_settings_again]").await?;
    app.awaits(&["signed_out"], wait::WAIT_TIMEOUT).await?;
    fixture.begin(&app).await?;
    app.close().await
}
