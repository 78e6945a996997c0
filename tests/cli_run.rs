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
    while let Ok(line) = keyport.process.line(wait::WAIT_TIMEOUT, |line| Some(line.to_owned())) {
        output += &line;
        output.push('\n');
    }
    Ok(Ended { code: keyport.ended()?, output, errors: keyport.process.log() })
}

#[tokio::test]
async fn the_command_finds_its_session_in_the_environment() -> Result<()> {
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
async fn the_exit_code_is_the_commands_and_the_session_ends() -> Result<()> {
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
    keyport.process.line(wait::WAIT_TIMEOUT, |line| (line == "begun").then_some(()))?;
    Ok(keyport)
}

fn ended_by(mut keyport: Keyport, signal: &str, world: &World) -> Result<()> {
    keyport.process.line(wait::WAIT_TIMEOUT, |line| (line == signal).then_some(()))?;
    assert_eq!(keyport.ended()?, 5);
    assert_eq!(live_sessions(world)?, 0, "the session ends after the command");
    Ok(())
}

#[tokio::test]
async fn ctrl_c_and_hangup_go_to_the_command() -> Result<()> {
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

/// Before anybody signs in, with the words and the number of a shell (POSIX, "Exit Status for
/// Commands"): 127 for what is not there, 126 for what is there and cannot be started.
#[test]
fn a_command_that_cannot_start_is_found_before_the_sign_in() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let (script, folder) = (terminal.home().join("script"), terminal.home().join("folder"));
    std::fs::write(&script, "true")?;
    std::fs::create_dir(&folder)?;
    let (script, folder) = (script.to_string_lossy(), folder.to_string_lossy());
    for (command, code, problem, words) in [
        ("no-such-command", 127, "command_not_found", "no command no-such-command"),
        ("./no-such-command", 127, "command_not_found", "no command ./no-such-command"),
        ("", 127, "command_not_found", "no command ''"),
        ("/etc/passwd", 126, "command_not_started", "permission denied"),
        (&*script, 126, "command_not_started", "permission denied"),
        (&*folder, 126, "command_not_started", "is a directory"),
        ("/etc/passwd/sh", 126, "command_not_started", "not a directory"),
    ] {
        let ended = terminal.run(&["run", "--companion", world.issuer(), "--", command])?;
        assert_eq!(ended.code, code, "{command}: {}", ended.errors);
        let errors = ended.errors.to_lowercase();
        assert!(errors.contains(words), "{command}: {errors}");
        assert!(ended.errors.contains(command), "{command}: {}", ended.errors);
        let json = ["run", "--json", "--companion", world.issuer(), "--", command];
        let told = terminal.run(&json)?;
        let event: serde_json::Value = serde_json::from_str(&told.errors)?;
        assert_eq!((told.code, &event["event"]), (code, &"problem".into()), "{command}");
        assert_eq!(event["code"], problem, "{command}");
        assert_eq!(told.output, "", "standard output is the command's own");
    }
    assert!(!world.companion.log().contains("/oauth/par"));
    Ok(())
}

/// In a folder of `PATH` too; a file that may be started comes first, wherever it stands.
#[test]
fn a_file_in_the_path_that_may_not_be_started_is_said_to_be_there() -> Result<()> {
    let terminal = Terminal::new()?;
    for name in ["report", "sh"] {
        std::fs::write(terminal.home().join(name), "true")?;
    }
    let path = format!("{}:/usr/bin:/bin", terminal.home().display());
    let run = |command: &str| {
        let mut keyport = terminal.command(&["run", "--no-browser", "--companion"])?;
        // No answer comes from there: what may be started gets this far.
        keyport.args(["http://127.0.0.1:9", "--", command]).env("PATH", &path);
        cli_terminal::run(keyport)
    };
    assert_eq!(run("report")?.code, 126);
    assert_eq!(run("sh")?.code, 5);
    Ok(())
}
