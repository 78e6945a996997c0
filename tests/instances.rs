//! Two real companions behind a load balancer, on one PostgreSQL database: a person notices nothing
//! of which one answers, and nothing of the end of one.

use std::sync::Arc;

use anyhow::Result;
use futures_util::future::join_all;
use keyport_test_postgres::Cluster;
use keyport_tests::balancer::Balancer;
use keyport_tests::{NativeClient, Person, Process, World};

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
