//! Who may enter: default deny, at the pushed request and again on the profile that comes back.
//! Real processes.

use anyhow::Result;
use keyport_tests::native::{NativeClient, REDIRECT_URI};
use keyport_tests::world::{ACME, ACME_CONNECTION, Settings};
use keyport_tests::{Jar, Person, World, wait};
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
    let closed = World::with()
        .companion("KEYPORT_ORGANIZATIONS", "org_01OTHER")
        .companion("KEYPORT_DEFAULT_ORGANIZATION", "org_01OTHER");
    refused_at_par(closed, &[("connection", ACME_CONNECTION)], "connection_not_allowed").await
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
async fn a_profile_of_another_organization_is_refused() -> Result<()> {
    for swapped in [
        json!({ "organization_id": "org_01SOMEBODYELSE" }),
        json!({ "connection_id": "conn_01SOMEBODYELSE", "organization_id": "org_01SOMEBODYELSE" }),
        json!({ "organization_id": null }),
    ] {
        let world = World::start()?;
        let fault = json!({
            "route": "POST /sso/token", "kind": "swap_profile", "profile": swapped, "times": 1,
        });
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

/// The emulator with a social provider, whose accounts belong to no organization.
fn with_google() -> Settings {
    let seed = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/seed.json");
    World::with()
        .emulator_argument("--seed")
        .emulator_argument(seed)
        .companion("KEYPORT_PROVIDERS", "GoogleOAuth")
}

#[tokio::test]
async fn an_account_of_no_organization_enters_only_by_the_setting_that_says_so() -> Result<()> {
    let hint = [("provider", "GoogleOAuth")];
    let grace = Person { email: "grace@globex.test", password: "keyport" };

    let world = with_google().start()?;
    let client = NativeClient::new(&world)?;
    let pushed = client.push(&hint).await?;
    let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
    let page = grace.sign_in_at_provider(&mut browser, &pushed.url).await?;
    assert!(!page.has_button("continue") && page.leaves_to.is_none(), "{}", page.text());
    assert!(page.text().contains("belongs to no organization"), "{}", page.text());
    let state = client.attempt(Method::GET, &pushed.attempt, None).await?;
    assert_eq!((state.text("state"), state.text("problem")), ("failed", "without_organization"));
    let log = world.companion.log();
    assert!(log.contains("an account of no organization is refused"), "said at start: {log}");

    let allowed = with_google().companion("KEYPORT_ALLOW_PEOPLE_WITHOUT_ORGANIZATION", "true");
    let world = allowed.start()?;
    let client = NativeClient::new(&world)?;
    let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
    client.sign_in_with(&mut browser, grace, &hint).await?;
    let log = world.companion.log();
    assert!(log.contains("ANY account of GoogleOAuth may sign in"), "said at start: {log}");

    let alone = with_google()
        .companion_without("KEYPORT_ORGANIZATIONS")
        .companion_without("KEYPORT_DEFAULT_ORGANIZATION");
    refused_at_par(alone, &hint, "without_organization").await
}

/// Orders that the next profile has these members.
async fn swap_profile(world: &World, members: serde_json::Value) -> Result<()> {
    let fault = json!({
        "route": "POST /sso/token", "kind": "swap_profile", "profile": members, "times": 1,
    });
    let faults = world.emulator_url().join("_emulator/faults")?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    assert_eq!(http.post(faults).json(&fault).send().await?.status(), 204);
    Ok(())
}

#[tokio::test]
async fn people_who_come_without_an_id_of_their_own_do_not_become_one_user() -> Result<()> {
    let world = World::start()?;
    for person in [Person::ADA, Person::GRACE] {
        swap_profile(&world, json!({ "idp_id": "" })).await?;
        let client = NativeClient::new(&world)?;
        let pushed = client.push(&[]).await?;
        let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
        let page = person.sign_in_at_provider(&mut browser, &pushed.url).await?;
        assert!(!page.has_button("continue"), "{}: {}", person.email, page.text());
        let state = client.attempt(Method::GET, &pushed.attempt, None).await?;
        assert_eq!((state.text("state"), state.text("problem")), ("failed", "provider_failed"));
    }
    let log = world.companion.log();
    assert!(log.contains("the provider's profile cannot be used: idp_id is empty"), "{log}");
    Ok(())
}

/// Three devices that push made-up domains for as long as this future runs.
async fn flood_of_domains(world: &World) -> Result<()> {
    let one = async |who: char| {
        let client = NativeClient::new(world)?;
        for number in 0_u64.. {
            let email = format!("eve@made-up-{who}-{number}.test");
            client.try_push(&[("login_hint", &email)]).await?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(one('a'), one('b'), one('c')).map(drop)
}

#[tokio::test]
async fn made_up_domains_and_a_slow_look_up_do_not_hold_others_up() -> Result<()> {
    let world = World::start()?;
    let faults = world.emulator_url().join("_emulator/faults")?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let hold = json!({ "route": "GET /organizations/{id}", "kind": "hold", "times": 100 });
    assert_eq!(http.post(faults.clone()).json(&hold).send().await?.status(), 204);

    let sign_in = async || {
        let client = NativeClient::new(&world)?;
        let pushed = client.push(&[("connection", ACME_CONNECTION)]).await?;
        let mut browser = Jar::new()?.stopping_at(REDIRECT_URI);
        let callback = Person::ADA.sign_in(&mut browser, &pushed.url).await?;
        let answer = client.redeem(&pushed, &callback).await?;
        anyhow::Ok(answer.body["keyport_account"]["organization"].clone())
    };
    let people = async {
        for _ in 0..5 {
            let organization = sign_in().await?;
            assert_eq!(organization, json!({ "id": ACME, "name": null }), "its name is late");
        }
        anyhow::Ok(())
    };
    tokio::select! {
        done = people => done?,
        flood = flood_of_domains(&world) => flood?,
    }
    let log = world.companion.log();
    assert!(log.contains("the organization's name is late"), "{log}");
    assert!(log.contains("more look-ups than the provider should see"), "there was a flood");

    // The answer that came late is there for the next person.
    assert_eq!(http.delete(faults).send().await?.status(), 204);
    let named = json!({ "id": ACME, "name": "Acme" });
    wait::until_async("the name of the organization", wait::WAIT_TIMEOUT, async || {
        Ok((sign_in().await? == named).then_some(()))
    })
    .await
}
