//! Rotation that survives a lost answer, a race and a crash, and still notices a thief (RFC 9700
//! §4.14). Real processes.

use std::sync::Arc;

use anyhow::Result;
use futures_util::future::join_all;
use keyport_tests::native::DeviceKey;
use keyport_tests::{NativeClient, Person, World};
use tokio::sync::Barrier;

async fn signed_in() -> Result<(World, Arc<NativeClient>, String)> {
    let world = World::start()?;
    let client = Arc::new(NativeClient::new(&world)?);
    let session = client.sign_in(Person::ADA).await?;
    Ok((world, client, session.refresh))
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_refreshes_of_one_token_all_succeed_with_the_same_child() -> Result<()> {
    let (_world, client, token) = signed_in().await?;
    // A nonce at hand for everybody: what is tested is the race, not the challenge.
    let warm = client.refresh(&token).await?.session()?;
    let together = Arc::new(Barrier::new(64));
    let answers = join_all((0..64).map(|_| {
        let (client, together, token) = (client.clone(), together.clone(), warm.refresh.clone());
        tokio::spawn(async move {
            together.wait().await;
            client.refresh(&token).await?.session()
        })
    }))
    .await;
    let mut children = Vec::new();
    for answer in answers {
        children.push(answer??.refresh);
    }
    children.dedup();
    assert_eq!(children.len(), 1, "one live branch");
    assert!(client.refresh(&children[0]).await?.session().is_ok(), "and it is alive");
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_costs_nothing() -> Result<()> {
    let (_world, client, token) = signed_in().await?;
    let lost = client.refresh(&token).await?.session()?;
    let again = client.refresh(&token).await?.session()?;
    assert_eq!(again.refresh, lost.refresh, "the same child");
    assert!(client.refresh(&again.refresh).await?.session().is_ok());
    Ok(())
}

#[tokio::test]
async fn a_parent_whose_child_was_presented_ends_the_family() -> Result<()> {
    let (_world, client, first) = signed_in().await?;
    let second = client.refresh(&first).await?.session()?;
    let third = client.refresh(&second.refresh).await?.session()?;
    assert_eq!(client.refresh(&first).await?.refusal(), (400, "invalid_grant"), "a grand-parent");
    assert_eq!(
        client.refresh(&third.refresh).await?.refusal(),
        (400, "invalid_grant"),
        "the family"
    );
    assert_eq!(client.userinfo(&third.access).await?.status, 401, "its access tokens too");
    Ok(())
}

#[tokio::test]
async fn a_thief_without_the_device_key_gets_nothing_and_ends_nothing() -> Result<()> {
    let (world, client, token) = signed_in().await?;
    let mut thief = NativeClient::new(&world)?;
    thief.key = DeviceKey::draw()?;
    for _ in 0..3 {
        assert_eq!(thief.refresh(&token).await?.refusal().0, 400);
    }
    assert!(client.refresh(&token).await?.session().is_ok(), "the owner notices nothing");
    Ok(())
}

#[tokio::test]
async fn a_forged_token_ends_nothing() -> Result<()> {
    let (_world, client, token) = signed_in().await?;
    let mut forged = token.clone().into_bytes();
    let last = forged.len() - 3;
    forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged)?;
    assert_eq!(client.refresh(&forged).await?.refusal(), (400, "invalid_grant"));
    for nonsense in ["", "kpr_", "kpr_AAAA", "nonsense", &"x".repeat(5000)] {
        assert_eq!(client.refresh(nonsense).await?.status, 400, "{nonsense:.20}");
    }
    assert!(client.refresh(&token).await?.session().is_ok());
    Ok(())
}

#[tokio::test]
async fn revoking_any_generation_ends_the_family() -> Result<()> {
    let (_world, client, first) = signed_in().await?;
    let second = client.refresh(&first).await?.session()?;
    let third = client.refresh(&second.refresh).await?.session()?;
    assert_eq!(client.revoke(&first).await?.status, 200, "RFC 7009 §2.2");
    assert_eq!(client.refresh(&third.refresh).await?.refusal(), (400, "invalid_grant"));
    assert_eq!(client.revoke("nonsense").await?.status, 200, "an unknown token is no error");
    Ok(())
}

#[tokio::test]
async fn a_new_sign_in_of_the_same_device_and_person_ends_the_old_family() -> Result<()> {
    let (_world, client, old) = signed_in().await?;
    let new = client.sign_in(Person::ADA).await?;
    assert_eq!(client.refresh(&old).await?.refusal(), (400, "invalid_grant"));
    assert!(client.refresh(&new.refresh).await?.session().is_ok());
    let grace = client.sign_in(Person::GRACE).await?;
    assert!(
        client.refresh(&grace.refresh).await?.session().is_ok(),
        "another person is another family"
    );
    Ok(())
}

/// kill -9 in a stream of refreshes: what was acknowledged is there, and no session ends.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_kills_end_no_session() -> Result<()> {
    const CYCLES: usize = 200;
    let (mut world, client, mut token) = signed_in().await?;
    let (mut acknowledged, mut lost) = (0_u32, 0_u32);
    for cycle in 0..CYCLES {
        let stream = {
            let (client, mut token) = (client.clone(), token.clone());
            tokio::spawn(async move {
                let mut rotations = 0;
                // An honest client: it keeps the newest token that it was given, and asks again
                // with it.
                while let Ok(answer) = client.refresh(&token).await {
                    match answer.session() {
                        Ok(session) => {
                            token = session.refresh;
                            rotations += 1;
                        }
                        Err(refusal) => return (token, rotations, Some(refusal.to_string())),
                    }
                }
                (token, rotations, None)
            })
        };
        // Not a wait for readiness but the fault itself: the moment of the kill walks through the
        // rotation.
        tokio::time::sleep(std::time::Duration::from_micros(3_000 + 137 * cycle as u64)).await;
        world.companion.kill();
        let (newest, rotations, refusal) = stream.await?;
        assert_eq!(refusal, None, "cycle {cycle}: a terminal answer");
        acknowledged += rotations;
        world.start_companion_again()?;
        let after = client.refresh(&newest).await?;
        let session =
            after.session().map_err(|e| e.context(format!("cycle {cycle}: signed out")))?;
        lost += u32::from(rotations == 0);
        token = session.refresh;
    }
    println!(
        "{CYCLES} kills, {acknowledged} acknowledged rotations, {lost} cycles without one, \
         0 signed out"
    );
    assert!(acknowledged > 0, "the stream must have run");
    Ok(())
}
