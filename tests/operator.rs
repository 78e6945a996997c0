//! The commands of the operator beside `serve`: through the socket of the running service and on
//! its database, in a pipe and on a terminal. Real processes.

use anyhow::{Context as _, Result, ensure};
use keyport_tests::native::{NativeClient, Session};
use keyport_tests::world::{ACME, ACME_CONNECTION};
use keyport_tests::{Person, World};
use serde_json::Value;

mod cli_terminal;

use cli_terminal::operator::{Ended, done, on_a_terminal, run, two_people};

/// The emails of the sessions that are alive.
fn signed_in(world: &World) -> Result<Vec<String>> {
    let lines = done(world, &["sessions", "list", "--json"])?.lines()?;
    let mut emails: Vec<String> =
        lines.iter().filter_map(|line| line["email"].as_str()).map(str::to_owned).collect();
    emails.sort();
    Ok(emails)
}

async fn problem_of_refresh(client: &NativeClient, session: &Session) -> Result<String> {
    let answer = client.refresh(&session.refresh).await?;
    ensure!(answer.refusal() == (400, "invalid_grant"), "{}", answer.body);
    Ok(answer.text("keyport_problem").to_owned())
}

#[tokio::test]
async fn sessions_are_revoked_through_the_running_service_and_without_one() -> Result<()> {
    let mut world = World::start()?;
    let [(first, ada), (second, grace)] = two_people(&world).await?;
    assert_eq!(signed_in(&world)?, ["ada@acme.test", "grace@acme.test"]);

    let ended = done(&world, &["sessions", "revoke", "--user", "ADA@acme.test", "--json"])?;
    assert_eq!(ended.lines()?, [serde_json::json!({ "ended": 1, "people": ["ada@acme.test"] })]);
    assert_eq!(problem_of_refresh(&first, &ada).await?, "access_ended");
    let grace = second.refresh(&grace.refresh).await?.session()?;

    world.stop_companion()?;
    assert!(!world.folder().join("companion.admin").exists(), "the socket is removed");
    assert_eq!(signed_in(&world)?, ["grace@acme.test"]);
    done(&world, &["sessions", "revoke", "--organization", ACME])?;
    assert!(signed_in(&world)?.is_empty());
    world.start_companion_again()?;
    assert_eq!(problem_of_refresh(&second, &grace).await?, "access_ended");
    Ok(())
}

#[tokio::test]
async fn several_people_are_signed_out_in_a_pipe_with_yes_only() -> Result<()> {
    let world = World::start()?;
    let [(first, ada), _] = two_people(&world).await?;
    for whose in [&["--all"][..], &["--organization", ACME], &["--connection", ACME_CONNECTION]] {
        let ended = run(&world, &[&["sessions", "revoke"], whose].concat())?;
        assert_eq!(ended.code, 3, "{}", ended.errors);
        let said = ["2 sessions of 2 people", "ada@acme.test", "grace@acme.test", "--yes"];
        for words in said {
            assert!(ended.errors.contains(words), "{words}: {}", ended.errors);
        }
    }
    assert_eq!(signed_in(&world)?.len(), 2, "nothing was ended");
    let ended = done(&world, &["sessions", "revoke", "--all", "--yes"])?;
    assert_eq!(ended.output, "2 sessions ended.\n");
    assert_eq!(problem_of_refresh(&first, &ada).await?, "access_ended");
    Ok(())
}

#[tokio::test]
async fn on_a_terminal_the_operator_is_asked_first() -> Result<()> {
    let world = World::start()?;
    two_people(&world).await?;
    let no = on_a_terminal(&world, &["sessions", "revoke", "--all"])?;
    no.shows("End 2 sessions of 2 people? [y/N]")?;
    no.types("\n")?;
    no.shows("nothing was changed")?;
    assert_eq!(signed_in(&world)?.len(), 2);
    let yes = on_a_terminal(&world, &["sessions", "revoke", "--all"])?;
    yes.shows("[y/N]")?;
    yes.types("y\n")?;
    yes.shows("2 sessions ended.")?;
    assert!(signed_in(&world)?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_during_refreshes_leaves_no_token_alive() -> Result<()> {
    let world = World::start()?;
    let mut refreshing = Vec::new();
    for _ in 0..4 {
        let client = NativeClient::new(&world)?;
        let mut session = client.sign_in(Person::ADA).await?;
        refreshing.push(tokio::spawn(async move {
            let mut count = 0;
            loop {
                let answer = client.refresh(&session.refresh).await?;
                if answer.refusal() == (400, "invalid_grant") {
                    ensure!(answer.text("keyport_problem") == "access_ended", "{}", answer.body);
                    return Ok((client, session, count));
                }
                session = answer.session()?;
                count += 1;
            }
        }));
    }
    let command = world.operator(&["sessions", "revoke", "--user", "ada@acme.test"])?;
    let ended = tokio::task::spawn_blocking(move || { command }.output()).await??;
    let ended = Ended::of(&ended)?;
    assert_eq!((ended.code, ended.output.as_str()), (0, "4 sessions ended.\n"), "{}", ended.errors);
    for task in refreshing {
        let (client, session, _) = task.await??;
        assert_eq!(problem_of_refresh(&client, &session).await?, "access_ended");
    }
    Ok(())
}

#[tokio::test]
async fn what_a_command_names_is_checked() -> Result<()> {
    let world = World::start()?;
    let absent = "session_00000000000000000000000000000000";
    let absent_user = "user_00000000000000000000000000000000";
    for (arguments, code) in [
        (&["sessions", "revoke"][..], 2),
        (&["sessions", "revoke", "--session", "ada"], 2),
        (&["sessions", "revoke", "--device", "short"], 2),
        (&["sessions", "revoke", "--user", "ada"], 2),
        (&["sessions", "revoke", "--all", "--user", "ada@acme.test"], 2),
        (&["sessions", "revoke", "--session", absent], 4),
        (&["sessions", "revoke", "--user", absent_user], 4),
        (&["users", "show", "ada@acme.test"], 4),
        (&["users", "show", "ada"], 2),
        (&["audit", "export", "--since", "yesterday"], 2),
        (&["sessions", "list"], 0),
        (&["users", "list"], 0),
        (&["sessions", "list", "--organization", "org_none"], 0),
        (&["sessions", "revoke", "--organization", "org_none"], 0),
    ] {
        let ended = run(&world, arguments)?;
        assert_eq!(ended.code, code, "{arguments:?}: {}{}", ended.output, ended.errors);
        let told = if code == 0 { &ended.output } else { &ended.errors };
        assert!(!told.is_empty(), "{arguments:?} says nothing");
    }
    for empty in [&["sessions", "list", "--json"][..], &["users", "list", "--json"]] {
        assert_eq!(done(&world, empty)?.output, "", "{empty:?}");
    }
    Ok(())
}

#[tokio::test]
async fn people_are_shown_in_columns_and_whole_in_json() -> Result<()> {
    let world = World::start()?;
    two_people(&world).await?;
    let listed = done(&world, &["users", "list"])?.output;
    let [header, first, second] = &*listed.lines().collect::<Vec<_>>() else {
        anyhow::bail!("{listed}")
    };
    let column = header.find("ORGANIZATION").context("a header")?;
    for line in [first, second] {
        assert!(line[column..].starts_with("Acme "), "{listed}");
    }
    let shown = done(&world, &["users", "show", "ada@acme.test"])?.output;
    for words in ["Ada", ACME, ACME_CONNECTION, "SESSION", "keyport-desktop"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let shown = done(&world, &["users", "show", "ada@acme.test", "--json"])?.lines()?;
    let session = shown[0]["living"][0]["session"].as_str().context("a session")?;
    done(&world, &["sessions", "revoke", "--session", session])?;
    assert_eq!(signed_in(&world)?, ["grace@acme.test"]);
    Ok(())
}

#[tokio::test]
async fn the_audit_table_is_exported_whole_or_since() -> Result<()> {
    let world = World::start()?;
    two_people(&world).await?;
    done(&world, &["sessions", "revoke", "--user", "ada@acme.test"])?;
    let exported = done(&world, &["audit", "export"])?;
    let ended: Vec<Value> =
        exported.lines()?.into_iter().filter(|row| row["event"] == "session_ended").collect();
    let [ended] = &*ended else { anyhow::bail!("{}", exported.output) };
    assert_eq!(ended["detail"], "revoked_by_operator");
    assert!(ended["user"].as_str().is_some_and(|user| user.starts_with("user_")));
    assert!(!exported.output.contains("acme.test"), "no email is in it");
    assert_eq!(done(&world, &["audit", "export", "--since", "2999-01-01"])?.output, "");
    let today = ended["at"].as_str().and_then(|at| at.get(..10)).context("a date")?;
    let since = done(&world, &["audit", "export", "--since", today])?;
    assert!(since.output.contains("revoked_by_operator"));
    Ok(())
}

#[tokio::test]
async fn without_service_and_database_a_command_makes_neither() -> Result<()> {
    let mut world = World::start()?;
    world.stop_companion()?;
    let elsewhere = world.folder().join("elsewhere.db");
    let mut command = world.operator(&["sessions", "list"])?;
    command.env("DATABASE_URL", format!("sqlite:{}", elsewhere.display()));
    let ended = Ended::of(&command.output()?)?;
    assert_eq!(ended.code, 5, "{}", ended.errors);
    assert!(ended.errors.contains("there is no database"), "{}", ended.errors);
    assert!(!elsewhere.exists());
    let mut command = world.operator(&["sessions", "list"])?;
    let nowhere = world.folder().join("no.key");
    let ended = Ended::of(&command.env("KEYPORT_KEY_FILE", &nowhere).output()?)?;
    assert_eq!(ended.code, 5, "{}", ended.errors);
    assert!(!nowhere.exists());
    Ok(())
}
