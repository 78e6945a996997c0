//! The authorization code: order of checks, one success, one upstream call (RFC 6749 §4.1, RFC 9700
//! §4.5). Real processes.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::future::join_all;
use keyport_tests::native::{self, NativeClient, REDIRECT_URI};
use keyport_tests::{Jar, Person, World};
use tokio::sync::Barrier;
use url::Url;

fn parameter(callback: &str, name: &str) -> Result<String> {
    let url = Url::parse(callback)?;
    let found = url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
    found.with_context(|| format!("no {name}"))
}

async fn with_code() -> Result<(World, Arc<NativeClient>, String, String)> {
    let world = World::start()?;
    let client = Arc::new(NativeClient::new(&world)?);
    let pushed = client.push(&[]).await?;
    let callback =
        Person::ADA.sign_in(&mut Jar::new()?.stopping_at(REDIRECT_URI), &pushed.url).await?;
    let code = parameter(&callback, "code")?;
    Ok((world, client, code, pushed.verifier))
}

#[tokio::test]
async fn a_wrong_device_key_changes_nothing() -> Result<()> {
    let (world, client, code, verifier) = with_code().await?;
    let thief = NativeClient::new(&world)?;
    assert_eq!(thief.redeem_code(&code, &verifier).await?.refusal(), (400, "invalid_grant"));
    assert_eq!(thief.redeem_code(&code, "wrong").await?.status, 400);
    assert!(client.redeem_code(&code, &verifier).await?.session().is_ok(), "the code is not burnt");
    Ok(())
}

#[tokio::test]
async fn a_wrong_verifier_burns_the_code() -> Result<()> {
    let (_world, client, code, verifier) = with_code().await?;
    let wrong = native::random(32)?;
    assert_eq!(client.redeem_code(&code, &wrong).await?.refusal(), (400, "invalid_grant"));
    assert_eq!(client.redeem_code(&code, &verifier).await?.refusal(), (400, "invalid_grant"));
    Ok(())
}

#[tokio::test]
async fn a_replay_revokes_what_the_code_gave() -> Result<()> {
    let (_world, client, code, verifier) = with_code().await?;
    let session = client.redeem_code(&code, &verifier).await?.session()?;
    assert_eq!(client.redeem_code(&code, &verifier).await?.refusal(), (400, "invalid_grant"));
    assert_eq!(client.refresh(&session.refresh).await?.refusal(), (400, "invalid_grant"));
    assert_eq!(client.userinfo(&session.access).await?.status, 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_redemptions_of_one_code_succeed_once() -> Result<()> {
    let (_world, client, code, verifier) = with_code().await?;
    let together = Arc::new(Barrier::new(64));
    let answers = join_all((0..64).map(|_| {
        let (client, together) = (client.clone(), together.clone());
        let (code, verifier) = (code.clone(), verifier.clone());
        tokio::spawn(async move {
            together.wait().await;
            client.redeem_code(&code, &verifier).await
        })
    }))
    .await;
    let mut granted = 0;
    for answer in answers {
        let answer = answer??;
        match answer.status.as_u16() {
            200 => granted += 1,
            _ => assert_eq!(answer.refusal(), (400, "invalid_grant")),
        }
    }
    assert_eq!(granted, 1);
    Ok(())
}

/// The provider's answer, sent 64 times at once by the browser that owns it.
#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_callbacks_make_one_upstream_call() -> Result<()> {
    let world = World::start()?;
    let client = NativeClient::new(&world)?;
    let pushed = client.push(&[]).await?;
    let callback_address = format!("{}/callback", world.issuer());
    let mut browser = Jar::new()?.stopping_at(&callback_address);
    let page = Person::ADA.sign_in_at_provider(&mut browser, &pushed.url).await?;
    let callback = page.leaves_to.context("the provider's answer")?;
    let cookies = browser.cookie_header(world.companion_url());
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let together = Arc::new(Barrier::new(64));
    let answers = join_all((0..64).map(|_| {
        let request = http.get(&callback).header("cookie", &cookies);
        let together = together.clone();
        tokio::spawn(async move {
            together.wait().await;
            request.send().await
        })
    }))
    .await;
    // One is led on; the others are told nothing, for another program may have brought them.
    let mut led_on = 0;
    for answer in answers {
        let answer = answer??;
        let location = answer.headers()["location"].to_str()?;
        assert!(location.starts_with("/handoff/") || location.contains("/already_used/"));
        led_on += usize::from(location.starts_with("/handoff/"));
    }
    assert_eq!(led_on, 1);
    assert_eq!(token_calls(&world).await?, 1, "one upstream call");
    Ok(())
}

async fn token_calls(world: &World) -> Result<u64> {
    let url = world.emulator_url().join("_emulator/calls")?;
    let counted: serde_json::Value = reqwest::get(url).await?.json().await?;
    // One call is the companion's own check of its settings, as it started.
    Ok(counted["calls"]["POST /sso/token"].as_u64().context("a count")? - 1)
}
