//! Settings that change while the service runs: SIGHUP reads the files again. Real processes.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use keyport_tests::native::{NativeClient, REDIRECT_URI, Session};
use keyport_tests::world::ACME;
use keyport_tests::{Jar, Person, World, wait};

const OF_ACME: [(&str, &str); 1] = [("organization", ACME)];

/// Admits these organizations from now on, and waits until the companion says so.
fn admit(world: &World, file: &Path, text: &str, said: &str) -> Result<()> {
    let before = world.companion.log().matches(said).count();
    std::fs::write(file, text)?;
    world.companion.hang_up();
    wait::until(said, wait::WAIT_TIMEOUT, || {
        Ok((world.companion.log().matches(said).count() > before).then_some(()))
    })
}

async fn problem_of_refresh(client: &NativeClient, session: &Session) -> Result<String> {
    let answer = client.refresh(&session.refresh).await?;
    ensure!(answer.refusal() == (400, "invalid_grant"), "{}", answer.body);
    Ok(answer.text("keyport_problem").to_owned())
}

async fn sign_in(client: &NativeClient) -> Result<Session> {
    let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
    client.sign_in_with(&mut browser, Person::ADA, &OF_ACME).await
}

fn world(file: &Path) -> Result<World> {
    let file = file.to_str().context("a path")?;
    World::with()
        .companion_without("KEYPORT_ORGANIZATIONS")
        .companion_without("KEYPORT_DEFAULT_ORGANIZATION")
        .companion("KEYPORT_ORGANIZATIONS_FILE", file)
        .start()
}

#[tokio::test]
async fn an_organization_taken_out_of_its_file_is_out_at_the_next_refresh() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("organizations");
    std::fs::write(&file, format!("# customers\n{ACME}\norg_01OTHER # a second one\n"))?;
    let world = world(&file)?;
    let client = NativeClient::new(&world)?;
    let session = sign_in(&client).await?;
    admit(&world, &file, "org_01OTHER\n", "the settings were read again")?;
    let (_, answer) = client.try_push(&OF_ACME).await?;
    assert_eq!(answer.text("keyport_problem"), "organization_not_allowed", "{}", answer.body);
    assert_eq!(problem_of_refresh(&client, &session).await?, "access_ended");
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_used_changes_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("organizations");
    std::fs::write(&file, ACME)?;
    let world = world(&file)?;
    let client = NativeClient::new(&world)?;
    let session = sign_in(&client).await?;
    for broken in ["acme\n", &format!("*\n{ACME}")] {
        admit(&world, &file, broken, "are not taken over")?;
        ensure!(client.refresh(&session.refresh).await?.status == 200, "signed out");
    }
    Ok(())
}
