//! What `keyport` writes: a result that could not be written is a failure, an error says its
//! reason, and what it advises works when it is followed.

mod cli_terminal;

use std::fs::File;
use std::process::Command;

use anyhow::Result;
use cli_terminal::{Ended, Terminal, ada_signs_in, live_sessions, run, start_in};
use keyport_tests::{DesktopSession, World};

/// Runs it with a standard output on which there is no room.
fn on_a_full_disk(mut command: Command) -> Result<Ended> {
    command.stdout(File::options().write(true).open("/dev/full")?);
    run(command)
}

#[track_caller]
fn assert_not_written(ended: &Ended, arguments: &[&str]) {
    assert_eq!(ended.code, 70, "{arguments:?}: {}", ended.errors);
    assert!(ended.errors.contains("No space left on device"), "{arguments:?}: {}", ended.errors);
}

#[test]
fn help_that_could_not_be_written_is_a_failure() -> Result<()> {
    let terminal = Terminal::new()?;
    for arguments in [["--help"], ["--version"]] {
        assert_not_written(&on_a_full_disk(terminal.command(&arguments)?)?, &arguments);
    }
    Ok(())
}

#[test]
fn a_link_that_could_not_be_written_ends_the_sign_in() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let arguments = ["sign-in", "--json", "--no-browser", "--store", "memory"];
    let mut command = terminal.command(&arguments)?;
    command.args(["--companion", world.issuer()]);
    assert_not_written(&on_a_full_disk(command)?, &arguments);
    Ok(())
}

#[tokio::test]
async fn a_result_that_could_not_be_written_is_a_failure() -> Result<()> {
    let (world, session) = (World::start()?, DesktopSession::with().without_display().start()?);
    let mut keyport = start_in(&session, world.issuer(), &["sign-in", "--json", "--no-browser"])?;
    ada_signs_in(&keyport.authorization_url()?).await?;
    assert_eq!(keyport.ended()?, 0, "{}", keyport.process.log());
    let userinfo = format!("{}/oauth/userinfo", world.issuer());
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["token"],
        &["token", "--json"],
        &["token", "--dpop", "GET", &userinfo],
        // The last one: it is done all the same.
        &["sign-out", "--json"],
    ] {
        let mut command = session.our_command("keyport")?;
        command.args(arguments).env("KEYPORT_COMPANION", world.issuer());
        assert_not_written(&on_a_full_disk(command)?, arguments);
    }
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

#[test]
fn a_reader_that_went_away_is_no_failure() -> Result<()> {
    let terminal = Terminal::new()?;
    let mut command = terminal.command(&["--help"])?;
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    command.stdout(writer);
    let ended = run(command)?;
    assert_eq!((ended.code, ended.errors.as_str()), (0, ""));
    Ok(())
}

#[test]
fn an_error_of_the_settings_says_its_reason() -> Result<()> {
    let terminal = Terminal::new()?;
    let folder = terminal.home().join(".config/keyport");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("settings.json");
    for (text, reason) in [
        (r#"{"compagnon": "https://sign-in.acme.test"}"#, "compagnon"),
        ("{\n  \"companion\": \"https://sign-in.acme.test\",\n}", "line 3"),
    ] {
        std::fs::write(&file, text)?;
        let ended = terminal.run(&["status"])?;
        assert_eq!(ended.code, 2, "{}", ended.errors);
        assert!(ended.errors.contains("settings.json"), "{}", ended.errors);
        assert!(ended.errors.contains(reason), "{reason}: {}", ended.errors);
    }
    std::fs::remove_file(&file)?;
    std::fs::create_dir(&file)?;
    let ended = terminal.run(&["status"])?;
    assert!(ended.errors.to_lowercase().contains("is a directory"), "{}", ended.errors);
    Ok(())
}

/// The command between backticks that `keyport` said, as the words that a shell makes of it.
fn advised(ended: &Ended) -> Vec<String> {
    let command = ended.errors.split('`').nth(1).unwrap_or_default();
    command.split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect()
}

#[tokio::test]
async fn what_it_advises_without_a_keychain_works() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let companion = world.issuer();
    let ended = terminal.run(&["sign-in", "--email", "ada@acme.test", "--companion", companion])?;
    assert_eq!(ended.code, 6, "{}", ended.errors);
    assert!(!ended.errors.contains("--store memory"), "it would end at once: {}", ended.errors);
    let mut words = advised(&ended);
    assert_eq!(words.first().map(String::as_str), Some("keyport"), "{}", ended.errors);
    assert_eq!(words.pop().as_deref(), Some("CMD"), "{}", ended.errors);
    words.push("true".to_owned());
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let mut keyport = terminal.start(&words)?;
    let said = keyport.says("/oauth/authorize?")?;
    let link = said.lines().find(|line| line.contains("/oauth/authorize?")).unwrap_or_default();
    assert!(link.trim().starts_with(companion), "{link}");
    ada_signs_in(link.trim()).await?;
    assert_eq!(keyport.ended()?, 0, "{}", keyport.process.log());
    Ok(())
}

#[test]
fn the_sign_in_that_status_advises_is_with_the_same_companion() -> Result<()> {
    let session = DesktopSession::with().without_display().start()?;
    let companion = "http://127.0.0.1:9";
    let mut command = session.our_command("keyport")?;
    command.args(["status", "--companion", companion]);
    let ended = run(command)?;
    assert_eq!(ended.code, 4, "{}", ended.errors);
    assert_eq!(advised(&ended), ["keyport", "sign-in", "--companion", companion]);
    Ok(())
}
