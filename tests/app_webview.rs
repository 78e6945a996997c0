//! The page of the window as an attacker's ground: whatever runs in it can ask for what a person
//! can ask for, and sees no secret.

#[path = "app/fixture.rs"]
mod fixture;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use keyport_tests::desktop::App;
use keyport_tests::wait;
use serde_json::{Value, json};

use fixture::{AppFixture, CHANNEL};

const HOSTILE: &str = include_str!("app/hostile.js");

/// Events that Tauri and its plugins are known to send, and the ones that would be worth the most.
const EVENTS: [&str; 8] = [
    "deep-link://new-url",
    "single-instance",
    "tauri://focus",
    "tauri://resize",
    "tauri://drag-drop",
    "tauri://webview-created",
    "tauri://theme-changed",
    "*",
];

/// Every command that Tauri, its core plugins and ours know in this build, as the build itself
/// lists them.
fn every_command() -> Result<BTreeSet<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gen/schemas/acl-manifests.json");
    let text = std::fs::read_to_string(&file).context("build keyport-desktop first")?;
    let manifests: Value = serde_json::from_str(&text)?;
    let mut commands = BTreeSet::from([
        "plugin:deep-link|get_current".to_owned(),
        "plugin:deep-link|is_registered".to_owned(),
        "plugin:clipboard-manager|read_text".to_owned(),
        "plugin:fs|read_text_file".to_owned(),
        "plugin:shell|execute".to_owned(),
        "plugin:http|fetch".to_owned(),
    ]);
    for (plugin, manifest) in manifests.as_object().context("plugins by name")? {
        let Some(plugin) =
            plugin.strip_prefix("core:").or((plugin == "opener").then_some("opener"))
        else {
            continue;
        };
        for permission in manifest["permissions"].as_object().context("permissions")?.values() {
            for command in permission["commands"]["allow"].as_array().into_iter().flatten() {
                commands
                    .insert(format!("plugin:{plugin}|{}", command.as_str().unwrap_or_default()));
            }
        }
    }
    ensure!(commands.len() > 100, "the list must be read: {}", commands.len());
    Ok(commands)
}

async fn run(app: &App, script: &str, arguments: Vec<Value>) -> Result<Value> {
    Ok(app.page.client.execute(script, arguments).await?)
}

async fn awaits_drawing(app: &App, screen: &str) -> Result<()> {
    let what = format!("a drawing of {screen}");
    wait::until_async(&what, wait::WAIT_TIMEOUT, async || {
        let script = "return window.latest && window.latest.view.screen";
        Ok((run(app, script, Vec::new()).await? == json!(screen)).then_some(()))
    })
    .await
}

/// Every string of some length in the keychain: tokens, keys, states, verifiers, in whatever form
/// they are kept.
fn secrets_in_keychain(fixture: &AppFixture) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for (name, item) in fixture.session.secrets(CHANNEL)? {
        ensure!(!item.is_empty(), "{name} holds something");
        let words = item.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        found.extend(words.filter(|word| word.len() >= 32).map(str::to_owned));
    }
    Ok(found)
}

#[tokio::test]
async fn a_script_in_the_webview_sees_no_secret() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let commands: Vec<String> = every_command()?.into_iter().collect();
    run(&app, HOSTILE, vec![json!(EVENTS), json!(commands)]).await?;
    let refused = wait::until_async("answers to every command", wait::WAIT_TIMEOUT, async || {
        let script = "return [window.refused.length, window.answered]";
        let now = run(&app, script, Vec::new()).await?;
        let all = now[0].as_u64() == Some((EVENTS.len() + commands.len()) as u64);
        Ok((all && now[1] == json!(["attach"])).then_some(()))
    });
    if let Err(error) = refused.await {
        let answered = run(&app, "return [window.refused.length, window.answered]", Vec::new());
        return Err(error.context(answered.await?.to_string()));
    }

    // The script signs Ada in, with the one thing that it can ask for: what the person can ask for.
    awaits_drawing(&app, "signed_out").await?;
    let ask = "window.ask('intent', {intent: {name: arguments[0], email: arguments[1]}})";
    run(&app, ask, vec![json!("sign-in"), json!("ada@acme.test")]).await?;
    awaits_drawing(&app, "waiting").await?;
    let authorize = fixture.opened_after(0)?;
    let mut secrets = secrets_in_keychain(&fixture)?;
    for intent in ["open-again", "copy-link"] {
        run(&app, ask, vec![json!(intent), Value::Null]).await?;
    }
    let link = fixture.callback(&authorize).await?;
    fixture.session.xdg_open(&link)?;
    awaits_drawing(&app, "signed_in").await?;

    secrets.extend(secrets_in_keychain(&fixture)?);
    let parts = |url: &str| -> Result<Vec<String>> {
        let url: url::Url = url.parse()?;
        let values = url.query_pairs().map(|(_, value)| value.into_owned());
        Ok(values.filter(|value| value.len() >= 20 && !value.starts_with("http")).collect())
    };
    secrets.extend(parts(&authorize)?);
    secrets.extend(parts(&link)?);
    secrets.extend([authorize.clone(), link.clone()]);
    let heard = run(&app, "return window.heard", Vec::new()).await?.to_string();
    ensure!(heard.contains("Ada Lovelace"), "the script has heard what a page may know");
    // Names of the account, which are no secrets though they are as long as one.
    let account = run(&app, "return window.latest.view.account", Vec::new()).await?;
    secrets.retain(|word| account["id"] != json!(word) && account["subject"] != json!(word));
    ensure!(secrets.len() >= 8, "there must be secrets to look for: {}", secrets.len());
    for secret in &secrets {
        assert!(
            !heard.contains(secret.as_str()),
            "the page has seen a secret of {} bytes",
            secret.len()
        );
    }
    for shape in ["kpr_", "eyJ", "request_uri", "code=", "state=", "/oauth/", ":/callback"] {
        assert!(!heard.contains(shape), "the page has seen {shape:?}");
    }
    app.close().await
}

#[tokio::test]
async fn the_page_cannot_go_anywhere_else_or_open_a_window() -> Result<()> {
    let fixture = AppFixture::start()?;
    let app = fixture.app(&[]).await?;
    let home = app.page.client.current_url().await?;
    for elsewhere in [
        format!("{}/health", fixture.world.issuer()),
        "https://evil.test/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "data:text/html,x".to_owned(),
    ] {
        let leave = "location.href = arguments[0]; window.open(arguments[0]);
            fetch(arguments[0]).then(() => document.body.dataset.left = 1, () => {});";
        run(&app, leave, vec![json!(elsewhere)]).await?;
    }
    // What had been asked before is through once this one is answered.
    run(&app, "window.__TAURI__.core.invoke('intent', {intent: {name: 'dismiss'}})", Vec::new())
        .await?;
    assert_eq!(app.page.client.current_url().await?, home);
    assert_eq!(app.screen().await?, "signed_out");
    assert_eq!(app.page.client.windows().await?.len(), 1);
    assert!(!app.page.has("[data-left]").await, "nothing is fetched from elsewhere");
    app.close().await
}
