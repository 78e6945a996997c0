//! Two real companions behind a load balancer, on one PostgreSQL database: a person notices nothing
//! of which one answers, and nothing of the end of one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, ensure};
use futures_util::future::join_all;
use keyport_test_postgres::Cluster;
use keyport_tests::balancer::Balancer;
use keyport_tests::wait::{self, WAIT_TIMEOUT};
use keyport_tests::world::{ACME, API_KEY, CLIENT_ID};
use keyport_tests::{NativeClient, Person, Process, World, binaries};

struct Instances {
    world: World,
    other: Process,
    balancer: Balancer,
}

/// Two companions with one key file, one database and one public address.
fn two() -> Result<Instances> {
    let balancer = Balancer::start()?;
    let keys = tempfile::tempdir()?.keep();
    keyport_tests::offspring::remove_afterwards(&keys);
    let world = World::with()
        .companion("DATABASE_URL", &Cluster::shared().database())
        .companion("KEYPORT_KEY_FILE", &keys.join("keyport.key").display().to_string())
        .companion("KEYPORT_PUBLIC_URL", balancer.url())
        .start()?;
    let (other, address) = world.start_another_companion()?;
    balancer.add(world.companion_url())?;
    balancer.add(&address)?;
    Ok(Instances { world, other, balancer })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_refreshes_through_whichever_companion() -> Result<()> {
    let instances = two()?;
    let client = NativeClient::of(instances.balancer.url())?;
    let mut session = client.sign_in(Person::ADA).await?;
    for _ in 0..6 {
        session = client.refresh(&session.refresh).await?.session()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_refreshes_over_two_companions_all_get_the_same_child() -> Result<()> {
    let instances = two()?;
    let client = Arc::new(NativeClient::of(instances.balancer.url())?);
    let token = client.sign_in(Person::ADA).await?.refresh;
    let warm = client.refresh(&token).await?.session()?;
    let answers = join_all((0..64).map(|_| {
        let (client, token) = (Arc::clone(&client), warm.refresh.clone());
        tokio::spawn(async move { client.refresh(&token).await?.session() })
    }))
    .await;
    let mut children = Vec::new();
    for answer in answers {
        children.push(answer??.refresh);
    }
    children.sort();
    children.dedup();
    assert_eq!(children.len(), 1);
    assert!(client.refresh(&children[0]).await?.session().is_ok(), "and it is alive");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_one_companion_ends_no_session() -> Result<()> {
    let mut instances = two()?;
    let client = NativeClient::of(instances.balancer.url())?;
    let session = client.sign_in(Person::ADA).await?;
    instances.world.companion.kill();
    let session = client.refresh(&session.refresh).await?.session()?;
    instances.world.start_companion_again()?;
    instances.other.kill();
    client.refresh(&session.refresh).await?.session()?;
    client.sign_in(Person::GRACE).await?;
    Ok(())
}

/// A companion that was started and is not ready yet.
fn starting(database: &str, key_file: &Path) -> Result<Process> {
    let folder = key_file.parent().unwrap_or(Path::new("/"));
    let mut command = binaries::command("keyport-companion")?;
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("WORKOS_API_KEY", API_KEY)
        .env("WORKOS_CLIENT_ID", CLIENT_ID)
        // Nothing answers there, which proves nothing wrong.
        .env("WORKOS_BASE_URL", "http://127.0.0.1:9")
        .env("KEYPORT_ORGANIZATIONS", ACME)
        .env("DATABASE_URL", database)
        .env("KEYPORT_KEY_FILE", key_file)
        .current_dir(folder);
    Process::spawn("starting-companion", command, &folder.join("logs"))
}

/// A key file that does not exist, in a folder of its own.
fn key_file() -> Result<PathBuf> {
    let folder = tempfile::tempdir()?.keep();
    keyport_tests::offspring::remove_afterwards(&folder);
    Ok(folder.join("keyport.key"))
}

#[test]
fn first_starts_at_once_share_the_key_file_that_one_of_them_makes() -> Result<()> {
    let (database, key) = (Cluster::shared().database(), key_file()?);
    let starts = (0..6).map(|_| starting(&database, &key)).collect::<Result<Vec<_>>>()?;
    for start in &starts {
        start.ready()?;
    }
    Ok(())
}

#[test]
fn of_first_starts_with_different_key_files_one_makes_its_own() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite:{}", folder.path().join("companion.db").display());
    for database in [Cluster::shared().database(), file] {
        let keys = (0..4).map(|_| key_file()).collect::<Result<Vec<_>>>()?;
        let starts = keys.iter().map(|key| starting(&database, key)).collect::<Result<Vec<_>>>()?;
        let ready: Vec<bool> = starts.iter().map(|start| start.ready().is_ok()).collect();
        let made: Vec<bool> = keys.iter().map(|key| key.exists()).collect();
        ensure!(made == ready, "{database}: ready {ready:?}, key files {made:?}");
        ensure!(ready.iter().filter(|ready| **ready).count() == 1, "{database}: {ready:?}");
    }
    Ok(())
}

#[test]
fn no_key_file_is_made_for_a_database_that_has_one() -> Result<()> {
    let (database, right, other) = (Cluster::shared().database(), key_file()?, key_file()?);
    starting(&database, &right)?.ready()?;
    let mut refused = starting(&database, &other)?;
    ensure!(refused.wait(WAIT_TIMEOUT)?.code() == Some(1), "{}", refused.log());
    ensure!(refused.log().contains("restore the key file"), "{}", refused.log());
    ensure!(!other.exists(), "a key file that fits nothing");
    Ok(())
}

#[test]
fn a_start_that_waits_for_the_schema_says_so_and_ends_with_0_when_told_to() -> Result<()> {
    let (database, key) = (Cluster::shared().database(), key_file()?);
    starting(&database, &key)?.ready()?;
    let _holder = Cluster::shared().session(&database, "BEGIN; LOCK keyport.binding")?;
    let mut waiting = starting(&database, &key)?;
    wait::until("a line about the schema", WAIT_TIMEOUT, || {
        Ok(waiting.log().contains("waiting for the schema").then_some(()))
    })?;
    ensure!(waiting.terminate(WAIT_TIMEOUT)?.success(), "{}", waiting.log());
    Ok(())
}
