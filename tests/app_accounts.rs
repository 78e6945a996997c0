//! Several accounts in the window, and what the terminal does to them while the window is open.

#[path = "app/desk.rs"]
mod desk;

use anyhow::Result;
use keyport_tests::{Person, wait};

use desk::{CHANNEL, Desk};

#[tokio::test]
async fn the_window_shows_what_the_terminal_did_when_the_person_comes_back() -> Result<()> {
    let desk = Desk::start()?;
    let app = desk.app(&[]).await?;
    app.awaits(&["signed_out"], wait::PATIENCE).await?;
    desk.sign_in_with_terminal(Person::ADA).await?;
    desk.leave_and_come_back()?;
    app.awaits(&["signed_in"], wait::PATIENCE).await?;
    app.says("ada@acme.test", wait::PATIENCE).await?;
    desk.terminal(&["sign-out"])?;
    desk.leave_and_come_back()?;
    app.awaits(&["signed_out"], wait::PATIENCE).await?;
    app.close().await
}

#[tokio::test]
async fn the_window_shows_what_the_terminal_does_while_it_is_looked_at() -> Result<()> {
    let desk = Desk::start()?;
    let app = desk.app(&[]).await?;
    app.awaits(&["signed_out"], wait::PATIENCE).await?;
    desk.sign_in_with_terminal(Person::ADA).await?;
    app.awaits(&["signed_in"], wait::PATIENCE).await?;
    desk.sign_in_with_terminal(Person::GRACE).await?;
    app.says("grace@acme.test", wait::PATIENCE).await?;
    app.says("Signed in as Ada Lovelace", wait::PATIENCE).await?;
    app.close().await
}

#[tokio::test]
async fn a_second_account_is_listed_shown_and_signed_out_with_all() -> Result<()> {
    let desk = Desk::start()?;
    desk.sign_in_with_terminal(Person::ADA).await?;
    desk.sign_in_with_terminal(Person::GRACE).await?;
    let app = desk.app(&[]).await?;
    app.awaits(&["signed_in"], wait::PATIENCE).await?;
    app.says("grace@acme.test", wait::PATIENCE).await?;
    app.says("Other accounts on this device", wait::PATIENCE).await?;
    desk.session.screenshot_when_still(&desk.session.logs().join("accounts.png"))?;
    app.click("[data-intent=show-account]").await?;
    app.says("Signed in as Ada Lovelace", wait::PATIENCE).await?;
    app.close().await?;

    // The choice is kept.
    let app = desk.app(&[]).await?;
    app.says("Signed in as Ada Lovelace", wait::PATIENCE).await?;
    app.intent("sign-out-of-all").await?;
    app.awaits(&["signed_out"], wait::PATIENCE).await?;
    wait::until("an empty keychain", wait::PATIENCE, || {
        let items = desk.session.secrets(CHANNEL)?;
        Ok((!items.keys().any(|name| name.starts_with("account:"))).then_some(()))
    })?;
    app.close().await
}
