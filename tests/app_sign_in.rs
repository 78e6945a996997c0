//! The window on the ways that a sign-in can go: the keychain, other ways back, cancelling, and
//! settings that are wrong.

#[path = "app/fixture.rs"]
mod fixture;

use anyhow::Result;
use keyport_tests::desktop::Keyring;
use keyport_tests::{Jar, Person, wait};

use fixture::{AppFixture, CHANNEL};

#[tokio::test]
async fn a_session_survives_a_restart_and_not_a_sign_out() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let authorize = fixture.begin(&app).await?;
    fixture.session.xdg_open(&fixture.callback(&authorize).await?)?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.close().await?;

    let app = fixture.app(&[]).await?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.page.says("Acme, Okta", wait::WAIT_TIMEOUT).await?;
    app.intent("sign-out").await?;
    app.awaits(&["signed_out"], wait::WAIT_TIMEOUT).await?;
    wait::until("an empty keychain", wait::WAIT_TIMEOUT, || {
        let items = fixture.session.secrets(CHANNEL)?;
        Ok((!items.keys().any(|name| name.starts_with("account:"))).then_some(()))
    })?;
    app.close().await
}

#[tokio::test]
async fn without_a_secret_service_the_app_offers_memory() -> Result<()> {
    let fixture = AppFixture::with(Keyring::Absent)?;
    let app = fixture.app(&[]).await?;
    app.awaits(&["problem"], wait::WAIT_TIMEOUT).await?;
    app.page.says("This device has no keychain", wait::WAIT_TIMEOUT).await?;
    assert!(fixture.session.opened().is_empty(), "no browser was opened");
    app.intent("continue-without-saving").await?;
    app.awaits(&["signed_out"], wait::WAIT_TIMEOUT).await?;
    let authorize = fixture.begin(&app).await?;
    fixture.session.xdg_open(&fixture.callback(&authorize).await?)?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.page.says("in memory only, until you close Keyport", wait::WAIT_TIMEOUT).await?;
    app.close().await
}

#[tokio::test]
async fn another_way_back_is_offered_while_the_app_waits() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    fixture.begin(&app).await?;
    let before = fixture.session.opened().len();
    app.page.click("[data-opens=problem-help]").await?;
    app.intent("another-way").await?;
    let authorize = fixture.opened_after(before)?;
    let mut browser = Jar::new()?;
    Person::ADA.sign_in_at_provider(&mut browser, &authorize).await?;
    app.awaits(&["confirm"], wait::WAIT_TIMEOUT).await?;
    app.close().await
}

#[tokio::test]
async fn the_way_back_over_loopback_signs_in() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[("KEYPORT_RECEIVER", "loopback")]).await?;
    let authorize = fixture.begin(&app).await?;
    let callback = fixture.callback(&authorize).await?;
    assert!(callback.starts_with("http://127.0.0.1:"), "{callback}");
    Jar::new()?.open(&callback).await?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.close().await
}

#[tokio::test]
async fn a_cancelled_sign_in_leaves_nothing_behind() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let authorize = fixture.begin(&app).await?;
    let link = fixture.callback(&authorize).await?;
    app.intent("cancel").await?;
    app.awaits(&["signed_out"], wait::WAIT_TIMEOUT).await?;
    fixture.session.xdg_open(&link)?;
    wait::until("the late link in the log", wait::WAIT_TIMEOUT, || {
        Ok(app.page.process().log().contains("a callback that is not ours").then_some(()))
    })?;
    assert_eq!(app.screen().await?, "signed_out");
    assert!(!fixture.session.secrets(CHANNEL)?.contains_key("attempt"), "nothing waits");
    app.close().await
}

#[tokio::test]
async fn the_copied_link_is_on_the_clipboard_and_the_person_hears_it() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let authorize = fixture.begin(&app).await?;
    app.intent("copy-link").await?;
    app.page.says("The link is copied", wait::WAIT_TIMEOUT).await?;
    app.intent("cancel").await?;
    app.awaits(&["signed_out"], wait::WAIT_TIMEOUT).await?;
    app.page.script("document.getElementById('email').value = ''").await?;
    let window = fixture.session.window("^Keyport$", wait::WAIT_TIMEOUT)?;
    fixture.session.xdotool(&["windowactivate", "--sync", &window])?;
    fixture.session.xdotool(&["key", "--clearmodifiers", "ctrl+v"])?;
    let pasted = wait::until_async("the pasted link", wait::WAIT_TIMEOUT, async || {
        let value = app.page.script("return document.getElementById('email').value").await?;
        Ok(value.as_str().filter(|text| !text.is_empty()).map(str::to_owned))
    });
    let pasted = pasted.await?;
    assert!(authorize.starts_with(&pasted) && pasted.len() > 40, "the address that was opened");
    app.close().await
}

#[tokio::test]
async fn a_companion_that_is_not_there_is_said_and_can_be_tried_again() -> Result<()> {
    let mut fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    fixture.world.stop_companion()?;
    app.page.fill("#email", Person::ADA.email).await?;
    app.intent("sign-in").await?;
    app.awaits(&["problem"], wait::WAIT_TIMEOUT).await?;
    app.page.says("Keyport cannot be reached", wait::WAIT_TIMEOUT).await?;
    fixture.world.start_companion_again()?;
    app.intent("try-again").await?;
    app.awaits(&["waiting"], wait::WAIT_TIMEOUT).await?;
    app.close().await
}

#[tokio::test]
async fn settings_that_are_wrong_are_shown_and_nothing_else_is_offered() -> Result<()> {
    let fixture = AppFixture::start()?;
    for (name, value) in [("KEYPORT_COMPANION", "http://evil.test"), ("KEYPORT_RECEIVER", "window")]
    {
        let app = fixture.app(&[(name, value)]).await?;
        app.awaits(&["not_set_up"], wait::WAIT_TIMEOUT).await?;
        app.page.says(name, wait::WAIT_TIMEOUT).await?;
        assert!(!app.page.has("#email").await);
        app.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_window_is_painted_when_the_page_says_so() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    app.page.find("body[data-painted=signed_out]").await?;
    let (picture, accent) = (fixture.session.home().join("window.png"), "srgb(31,95,91)");
    let file = picture.to_str().unwrap_or_default();
    // The display server and the window manager have their own queues behind the page's.
    wait::until("the button in the accent colour", wait::WAIT_TIMEOUT, || {
        fixture.session.screenshot(&picture)?;
        let colours =
            fixture.session.run("convert", &[file, "-format", "%c", "histogram:info:"])?;
        let button = colours.lines().find(|line| line.contains(accent));
        let pixels = button.and_then(|line| line.trim().split(':').next()?.parse::<u32>().ok());
        Ok(pixels.filter(|pixels| *pixels > 320 * 30).map(drop))
    })?;
    app.close().await
}
