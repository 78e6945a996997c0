//! The commands of the operator about the account at the provider, and `check`. Real processes;
//! each answer of the provider is planted in `crates/companion/tests/admin`.

use anyhow::{Result, ensure};
use keyport_tests::World;
use keyport_tests::world::{ACME, ACME_CONNECTION};
use serde_json::Value;

mod cli_terminal;

use cli_terminal::operator::{Ended, done, on_a_terminal, run, two_people};

#[tokio::test]
async fn deleting_a_connection_names_who_is_locked_out_and_asks() -> Result<()> {
    let world = World::start()?;
    two_people(&world).await?;
    let delete = ["connections", "delete", ACME_CONNECTION];
    let refused = run(&world, &delete)?;
    assert_eq!(refused.code, 3, "{}", refused.errors);
    for words in ["locked out", "ada@acme.test", "grace@acme.test", "--yes"] {
        assert!(refused.errors.contains(words), "{words}: {}", refused.errors);
    }
    let no = on_a_terminal(&world, &delete)?;
    no.shows("Delete conn_01EMULATOROKTA for good? [y/N]")?;
    no.types("n\n")?;
    no.shows("nothing was changed")?;
    let shown = done(&world, &["connections", "show", ACME_CONNECTION, "--json"])?.lines()?;
    assert_eq!(shown[0]["state"], "active");
    let deleted = done(&world, &[&delete[..], &["--yes", "--json"]].concat())?.lines()?;
    assert_eq!(deleted[0]["locked_out"], serde_json::json!(["ada@acme.test", "grace@acme.test"]));
    assert_eq!(run(&world, &["connections", "show", ACME_CONNECTION])?.code, 4);
    assert_eq!(run(&world, &delete)?.code, 4);
    Ok(())
}

#[tokio::test]
async fn the_account_is_shown_and_its_refusals_are_explained() -> Result<()> {
    let world = World::start()?;
    let listed = done(&world, &["connections", "list", "--organization", ACME])?.output;
    assert!(listed.contains(ACME_CONNECTION) && listed.contains("OktaSAML"), "{listed}");
    let shown = done(&world, &["organizations", "show", ACME])?.output;
    assert!(shown.contains("Admitted here") && shown.contains("acme.test"), "{shown}");
    for (arguments, code) in [
        (&["connections", "show", "conn_none"][..], 4),
        (&["connections", "show", "../organizations"], 2),
        (&["connections", "create", "--organization", ACME], 2),
        (&["connections", "update", ACME_CONNECTION], 2),
        (&["organizations", "show", "org_none"], 4),
        (&["portal-link", "--organization", ACME, "--intent", "everything"], 2),
        (&["portal-link", "--organization", ACME], 2),
    ] {
        let ended = run(&world, arguments)?;
        assert_eq!(ended.code, code, "{arguments:?}: {}{}", ended.output, ended.errors);
    }
    let fault = serde_json::json!({ "route": "GET /connections/{id}", "kind": "status",
        "status": 429, "retry_after_seconds": 9 });
    let order = world.emulator_url().join("_emulator/faults")?;
    reqwest::Client::builder().no_proxy().build()?.post(order).json(&fault).send().await?;
    let limited = run(&world, &["connections", "show", ACME_CONNECTION])?;
    assert_eq!(limited.code, 5, "{}", limited.errors);
    assert!(limited.errors.contains("try again in 9 seconds"), "{}", limited.errors);
    Ok(())
}

/// The verdict of each line of `check --json`.
fn verdicts(ended: &Ended) -> Result<Vec<(String, String)>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = ended.lines()?;
    Ok(lines.iter().map(|line| (text(&line["subject"]), text(&line["verdict"]))).collect())
}

#[tokio::test]
async fn check_goes_through_the_list_with_a_service_and_without() -> Result<()> {
    let mut world = World::start()?;
    let holds = |ended: &Ended, subject: &str, verdict: &str| -> Result<()> {
        let found = verdicts(ended)?.contains(&(subject.to_owned(), verdict.to_owned()));
        ensure!(found, "{subject} is not {verdict}: {}", ended.output);
        Ok(())
    };
    let organization = format!("organization {ACME}");
    let right =
        ["API key and client id", "redirect URI", &organization, "clock", "key file", "database"];
    let served = run(&world, &["check", "--json"])?;
    assert_eq!(served.code, 1, "an address of this machine is for no one else");
    holds(&served, "public address", "wrong")?;
    for subject in right {
        holds(&served, subject, "ok")?;
    }
    let shown = run(&world, &["check"])?.output;
    assert!(shown.contains("not knowable by API  PKCE at the provider"), "{shown}");
    assert!(!shown.contains("sk_test_emulator"), "{shown}");
    let socket = world.folder().join("none");
    let mut command = world.operator(&["check", "--json"])?;
    let unreached = Ended::of(&command.env("KEYPORT_ADMIN_SOCKET", &socket).output()?)?;
    assert_eq!(unreached.code, 1);
    holds(&unreached, "database", "wrong")?;
    holds(&unreached, "API key and client id", "ok")?;
    world.stop_companion()?;
    let alone = run(&world, &["check", "--json"])?;
    for subject in right {
        holds(&alone, subject, "ok")?;
    }
    Ok(())
}
