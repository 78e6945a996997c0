//! The link that a terminal prints: short and the listener's own for a person at this machine, the
//! companion's where something else reads it; and shown also when a browser claims to have opened.

mod cli_terminal;

use anyhow::Result;
use cli_terminal::pty::Pty;
use cli_terminal::{Terminal, ada_signs_in, live_sessions};
use keyport_tests::{Jar, World, binaries, wait};

/// The longest link of a local terminal, in characters.
const LONGEST: usize = 60;

/// What a person types into a shell; `before` stands in front of the command.
fn typed(world: &World, before: &str, more: &str) -> Result<String> {
    let (keyport, companion) = (binaries::path("keyport")?, world.issuer());
    let keyport = keyport.display();
    Ok(format!("{before} {keyport} sign-in --store memory --companion {companion} {more}\n"))
}

#[tokio::test]
async fn a_local_terminal_shows_a_short_link_that_signs_in() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let pty = Pty::with_shell(&terminal)?;
    pty.types(&typed(&world, "", "--no-browser")?)?;
    let link = pty.shows_line("http://127.0.0.1:")?;
    assert!(link.len() <= LONGEST, "{} characters: {link}", link.len());
    assert!(!link.starts_with(world.issuer()), "{link}");
    // A person may click it twice.
    let page = Jar::new()?.open(&link).await?;
    assert_eq!(page.form(None)?.action.host_str(), Some("127.0.0.1"), "{}", page.url);
    let browser = ada_signs_in(&link).await?;
    let sent_on = &browser.visited()[1];
    assert!(sent_on.starts_with(&format!("{}/oauth/authorize?", world.issuer())), "{sent_on}");
    pty.shows("Signed in as Ada Lovelace")?;
    Ok(())
}

#[tokio::test]
async fn a_browser_that_claims_to_have_opened_does_not_hide_the_link() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let mut command = terminal.command(&["sign-in", "--store", "memory"])?;
    command.args(["--companion", world.issuer()]).env("BROWSER", terminal.script("browser", "")?);
    let mut keyport = terminal.spawn(command)?;
    let said = keyport.says("/oauth/authorize?")?;
    assert!(said.contains("If no browser opens"), "{said}");
    let link = said.lines().find(|line| line.contains("/oauth/authorize?")).unwrap_or_default();
    ada_signs_in(link.trim()).await?;
    assert_eq!(keyport.ended()?, 0, "{}", keyport.process.log());
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

#[test]
fn the_browser_gets_the_full_link_and_the_person_the_short_one() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let opened = terminal.home().join("opened");
    let script = format!("echo \"$1\" >{0}.new && mv {0}.new {0}", opened.display());
    let browser = terminal.script("browser", &script)?;
    let pty = Pty::with_shell(&terminal)?;
    pty.types(&typed(&world, &format!("BROWSER={}", browser.display()), "")?)?;
    let link = pty.shows_line("http://127.0.0.1:")?;
    assert!(link.len() <= LONGEST, "{link}");
    let given = wait::until("the browser", wait::WAIT_TIMEOUT, || {
        Ok(std::fs::read_to_string(&opened).ok())
    })?;
    assert!(given.starts_with(&format!("{}/oauth/authorize?", world.issuer())), "{given}");
    Ok(())
}

#[test]
fn over_ssh_the_link_is_the_companions() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    for variable in ["SSH_CONNECTION='192.0.2.1 1 192.0.2.2 22'", "SSH_TTY=/dev/pts/0"] {
        let pty = Pty::with_shell(&terminal)?;
        pty.types(&typed(&world, variable, "--no-browser")?)?;
        let link = pty.shows_line("http://127.0.0.1:")?;
        assert!(link.starts_with(&format!("{}/oauth/authorize?", world.issuer())), "{link}");
    }
    Ok(())
}

#[test]
fn a_program_is_given_the_companions_link_also_on_a_terminal() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let pty = Pty::with_shell(&terminal)?;
    pty.types(&typed(&world, "", "--no-browser --json")?)?;
    let event = pty.shows_line("authorization_url")?;
    let event: serde_json::Value = serde_json::from_str(&event)?;
    let url = event["url"].as_str().unwrap_or_default();
    assert!(url.starts_with(&format!("{}/oauth/authorize?", world.issuer())), "{url}");
    Ok(())
}
