//! `keyport` with a real keychain (gnome-keyring): a session that outlives the process, its tokens
//! and its end. Also `keyport link`, which needs a desktop session with a registered link handler.

mod cli_terminal;

use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result};
use cli_terminal::{
    SERVICES, ada_signs_in, files, forget_access_tokens, live_sessions, run_in, start_in,
};
use keyport_tests::desktop::Keyring;
use keyport_tests::{DesktopSession, World, wait};
use serde_json::Value;

/// For commands that ask no companion.
const NO_COMPANION: &str = "http://127.0.0.1:9";

/// What the keyring holds of ours.
fn secrets(session: &DesktopSession) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for service in SERVICES {
        found.extend(session.secrets(service)?.into_values());
    }
    Ok(found)
}

/// How often the only session of the companion was renewed since its sign-in.
fn renewals(world: &World) -> Result<i64> {
    let database = rusqlite::Connection::open(world.database())?;
    let first = "SELECT generation FROM families";
    Ok(database.query_row(first, [], |row| row.get(0))?)
}

async fn sign_in(world: &World, session: &DesktopSession) -> Result<Value> {
    let arguments = ["sign-in", "--json", "--no-browser"];
    let mut keyport = start_in(session, world.issuer(), &arguments)?;
    ada_signs_in(&keyport.authorization_url()?).await?;
    let signed_in = keyport.event("signed_in")?;
    assert_eq!(keyport.ended()?, 0);
    Ok(signed_in)
}

fn only_event(ended: &cli_terminal::Ended) -> Result<Value> {
    let mut events = ended.events()?;
    anyhow::ensure!(events.len() == 1, "one event: {} {}", ended.output, ended.errors);
    events.pop().context("an event")
}

/// What the companion answers to these headers at userinfo.
async fn userinfo(url: &str, headers: &str) -> Result<(u16, Value)> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut request = http.get(url);
    for line in headers.lines() {
        let (name, value) = line.split_once(": ").context("a header")?;
        request = request.header(name, value);
    }
    let answer = request.send().await?;
    let status = answer.status().as_u16();
    Ok((status, answer.json().await.unwrap_or_default()))
}

#[tokio::test]
async fn a_session_outlives_the_process_until_it_is_signed_out() -> Result<()> {
    let (world, session) = (World::start()?, DesktopSession::start()?);
    let refused = run_in(&session, world.issuer(), &["status", "--json"])?;
    assert_eq!(refused.code, 4, "{} {}", refused.output, refused.errors);

    let signed_in = sign_in(&world, &session).await?;
    assert_eq!(signed_in["stored"], "keychain");
    let status = run_in(&session, world.issuer(), &["status", "--json"])?;
    assert_eq!(status.code, 0, "{}", status.errors);
    let mut event = only_event(&status)?;
    let accounts = event.as_object_mut().and_then(|fields| fields.remove("accounts"));
    assert_eq!(event, signed_in);
    assert_eq!(accounts.as_ref().and_then(Value::as_array).map(Vec::len), Some(1));
    let said = run_in(&session, world.issuer(), &["status"])?;
    assert!(
        said.output.starts_with("Signed in as Ada Lovelace (ada@acme.test), Acme\n"),
        "{}",
        said.output
    );

    let token = only_event(&run_in(&session, world.issuer(), &["token", "--json"])?)?;
    assert_eq!(token["event"], "token");
    assert_eq!(token["token_type"], "DPoP");
    let bare = run_in(&session, world.issuer(), &["token"])?;
    assert_eq!(bare.output.trim().split('.').count(), 3, "a signed token and nothing else");
    assert_eq!(bare.code, 0);

    let url = format!("{}/oauth/userinfo", world.issuer());
    let headers = run_in(&session, world.issuer(), &["token", "--dpop", "GET", &url])?;
    assert_eq!(headers.code, 0, "{}", headers.errors);
    let (status, said) = userinfo(&url, &headers.output).await?;
    assert_eq!((status, &said["email"]), (200, &Value::from("ada@acme.test")), "{said}");

    assert!(secrets(&session)?.len() >= 2, "the device key and the account are in the keyring");
    let refresh_tokens_in_files = files(&session.home())?
        .into_iter()
        .filter(|path| {
            std::fs::read(path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains("kpr_"))
        })
        .collect::<Vec<_>>();
    assert_eq!(refresh_tokens_in_files, Vec::<std::path::PathBuf>::new());

    let ended = run_in(&session, world.issuer(), &["sign-out", "--json"])?;
    assert_eq!((ended.code, only_event(&ended)?["event"].as_str()), (0, Some("signed_out")));
    assert_eq!(live_sessions(&world)?, 0, "ended at the service too");
    for command in ["status", "token", "sign-out"] {
        let ended = run_in(&session, world.issuer(), &[command])?;
        assert_eq!(ended.code, 4, "{command}: {}", ended.errors);
        assert_eq!(ended.output, "", "{command}");
    }
    assert!(
        secrets(&session)?.iter().all(|secret| !secret.contains("kpr_")),
        "no refresh token is left"
    );
    Ok(())
}

#[tokio::test]
async fn a_service_that_is_away_ends_no_session() -> Result<()> {
    let (mut world, session) = (World::start()?, DesktopSession::start()?);
    sign_in(&world, &session).await?;
    world.stop_companion()?;
    let kept = run_in(&session, world.issuer(), &["token"])?;
    assert_eq!(kept.code, 0, "a token that is good needs no service: {}", kept.errors);
    forget_access_tokens(&session)?;
    let token = run_in(&session, world.issuer(), &["token"])?;
    assert_eq!(token.code, 5, "{}", token.errors);
    assert_eq!(run_in(&session, world.issuer(), &["status"])?.code, 0);
    world.start_companion_again()?;
    assert_eq!(run_in(&session, world.issuer(), &["token"])?.code, 0);
    Ok(())
}

#[tokio::test]
async fn a_sign_out_that_the_service_did_not_hear_of_says_so() -> Result<()> {
    let (mut world, session) = (World::start()?, DesktopSession::start()?);
    for json in [true, false] {
        sign_in(&world, &session).await?;
        world.stop_companion()?;
        let mut arguments = vec!["sign-out"];
        arguments.extend(json.then_some("--json"));
        let ended = run_in(&session, world.issuer(), &arguments)?;
        assert_eq!(ended.code, 0, "here it is over: {}", ended.errors);
        if json {
            let event = only_event(&ended)?;
            assert_eq!((&event["event"], &event["revoked"]), (&"signed_out".into(), &false.into()));
        } else {
            assert!(ended.errors.contains("Signed out on this device"), "{}", ended.errors);
        }
        world.start_companion_again()?;
        assert_eq!(run_in(&session, world.issuer(), &["status"])?.code, 4);
    }
    Ok(())
}

#[tokio::test]
async fn eight_processes_that_want_a_token_at_once_all_get_one() -> Result<()> {
    let (world, session) = (World::start()?, DesktopSession::start()?);
    sign_in(&world, &session).await?;
    let before = renewals(&world)?;
    assert_eq!(run_in(&session, world.issuer(), &["token"])?.code, 0);
    assert_eq!(renewals(&world)?, before, "the token of the sign-in is good");
    forget_access_tokens(&session)?;
    let start = |_| start_in(&session, world.issuer(), &["token", "--json"]);
    let processes = (0..8).map(start).collect::<Result<Vec<_>>>()?;
    for mut process in processes {
        process.event("token")?;
        assert_eq!(process.ended()?, 0, "{}", process.process.log());
    }
    assert_eq!(run_in(&session, world.issuer(), &["token"])?.code, 0, "and it is still signed in");
    assert_eq!(renewals(&world)?, before + 1, "one of them renews for all");
    Ok(())
}

#[tokio::test]
async fn a_session_that_ended_elsewhere_is_said_to_be_over() -> Result<()> {
    let (mut world, session) = (World::start()?, DesktopSession::start()?);
    sign_in(&world, &session).await?;
    world.stop_companion()?;
    rusqlite::Connection::open(world.database())?
        .execute("UPDATE sessions SET ended_at = created_at, ended_because = 'revoked'", [])?;
    world.start_companion_again()?;
    // The kept access token lives on for its few minutes; the session does not.
    forget_access_tokens(&session)?;
    let ended = run_in(&session, world.issuer(), &["token", "--json"])?;
    assert_eq!((ended.code, ended.problem()?), (4, "session_ended".to_owned()));
    assert_eq!(run_in(&session, world.issuer(), &["status"])?.code, 4, "and it is not kept");
    Ok(())
}

#[tokio::test]
async fn a_keychain_that_goes_away_midway_is_said_and_leaves_no_session() -> Result<()> {
    let (world, mut session) = (World::start()?, DesktopSession::start()?);
    let mut keyport = start_in(&session, world.issuer(), &["sign-in", "--json", "--no-browser"])?;
    let link = keyport.authorization_url()?;
    session.kill_secret_service();
    ada_signs_in(&link).await?;
    let code = keyport.event("problem")?["code"].clone();
    assert!(code.as_str().is_some_and(|code| code.starts_with("keychain_")), "{code}");
    assert_eq!(keyport.ended()?, 6);
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

#[test]
fn without_a_keychain_status_token_and_sign_out_say_so() -> Result<()> {
    let session = DesktopSession::with().keyring(Keyring::Absent).start()?;
    for command in ["status", "token", "sign-out"] {
        let ended = run_in(&session, NO_COMPANION, &[command, "--json"])?;
        assert_eq!((ended.code, ended.problem()?), (6, "keychain_absent".to_owned()), "{command}");
    }
    Ok(())
}

/// Registers a program for our links that writes down what it was given.
fn register_app(session: &DesktopSession) -> Result<std::path::PathBuf> {
    let home = session.home();
    let (program, given) = (home.join("app"), home.join("given"));
    std::fs::write(
        &program,
        format!("#!/bin/sh\nprintf '%s|%s\\n' $# \"$1\" >>{}\n", given.display()),
    )?;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
    let applications = home.join(".local/share/applications");
    std::fs::create_dir_all(&applications)?;
    let entry = format!(
        "[Desktop Entry]\nType=Application\nName=App\nExec={} %u\n\
         MimeType=x-scheme-handler/dev.keyport.desktop;\n",
        program.display()
    );
    std::fs::write(applications.join("app-of-the-test.desktop"), entry)?;
    session.run(
        "xdg-mime",
        &["default", "app-of-the-test.desktop", "x-scheme-handler/dev.keyport.desktop"],
    )?;
    Ok(given)
}

#[test]
fn a_link_is_handed_to_the_program_that_is_registered_for_it() -> Result<()> {
    let session = DesktopSession::start()?;
    let link = "dev.keyport.desktop:/callback?code=a%20b&state=$(touch+x)&iss=http://127.0.0.1:1";
    let refused = run_in(&session, NO_COMPANION, &["link", "send", link])?;
    assert_eq!(refused.code, 5, "{}", refused.errors);
    assert!(refused.errors.contains("No app is registered"), "{}", refused.errors);
    assert_eq!(session.opened(), Vec::<String>::new(), "and no browser was given the link");

    let given = register_app(&session)?;
    let lines = |count: usize| {
        wait::until("the link at the app", wait::WAIT_TIMEOUT, || {
            let text = std::fs::read_to_string(&given).unwrap_or_default();
            Ok((text.lines().count() >= count).then_some(text))
        })
    };
    let sent = run_in(&session, NO_COMPANION, &["link", "send", link])?;
    assert_eq!(sent.code, 0, "{}", sent.errors);
    assert!(sent.errors.contains("app-of-the-test.desktop"), "{}", sent.errors);
    assert_eq!(lines(1)?, format!("1|{link}\n"), "one argument, as it was");
    let replayed = run_in(&session, NO_COMPANION, &["link", "replay", link])?;
    assert_eq!(replayed.code, 0, "{}", replayed.errors);
    assert_eq!(lines(3)?, format!("1|{link}\n").repeat(3), "twice more");
    Ok(())
}
