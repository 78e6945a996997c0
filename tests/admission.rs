//! Who may enter: default deny, at the pushed request and again on the profile that comes back. Real processes.

use anyhow::Result;
use keyport_tests::native::{NativeClient, REDIRECT_URI};
use keyport_tests::world::{ACME, ACME_CONNECTION, Settings};
use keyport_tests::{Jar, Person, World};
use reqwest::Method;
use serde_json::json;

async fn refused_at_par(settings: Settings, hints: &[(&str, &str)], problem: &str) -> Result<()> {
    let world = settings.start()?;
    let (_, answer) = NativeClient::new(&world)?.try_push(hints).await?;
    assert!(answer.status.is_client_error(), "{hints:?}: {}", answer.body);
    assert_eq!(answer.text("keyport_problem"), problem, "{hints:?}: {}", answer.body);
    Ok(())
}

#[tokio::test]
async fn what_is_not_admitted_is_refused_before_a_browser_opens() -> Result<()> {
    let foreign = [("organization", "org_01SOMEBODYELSE")];
    refused_at_par(World::with(), &foreign, "organization_not_allowed").await?;
    refused_at_par(World::with(), &[("provider", "GoogleOAuth")], "provider_not_allowed").await?;
    refused_at_par(World::with(), &[("login_hint", "ada@elsewhere.test")], "domain_unknown")
        .await?;
    let bare = World::with().companion_without("KEYPORT_DEFAULT_ORGANIZATION");
    refused_at_par(bare, &[], "no_selector").await?;
    let nobody = World::with()
        .companion("KEYPORT_ORGANIZATIONS", "org_01OTHER")
        .companion("KEYPORT_DEFAULT_ORGANIZATION", "org_01OTHER");
    refused_at_par(nobody, &[("connection", ACME_CONNECTION)], "connection_not_allowed").await
}

#[tokio::test]
async fn two_selectors_are_one_too_many() -> Result<()> {
    let world = World::start()?;
    let both = [("organization", ACME), ("connection", ACME_CONNECTION)];
    let (_, answer) = NativeClient::new(&world)?.try_push(&both).await?;
    assert_eq!(answer.refusal(), (400, "invalid_request"));
    Ok(())
}

#[tokio::test]
async fn each_selector_that_is_admitted_signs_in() -> Result<()> {
    let world = World::start()?;
    for hint in
        [("organization", ACME), ("connection", ACME_CONNECTION), ("login_hint", "ada@acme.test")]
    {
        let client = NativeClient::new(&world)?;
        let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
        client.sign_in_with(&mut browser, Person::ADA, &[hint]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_profile_of_another_organization_is_refused_with_its_own_words() -> Result<()> {
    for swapped in [
        json!({ "organization_id": "org_01SOMEBODYELSE" }),
        json!({ "connection_id": "conn_01SOMEBODYELSE", "organization_id": "org_01SOMEBODYELSE" }),
        json!({ "organization_id": null }),
    ] {
        let world = World::start()?;
        let fault = json!({ "route": "POST /sso/token", "kind": "swap_profile", "profile": swapped, "times": 1 });
        let ordered = reqwest::Client::new()
            .post(world.emulator_url().join("_emulator/faults")?)
            .json(&fault)
            .send()
            .await?;
        assert_eq!(ordered.status(), 204, "{}", ordered.text().await?);
        let client = NativeClient::new(&world)?;
        let pushed = client.push(&[]).await?;
        let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
        let page = Person::ADA.sign_in_at_provider(&mut browser, &pushed.url).await?;
        assert!(!page.has_button("continue") && page.leaves_to.is_none(), "{}", page.text());
        let state = client.attempt(Method::GET, &pushed.attempt, None).await?;
        assert_eq!(state.text("state"), "failed");
        assert_eq!(state.text("problem"), "wrong_organization", "{swapped}: {}", state.body);
    }
    Ok(())
}

/// Every error that WorkOS documents reaches the page and the device as our own words.
#[tokio::test]
async fn each_of_the_fourteen_provider_errors_has_its_own_problem() -> Result<()> {
    let world = World::start()?;
    for (error, problem) in [
        ("access_denied", "access_denied"),
        ("ambiguous_connection_selector", "ambiguous_connection"),
        ("connection_domain_invalid", "domain_unknown"),
        ("connection_invalid", "connection_unknown"),
        ("connection_strategy_invalid", "setup_wrong"),
        ("connection_unlinked", "connection_off"),
        ("domain_connection_selector_not_allowed", "setup_wrong"),
        ("idp_initiated_sso_disabled", "connection_off"),
        ("invalid_connection_selector", "setup_wrong"),
        ("organization_invalid", "organization_unknown"),
        ("oauth_failed", "provider_failed"),
        ("profile_not_allowed_outside_organization", "outside_organization"),
        ("server_error", "provider_failed"),
        ("signin_consent_denied", "consent_denied"),
    ] {
        let client = NativeClient::new(&world)?;
        let pushed = client.push(&[]).await?;
        let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
        let email = format!("error+{error}@acme.test");
        let person = Person { email: &email, password: "keyport" };
        let page = person.sign_in_at_provider(&mut browser, &pushed.url).await?;
        assert!(page.leaves_to.is_none(), "{error}: shown, not bounced");
        let state = client.attempt(Method::GET, &pushed.attempt, None).await?;
        assert_eq!((state.text("state"), state.text("problem")), ("failed", problem), "{error}");
    }
    Ok(())
}
