//! Several accounts in the window, and what the terminal does to them while the window is open.

#[path = "app/fixture.rs"]
mod fixture;

use anyhow::Result;
use keyport_tests::{Person, wait};

use fixture::{AppFixture, CHANNEL};

#[tokio::test]
async fn the_window_shows_the_terminals_changes_when_focused() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    app.awaits(&["signed_out"], wait::WAIT_TIMEOUT).await?;
    fixture.sign_in_with_terminal(Person::ADA).await?;
    fixture.leave_and_come_back()?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.page.says("ada@acme.test", wait::WAIT_TIMEOUT).await?;
    fixture.terminal(&["sign-out"])?;
    fixture.leave_and_come_back()?;
    app.awaits(&["signed_out"], wait::WAIT_TIMEOUT).await?;
    app.close().await
}

#[tokio::test]
async fn the_window_shows_what_the_terminal_does_while_it_is_looked_at() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    app.awaits(&["signed_out"], wait::WAIT_TIMEOUT).await?;
    fixture.sign_in_with_terminal(Person::ADA).await?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    fixture.sign_in_with_terminal(Person::GRACE).await?;
    app.page.says("grace@acme.test", wait::WAIT_TIMEOUT).await?;
    app.page.says("Signed in as Ada Lovelace", wait::WAIT_TIMEOUT).await?;
    app.close().await
}

#[tokio::test]
async fn a_second_account_is_listed_shown_and_signed_out_with_all() -> Result<()> {
    let fixture = AppFixture::start()?;
    fixture.sign_in_with_terminal(Person::ADA).await?;
    fixture.sign_in_with_terminal(Person::GRACE).await?;
    let app = fixture.app(&[]).await?;
    app.awaits(&["signed_in"], wait::WAIT_TIMEOUT).await?;
    app.page.says("grace@acme.test", wait::WAIT_TIMEOUT).await?;
    app.page.says("Other accounts on this device", wait::WAIT_TIMEOUT).await?;
    fixture.session.screenshot_when_still(&fixture.session.logs().join("accounts.png"))?;
    let index = || -> Result<_> { Ok(fixture.session.secrets(CHANNEL)?.remove("index")) };
    let before = index()?;
    app.page.click("[data-intent=show-account]").await?;
    app.page.says("Signed in as Ada Lovelace", wait::WAIT_TIMEOUT).await?;
    // The driver ends the app at once, whatever it is about to write.
    wait::until("the choice in the keychain", wait::WAIT_TIMEOUT, || {
        Ok((index()? != before).then_some(()))
    })?;
    app.close().await?;

    // The choice is kept.
    let app = fixture.app(&[]).await?;
    app.page.says("Signed in as Ada Lovelace", wait::WAIT_TIMEOUT).await?;
    app.intent("sign-out-of-all").await?;
    app.awaits(&["signed_out"], wait::WAIT_TIMEOUT).await?;
    wait::until("an empty keychain", wait::WAIT_TIMEOUT, || {
        let items = fixture.session.secrets(CHANNEL)?;
        Ok((!items.keys().any(|name| name.starts_with("account:"))).then_some(()))
    })?;
    app.close().await
}
