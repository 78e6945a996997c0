//! What a hostile page, browser or provider can try at the companion, and what stays as it was (RFC
//! 9700 §2, §4). Real processes.

use anyhow::{Context, Result};
use keyport_tests::native::{NativeClient, REDIRECT_URI};
use keyport_tests::{Jar, Page, Person, World};
use reqwest::Method;
use serde_json::{Value, json};

struct Begun {
    world: World,
    client: NativeClient,
    browser: Jar,
    pushed: keyport_tests::native::Pushed,
    /// The provider's answer, held in hand.
    callback: String,
}

/// A sign-in up to the provider's answer, which has not reached the companion yet.
async fn begun() -> Result<Begun> {
    let world = World::start()?;
    let client = NativeClient::new(&world)?;
    let pushed = client.push(&[]).await?;
    let mut browser = Jar::new()?.stopping_at(&format!("{}/callback", world.issuer()));
    let page = Person::ADA.sign_in_at_provider(&mut browser, &pushed.url).await?;
    let callback = page.leaves_to.context("the provider's answer")?;
    Ok(Begun { world, client, browser, pushed, callback })
}

impl Begun {
    /// The owner's browser takes the answer after all, and the sign-in completes.
    async fn still_completes(mut self) -> Result<()> {
        let page = self.browser.open(&self.callback).await?;
        let callback = Person::come_back(&mut self.browser, page).await?;
        self.client.redeem(&self.pushed, &callback).await?.session()?;
        Ok(())
    }

    async fn upstream_exchanges(&self) -> Result<u64> {
        let url = self.world.emulator_url().join("_emulator/calls")?;
        let counted: Value = reqwest::get(url).await?.json().await?;
        // One call is the companion's own check of its settings, as it started.
        Ok(counted["calls"]["POST /sso/token"].as_u64().context("a count")? - 1)
    }
}

fn refused(page: &Page) {
    assert!(page.status.is_client_error(), "{} {}", page.status, page.text());
    assert!(page.leaves_to.is_none() && page.refresh().is_none(), "errors are shown, not bounced");
}

#[tokio::test]
async fn a_callback_in_another_browser_is_refused_and_the_code_is_not_used() -> Result<()> {
    let begun = begun().await?;
    let mut victim = Jar::new()?.stopping_at(REDIRECT_URI);
    refused(&victim.open(&begun.callback).await?);
    assert_eq!(begun.upstream_exchanges().await?, 0, "the code was not sent");
    begun.still_completes().await
}

#[tokio::test]
async fn a_callback_with_a_foreign_state_is_refused_and_the_code_is_not_used() -> Result<()> {
    let mut begun = begun().await?;
    let code = begun.callback.split('?').nth(1).context("a query")?.to_owned();
    let code = code.split('&').find(|p| p.starts_with("code=")).context("a code")?.to_owned();
    let address = format!("{}/callback", begun.world.issuer());
    for state in ["", "&state=", "&state=x", "&state=a&state=b", "&error=access_denied"] {
        refused(&begun.browser.open(&format!("{address}?{code}{state}")).await?);
    }
    assert_eq!(begun.upstream_exchanges().await?, 0);
    begun.still_completes().await
}

#[tokio::test]
async fn an_error_without_our_state_ends_nothing() -> Result<()> {
    let mut begun = begun().await?;
    let address = format!("{}/callback?error=access_denied&state=forged", begun.world.issuer());
    refused(&begun.browser.open(&address).await?);
    let state = begun.client.attempt(Method::GET, &begun.pushed.attempt, None).await?;
    assert_eq!(state.text("state"), "waiting", "the attempt is alive");
    begun.still_completes().await
}

#[tokio::test]
async fn a_sign_in_that_the_provider_started_is_not_redeemed() -> Result<()> {
    let begun = begun().await?;
    let redirect = format!("{}/callback", begun.world.issuer());
    let mut url = begun.world.emulator_url().join("idp-initiated")?;
    url.query_pairs_mut()
        .append_pair("connection", "conn_01EMULATOROKTA")
        .append_pair("redirect_uri", &redirect);
    let mut browser = Jar::new()?;
    let page = Person::ADA.sign_in_at_provider(&mut browser, url.as_str()).await?;
    assert!(
        page.url.as_str().starts_with(begun.world.issuer()),
        "it came to the companion: {}",
        page.url
    );
    refused(&page);
    assert_eq!(begun.upstream_exchanges().await?, 0, "its code was not sent");
    begun.still_completes().await
}

#[tokio::test]
async fn the_link_can_be_opened_again_and_the_first_answer_wins() -> Result<()> {
    let mut begun = begun().await?;
    let mut other = Jar::new()?.stopping_at(&format!("{}/callback", begun.world.issuer()));
    let second = Person::ADA.sign_in_at_provider(&mut other, &begun.pushed.url).await?;
    let second = second.leaves_to.context("another branch's answer")?;
    let page = begun.browser.open(&begun.callback).await?;
    let late = other.open(&second).await?;
    assert!(!late.has_button("continue"), "the second branch comes too late: {}", late.text());
    let callback = Person::come_back(&mut begun.browser, page).await?;
    begun.client.redeem(&begun.pushed, &callback).await?.session()?;
    Ok(())
}

#[tokio::test]
async fn a_prefetch_uses_nothing_up() -> Result<()> {
    let begun = begun().await?;
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    let cookies = begun.browser.cookie_header(begun.world.companion_url());
    for url in [&begun.callback, &begun.pushed.url] {
        let request = http.get(url).header("sec-purpose", "prefetch").header("cookie", &cookies);
        assert!(request.send().await?.status().is_client_error());
    }
    assert_eq!(begun.upstream_exchanges().await?, 0);
    begun.still_completes().await
}

#[tokio::test]
async fn not_me_cancels_the_attempt_for_good() -> Result<()> {
    let mut begun = begun().await?;
    let page = begun.browser.open(&begun.callback).await?;
    assert!(page.has_button("continue"), "an unknown device is asked about: {}", page.text());
    begun.browser.submit(&page, Some("not_me"), &[]).await?;
    let state = begun.client.attempt(Method::GET, &begun.pushed.attempt, None).await?;
    assert_eq!((state.text("state"), state.text("problem")), ("cancelled", "not_me"));
    let again = begun.browser.submit(&page, Some("continue"), &[]).await?;
    assert!(again.refresh().is_none() && again.leaves_to.is_none(), "no code after that");
    Ok(())
}

#[tokio::test]
async fn the_number_reaches_the_device_that_asked_and_no_other() -> Result<()> {
    let mut begun = begun().await?;
    let page = begun.browser.open(&begun.callback).await?;
    let mine = begun.client.attempt(Method::GET, &begun.pushed.attempt, None).await?;
    assert_eq!(mine.text("state"), "confirm");
    assert_eq!(mine.text("number").len(), 2);
    assert!(page.text().contains(mine.text("number")), "the page shows the same number");
    let other_device = NativeClient::new(&begun.world)?;
    let theirs = other_device.attempt(Method::GET, &begun.pushed.attempt, None).await?;
    assert_eq!(theirs.text("state"), "waiting", "as one that was never touched");
    assert_eq!(theirs.body["number"], Value::Null);
    other_device.attempt(Method::DELETE, &begun.pushed.attempt, None).await?;
    let callback = Person::come_back(&mut begun.browser, page).await?;
    assert!(
        begun.client.redeem(&begun.pushed, &callback).await?.session().is_ok(),
        "and cannot cancel it"
    );
    Ok(())
}

#[tokio::test]
async fn the_page_says_signed_in_only_after_the_device_said_so() -> Result<()> {
    let mut begun = begun().await?;
    let page = begun.browser.open(&begun.callback).await?;
    let handoff = page.url.clone();
    let callback = Person::come_back(&mut begun.browser, page).await?;
    begun.client.redeem(&begun.pushed, &callback).await?.session()?;
    let before = begun.browser.open(handoff.as_str()).await?.text();
    assert!(!before.contains("ada@acme.test"), "not yet: {before}");
    let outcome = json!({ "outcome": "stored" });
    let told = begun.client.attempt(Method::POST, &begun.pushed.attempt, Some(outcome)).await?;
    assert_eq!(told.status, 204);
    let after = begun.browser.open(handoff.as_str()).await?.text();
    assert!(after.contains("ada@acme.test"), "{after}");
    Ok(())
}

#[tokio::test]
async fn a_known_device_is_not_asked_again() -> Result<()> {
    let world = World::start()?;
    let client = NativeClient::new(&world)?;
    client.sign_in(Person::ADA).await?;
    let pushed = client.push(&[]).await?;
    let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
    let page = Person::ADA.sign_in_at_provider(&mut browser, &pushed.url).await?;
    assert!(!page.has_button("continue"), "{}", page.text());
    let callback = Person::come_back(&mut browser, page).await?;
    assert!(client.redeem(&pushed, &callback).await?.session().is_ok());
    Ok(())
}

#[tokio::test]
async fn a_cancelled_attempt_gives_no_session() -> Result<()> {
    let mut begun = begun().await?;
    let page = begun.browser.open(&begun.callback).await?;
    let callback = Person::come_back(&mut begun.browser, page).await?;
    begun.client.attempt(Method::DELETE, &begun.pushed.attempt, None).await?;
    let answer = begun.client.redeem(&begun.pushed, &callback).await?;
    assert_eq!(answer.refusal(), (400, "invalid_grant"));
    Ok(())
}
