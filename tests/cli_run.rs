//! `keyport run`: a session in memory for one command, and nothing of it afterwards.

mod cli_terminal;

use anyhow::Result;
use cli_terminal::{Ended, Keyport, Terminal, ada_signs_in, live_sessions};
use keyport_tests::{World, wait};
use rustix::process::Signal;

/// Runs a shell line under `keyport run`; Ada signs in as soon as the link is printed.
async fn run(world: &World, terminal: &Terminal, line: &str) -> Result<Ended> {
    let mut command = terminal.command(&["run", "--no-browser", "--companion", world.issuer()])?;
    command.args(["--", "sh", "-c", line]);
    let mut keyport = terminal.spawn(command)?;
    let said = keyport.says("/oauth/authorize?")?;
    let link = said.lines().find(|line| line.contains("/oauth/authorize?")).unwrap_or_default();
    ada_signs_in(link.trim()).await?;
    let mut output = String::new();
    while let Ok(line) = keyport.process.line(wait::PATIENCE, |line| Some(line.to_owned())) {
        output += &line;
        output.push('\n');
    }
    Ok(Ended { code: keyport.ended()?, output, errors: keyport.process.log() })
}

#[tokio::test]
async fn the_command_finds_the_session_in_its_environment_and_leaves_nothing() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let ended = run(&world, &terminal, "env").await?;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    let value = |name: &str| {
        let entry = ended.output.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        entry.unwrap_or_else(|| panic!("{name} in {}", ended.output)).to_owned()
    };
    assert_eq!(value("KEYPORT_ACCOUNT_EMAIL"), "ada@acme.test");
    assert_eq!(value("KEYPORT_ACCOUNT_NAME"), "Ada Lovelace");
    assert_eq!(value("KEYPORT_ORGANIZATION"), "org_01EMULATORACME");
    assert_eq!(value("KEYPORT_ORGANIZATION_NAME"), "Acme");
    assert_eq!(value("KEYPORT_ISSUER"), world.issuer());
    assert_eq!(value("KEYPORT_ACCESS_TOKEN_TYPE"), "DPoP");
    assert_eq!(value("KEYPORT_ACCESS_TOKEN").split('.').count(), 3, "a signed token");
    assert!(value("KEYPORT_ACCESS_TOKEN_EXPIRES_AT").parse::<u64>().is_ok());
    assert!(!ended.output.contains("kpr_"), "the refresh token stays with keyport");
    assert_eq!(live_sessions(&world)?, 0, "the session was ended at the service");
    assert_eq!(terminal.files()?, Vec::<std::path::PathBuf>::new());
    Ok(())
}

#[tokio::test]
async fn the_exit_code_is_the_commands_own_and_the_session_ends_all_the_same() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let ended = run(&world, &terminal, "exit 9").await?;
    assert_eq!(ended.code, 9, "{}", ended.errors);
    assert_eq!(live_sessions(&world)?, 0);
    let ended = run(&world, &terminal, "kill -TERM $$").await?;
    assert_eq!(ended.code, 128 + 15, "as a shell reports it: {}", ended.errors);
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

/// A command that says which signal it got, and ends with 5.
async fn run_until_asked(world: &World, terminal: &Terminal) -> Result<Keyport> {
    let mut command = terminal.command(&["run", "--no-browser", "--companion", world.issuer()])?;
    let traps = "for name in INT TERM HUP; do trap \"echo $name; exit 5\" $name; done";
    let line = format!("{traps}; echo begun; while :; do sleep 0.05; done");
    command.args(["--", "sh", "-c", &line]);
    let keyport = terminal.spawn(command)?;
    let said = keyport.says("/oauth/authorize?")?;
    let link = said.lines().find(|line| line.contains("/oauth/authorize?")).unwrap_or_default();
    ada_signs_in(link.trim()).await?;
    keyport.process.line(wait::PATIENCE, |line| (line == "begun").then_some(()))?;
    Ok(keyport)
}

fn ended_by(mut keyport: Keyport, signal: &str, world: &World) -> Result<()> {
    keyport.process.line(wait::PATIENCE, |line| (line == signal).then_some(()))?;
    assert_eq!(keyport.ended()?, 5);
    assert_eq!(live_sessions(world)?, 0, "the session ends after the command");
    Ok(())
}

#[tokio::test]
async fn ctrl_c_and_a_closed_terminal_are_for_the_command_and_the_session_ends_after_it()
-> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    for (signal, name) in [(Signal::INT, "INT"), (Signal::HUP, "HUP")] {
        let keyport = run_until_asked(&world, &terminal).await?;
        // A terminal sends it to the whole group.
        keyport.signal_group(signal)?;
        ended_by(keyport, name, &world)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_request_to_end_is_passed_on_to_the_command() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let keyport = run_until_asked(&world, &terminal).await?;
    keyport.signal(Signal::TERM)?;
    ended_by(keyport, "TERM", &world)
}

#[test]
fn a_command_that_is_not_there_is_found_before_anybody_signs_in() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let ended = terminal.run(&["run", "--companion", world.issuer(), "--", "no-such-command"])?;
    assert_eq!(ended.code, 127, "{}", ended.errors);
    assert!(ended.errors.contains("no-such-command"), "{}", ended.errors);
    assert!(!world.companion.log().contains("/oauth/par"));
    Ok(())
}
