//! Bad input gets a clear error and loses nothing: settings, key file, database, port, upstream.
//! Real processes.

use std::time::Duration;

use anyhow::{Context, Result};
use keyport_tests::world::{ACME, Settings};
use keyport_tests::{Jar, NativeClient, Person, World, wait};

/// Starts a companion that must refuse to start, and gives what it said.
fn refusal(settings: Settings) -> Result<String> {
    match settings.start() {
        Ok(_) => anyhow::bail!("it started"),
        Err(error) => Ok(format!("{error:#}")),
    }
}

fn says(settings: Settings, words: &[&str]) -> Result<()> {
    let said = refusal(settings)?;
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    Ok(())
}

#[test]
fn settings_that_are_unknown_or_half_there_are_named() -> Result<()> {
    says(World::with().companion("KEYPORT_ORGANISATIONS", ACME), &["KEYPORT_ORGANISATIONS"])?;
    says(World::with().companion_without("WORKOS_API_KEY"), &["WORKOS_API_KEY"])?;
    says(World::with().companion_without("WORKOS_CLIENT_ID"), &["WORKOS_CLIENT_ID"])?;
    says(World::with().companion("WORKOS_BASE_URL", "not a url"), &["WORKOS_BASE_URL"])?;
    says(
        World::with().companion("KEYPORT_PUBLIC_URL", "http://sign-in.example"),
        &["KEYPORT_PUBLIC_URL"],
    )?;
    says(World::with().companion("KEYPORT_UPSTREAM", "carrier-pigeon"), &["KEYPORT_UPSTREAM"])?;
    says(World::with().companion("DATABASE_URL", "mysql://x"), &["DATABASE_URL"])?;
    says(World::with().companion("WORKOS_API_KEY_FILE", "/nonexistent/key"), &["WORKOS_API_KEY"])
}

#[test]
fn a_wrong_api_key_is_said_at_the_start() -> Result<()> {
    says(World::with().companion("WORKOS_API_KEY", "sk_test_wrong"), &["WORKOS_API_KEY"])?;
    let other = World::with().companion("WORKOS_CLIENT_ID", "client_of_another_environment");
    says(other, &["WORKOS_API_KEY", "WORKOS_CLIENT_ID", "same environment"])
}

#[tokio::test]
async fn a_database_and_its_key_file_belong_together() -> Result<()> {
    let (folder, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let key = |name: &str| folder.path().join(name).display().to_string();
    let with =
        |name: &str| World::with().folder(folder.path()).companion("KEYPORT_KEY_FILE", &key(name));
    let mut world = with("a.key").start()?;
    let client = NativeClient::new(&world)?;
    let session = client.sign_in(Person::ADA).await?;
    world.stop_companion()?;
    says(with("b.key"), &["b.key"])?;
    assert!(!folder.path().join("b.key").exists(), "no key is made beside a database that has one");
    drop(World::with().folder(other.path()).companion("KEYPORT_KEY_FILE", &key("c.key")).start()?);
    says(with("c.key"), &["companion.db", "key file"])?;
    world.start_companion_again()?;
    assert!(client.refresh(&session.refresh).await?.session().is_ok(), "nothing was lost");
    Ok(())
}

#[test]
fn a_database_path_that_cannot_be_used_is_not_blamed_on_the_key_file() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (path, word) in [("none/c.db", "its folder"), ("", "folder")] {
        let path = folder.path().join(path);
        let url = format!("sqlite:{}", path.display());
        let url = url.trim_end_matches('/');
        let said = refusal(World::with().companion("DATABASE_URL", url))?;
        assert!(said.contains("the database") && said.contains(word), "{said}");
        assert!(!said.contains("key file"), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

#[test]
fn a_database_that_is_none_is_refused_and_kept() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("companion.db");
    std::fs::write(&file, vec![7_u8; 8192])?;
    says(World::with().folder(folder.path()), &["companion.db"])?;
    assert_eq!(std::fs::read(&file)?, vec![7_u8; 8192]);
    Ok(())
}

#[test]
fn a_port_in_use_is_said() -> Result<()> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    for (program, settings) in [("keyport-emulator", false), ("keyport-companion", true)] {
        let mut command = keyport_tests::binaries::command(program)?;
        command.args(["serve", "--listen", &address]);
        let folder = tempfile::tempdir()?;
        if settings {
            command
                .env("WORKOS_API_KEY", "sk_test_emulator")
                .env("WORKOS_CLIENT_ID", "client_emulator");
            command.env("WORKOS_BASE_URL", "http://127.0.0.1:9").env("KEYPORT_ORGANIZATIONS", ACME);
            command.env("DATABASE_URL", format!("sqlite:{}", folder.path().join("c.db").display()));
            command.current_dir(folder.path());
        }
        let output = command.output().context(program)?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{program}");
        assert!(said.contains(&address) && said.contains("in use"), "{program}: {said}");
    }
    Ok(())
}

/// A browser that holds the provider's answer in hand: it has not reached the companion yet.
async fn answered(world: &World, authorize: &str) -> Result<(Jar, String)> {
    let mut browser = Jar::new()?.stopping_at(&format!("{}/callback", world.issuer()));
    let page = Person::ADA.sign_in_at_provider(&mut browser, authorize).await?;
    Ok((browser, page.leaves_to.context("the provider's answer")?))
}

#[tokio::test]
async fn an_upstream_that_is_gone_midway_is_a_word_on_the_page_and_no_hang() -> Result<()> {
    let mut world = World::start()?;
    let client = NativeClient::new(&world)?;
    let pushed = client.push(&[]).await?;
    let (mut browser, callback) = answered(&world, &pushed.url).await?;
    world.emulator.kill();
    let started = std::time::Instant::now();
    let page = browser.open(&callback).await?;
    assert!(started.elapsed() < wait::WAIT_TIMEOUT / 2, "took {:?}", started.elapsed());
    assert!(!page.has_button("continue") && page.leaves_to.is_none(), "{}", page.text());
    assert!(page.text().contains("service_unavailable"), "the code for IT: {}", page.text());
    let state = client.attempt(reqwest::Method::GET, &pushed.attempt, None).await?;
    assert_eq!((state.text("state"), state.text("problem")), ("failed", "service_unavailable"));
    Ok(())
}

/// A restart of the companion between two steps of a person: every step is in the database or
/// sealed in what the browser carries.
#[tokio::test]
async fn a_restart_between_any_two_steps_loses_nothing() -> Result<()> {
    let mut world = World::start()?;
    let client = NativeClient::new(&world)?;
    let pushed = client.push(&[]).await?;
    world.start_companion_again()?;
    let (mut browser, callback) = answered(&world, &pushed.url).await?;
    world.start_companion_again()?;
    let page = browser.open(&callback).await?;
    world.start_companion_again()?;
    let callback = Person::come_back(&mut browser, page).await?;
    world.start_companion_again()?;
    let session = client.redeem(&pushed, &callback).await?.session()?;
    world.stop_companion()?;
    world.start_companion_again()?;
    assert!(client.refresh(&session.refresh).await?.session().is_ok());
    Ok(())
}

/// kill -9 while the exchange with the provider is under way: "please sign in again" at once, never
/// a hang.
#[tokio::test]
async fn a_crash_during_the_exchange_is_told_and_not_waited_for() -> Result<()> {
    let mut world = World::start()?;
    let client = NativeClient::new(&world)?;
    let pushed = client.push(&[]).await?;
    let (mut browser, callback) = answered(&world, &pushed.url).await?;
    let http = reqwest::Client::new();
    let faults = world.emulator_url().join("_emulator/faults")?;
    let hold = serde_json::json!({ "route": "POST /sso/token", "kind": "hold", "times": 1 });
    http.post(faults.clone()).json(&hold).send().await?;
    let going = tokio::spawn(async move {
        let answer = browser.open(&callback).await.map(|page| page.status);
        (browser, callback, answer)
    });
    let calls = world.emulator_url().join("_emulator/calls")?;
    loop {
        let counted: serde_json::Value = reqwest::get(calls.clone()).await?.json().await?;
        // The first one is the companion's own check of its settings, as it starts.
        if counted["calls"]["POST /sso/token"].as_u64() == Some(2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.companion.kill();
    let (mut browser, callback, answer) = going.await?;
    assert!(answer.is_err(), "the companion died under it");
    world.start_companion_again()?;
    http.delete(faults).send().await?;
    let state = client.attempt(reqwest::Method::GET, &pushed.attempt, None).await?;
    assert_eq!((state.text("state"), state.text("problem")), ("failed", "interrupted"));
    let page = browser.open(&callback).await?;
    assert!(!page.has_button("continue"), "a reload does not redeem it again: {}", page.text());
    let counted: serde_json::Value = reqwest::get(calls).await?.json().await?;
    assert_eq!(
        counted["calls"]["POST /sso/token"], 3,
        "two starts checked themselves, the code was sent once"
    );
    Ok(())
}
