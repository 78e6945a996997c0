//! The window itself: its size on a small screen, the size of its text, and settings that are put
//! right while it is open.

#[path = "app/desk.rs"]
mod desk;

use anyhow::{Context, Result, ensure};
use keyport_tests::wait;

use desk::Desk;

/// The display of the tests, in pixels.
const SCREEN: [i64; 2] = [1440, 900];

#[tokio::test]
async fn at_twice_the_scale_the_window_fits_the_screen_and_all_of_it_can_be_reached() -> Result<()>
{
    let desk = Desk::start()?;
    let app = desk.app(&[("GDK_SCALE", "2")]).await?;
    let window = desk.session.window("^Keyport$", wait::PATIENCE)?;
    let scale = app.script("return devicePixelRatio").await?;
    ensure!(scale.as_f64() == Some(2.0), "the scale is {scale}");
    let [x, y, width, height] = desk.session.place_of(&window)?;
    let fits = x >= 0 && y >= 0 && x + width <= SCREEN[0] && y + height <= SCREEN[1];
    ensure!(fits, "the window is {width}x{height} at {x},{y}");
    let reached = app
        .script(
            "const last = [...document.querySelectorAll('section button')].pop();
            last.scrollIntoView();
            const { top, bottom } = last.getBoundingClientRect();
            return top >= 0 && bottom <= innerHeight;",
        )
        .await?;
    ensure!(reached == true, "the last button can be scrolled to");
    desk.session.screenshot_when_still(&desk.session.logs().join("scale-2.png"))?;
    app.close().await
}

#[tokio::test]
async fn the_keys_of_a_browser_change_the_size_of_the_text() -> Result<()> {
    let desk = Desk::start()?;
    let app = desk.app(&[]).await?;
    let window = desk.session.window("^Keyport$", wait::PATIENCE)?;
    desk.session.xdotool(&["windowactivate", "--sync", &window])?;
    let width = async || -> Result<i64> {
        app.script("return innerWidth").await?.as_i64().context("a width")
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
        desk.session.xdotool(&["key", "--clearmodifiers", key])?;
        wait::until_async(key, wait::PATIENCE, async || {
            Ok(((width().await? - usual).signum() == changed).then_some(()))
        })
        .await?;
    }
    app.close().await
}

#[tokio::test]
async fn settings_that_were_put_right_are_found_by_looking_again() -> Result<()> {
    let desk = Desk::start()?;
    let settings = desk.session.home().join(".config/keyport");
    std::fs::create_dir_all(&settings)?;
    let settings = settings.join("settings.json");
    std::fs::write(&settings, "{}broken")?;
    let app = desk.app(&[("KEYPORT_COMPANION", "")]).await?;
    app.awaits(&["not_set_up"], wait::PATIENCE).await?;
    app.intent("look-again").await?;
    app.awaits(&["not_set_up"], wait::PATIENCE).await?;
    std::fs::write(&settings, serde_json::json!({"companion": desk.world.issuer()}).to_string())?;
    app.intent("look-again").await?;
    app.awaits(&["signed_out"], wait::PATIENCE).await?;
    desk.begin(&app).await?;
    app.close().await
}
