//! A person whose provider sends no name: signs in, is called by their email, and no line or claim
//! is left half empty. With the real programs; the person is one of the emulator's own.

mod cli_terminal;

use anyhow::{Context, Result};
use cli_terminal::{Keyport, Terminal, run_in, start_in};
use keyport_tests::{DesktopSession, Jar, NativeClient, Person, World, wait};
use serde_json::{Value, json};

async fn linus_signs_in(link: &str) -> Result<()> {
    let mut browser = Jar::new()?;
    let callback = Person::LINUS.sign_in(&mut browser, link).await?;
    browser.open(&callback).await?;
    Ok(())
}

#[tokio::test]
async fn the_services_answers_say_null_and_the_session_works() -> Result<()> {
    let world = World::start()?;
    let client = NativeClient::new(&world)?;
    let pushed = client.push(&[]).await?;
    let mut browser = Jar::new()?.stopping_at(keyport_tests::native::REDIRECT_URI);
    let callback = Person::LINUS.sign_in(&mut browser, &pushed.url).await?;
    let answer = client.redeem(&pushed, &callback).await?;
    let account = &answer.body["keyport_account"];
    assert_eq!(account["email"], "linus@acme.test", "{}", answer.body);
    assert_eq!(account.get("name"), Some(&Value::Null), "{}", answer.body);
    let session = answer.session()?;
    let userinfo = client.userinfo(&session.access).await?;
    assert_eq!(userinfo.body["email"], "linus@acme.test", "{}", userinfo.body);
    assert_eq!(userinfo.body.get("name"), Some(&Value::Null), "{}", userinfo.body);
    client.refresh(&session.refresh).await?.session()?;
    Ok(())
}

#[tokio::test]
async fn the_terminal_signs_them_in_and_calls_them_by_their_email() -> Result<()> {
    let (world, session) = (World::start()?, DesktopSession::with().without_display().start()?);
    let arguments = ["sign-in", "--json", "--no-browser"];
    let mut keyport = start_in(&session, world.issuer(), &arguments)?;
    linus_signs_in(&keyport.authorization_url()?).await?;
    let signed_in = keyport.event("signed_in")?;
    assert_eq!(signed_in.get("name"), Some(&Value::Null), "{signed_in}");
    assert_eq!(signed_in["email"], "linus@acme.test");
    assert_eq!(signed_in["organization"], json!({"id": "org_01EMULATORACME", "name": "Acme"}));
    assert_eq!(keyport.ended()?, 0);

    let status = run_in(&session, world.issuer(), &["status", "--json"])?;
    let said = status.events()?;
    assert_eq!(said.first().and_then(|event| event.get("name")), Some(&Value::Null), "{said:?}");
    let status = run_in(&session, world.issuer(), &["status"])?;
    let first = status.output.lines().next();
    assert_eq!(first, Some("Signed in as linus@acme.test, Acme"), "{}", status.errors);
    Ok(())
}

#[tokio::test]
async fn a_command_finds_their_email_and_no_empty_name() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let mut command =
        terminal.command(&["run", "--json", "--no-browser", "--companion", world.issuer()])?;
    command.env("KEYPORT_ACCOUNT_NAME", "inherited").args(["--", "env"]);
    let mut keyport = terminal.spawn(command)?;
    linus_signs_in(&link_beside(&keyport)?).await?;
    let mut output = Vec::new();
    while let Ok(line) = keyport.process.line(wait::WAIT_TIMEOUT, |line| Some(line.to_owned())) {
        output.push(line);
    }
    assert_eq!(keyport.ended()?, 0, "{}", keyport.process.log());
    assert!(output.iter().any(|line| line == "KEYPORT_ACCOUNT_EMAIL=linus@acme.test"));
    let name = output.iter().find(|line| line.starts_with("KEYPORT_ACCOUNT_NAME="));
    assert_eq!(name, None, "neither an empty one nor one that was there before");
    Ok(())
}

/// `keyport run` leaves standard output to its command: events are on standard error.
fn link_beside(keyport: &Keyport) -> Result<String> {
    let said = keyport.says("authorization_url")?;
    let mut events = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let url = events.find_map(|event| event["url"].as_str().map(str::to_owned));
    url.context("an URL")
}
