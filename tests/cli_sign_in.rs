//! `keyport sign-in` from outside: our real programs, a browser without a screen, over loopback.
//! What it prints and how it ends is what scripts rely on.

mod cli_terminal;

use std::os::unix::fs::PermissionsExt;

use anyhow::Result;
use cli_terminal::short_lived_companion::short_lived_companion;
use cli_terminal::{Terminal, ada_signs_in, live_sessions};
use keyport_tests::{Jar, Person, World, process, wait};
use serde_json::json;

fn sign_in<'a>(world: &'a World, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec![
        "sign-in",
        "--json",
        "--no-browser",
        "--store",
        "memory",
        "--companion",
        world.issuer(),
    ];
    arguments.extend(more);
    arguments
}

#[tokio::test]
async fn a_script_signs_in_over_loopback_and_hears_each_step() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let mut keyport = terminal.start(&sign_in(&world, &[]))?;
    let link = keyport.authorization_url()?;
    let mut browser = Jar::new()?;
    let page = Person::ADA.sign_in_at_provider(&mut browser, &link).await?;
    let confirm = keyport.event("confirm")?;
    let number = confirm["number"].as_str().unwrap_or_default();
    assert_eq!(number.len(), 2);
    assert!(page.text().contains(number), "{number} in {}", page.text());

    let callback = Person::come_back(&mut browser, page).await?;
    let last = browser.open(&callback).await?;
    let signed_in = keyport.event("signed_in")?;
    assert_eq!(signed_in["email"], "ada@acme.test");
    assert_eq!(signed_in["name"], "Ada Lovelace");
    assert_eq!(signed_in["organization"], json!({"id": "org_01EMULATORACME", "name": "Acme"}));
    assert_eq!(signed_in["connection"], json!({"id": "conn_01EMULATOROKTA", "type": "OktaSAML"}));
    assert_eq!(signed_in["stored"], "memory");
    assert_eq!(keyport.ended()?, 0);
    assert_eq!(keyport.process.log(), "", "a program is told events, not words");

    // The code left the address bar, and the session in memory is over with the process.
    assert!(last.url.path().starts_with("/handoff/"), "{}", last.url);
    assert_eq!(last.url.query(), None);
    assert_eq!(terminal.files()?, Vec::<std::path::PathBuf>::new());
    Ok(())
}

#[tokio::test]
async fn a_person_reads_words_and_the_result_is_on_standard_output() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let mut keyport = terminal.start(&[
        "sign-in",
        "--no-browser",
        "--store",
        "memory",
        "--email",
        "ada@acme.test",
        "--companion",
        world.issuer(),
    ])?;
    let said = keyport.says("/oauth/authorize?")?;
    let link = said.lines().find(|line| line.contains("/oauth/authorize?")).unwrap_or_default();
    let mut browser = Jar::new()?;
    let page = Person::ADA.sign_in_at_provider(&mut browser, link.trim()).await?;
    keyport.says("Is this number in your browser?")?;
    let callback = Person::come_back(&mut browser, page).await?;
    browser.open(&callback).await?;
    let result = keyport.process.line(wait::WAIT_TIMEOUT, |line| Some(line.to_owned()))?;
    assert_eq!(result, "Signed in as Ada Lovelace (ada@acme.test), Acme");
    assert_eq!(keyport.ended()?, 0);
    Ok(())
}

#[tokio::test]
async fn a_refusal_at_the_provider_ends_with_3_and_its_code() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let mut keyport = terminal.start(&sign_in(&world, &[]))?;
    let link = keyport.authorization_url()?;
    let refused = Person { email: "error+access_denied@acme.test", password: "keyport" };
    refused.sign_in_at_provider(&mut Jar::new()?, &link).await?;
    let problem = keyport.event("problem")?;
    assert_eq!(problem["code"], "access_denied");
    assert_eq!(problem["attempt"].as_str().map(str::len), Some(4));
    assert_eq!(keyport.ended()?, 3);
    Ok(())
}

#[test]
fn who_is_not_admitted_is_refused_before_a_link_is_printed() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    for (hint, code) in [
        (["--organization", "org_other"], "organization_not_allowed"),
        (["--provider", "GoogleOAuth"], "provider_not_allowed"),
        (["--email", "ada@elsewhere.test"], "domain_unknown"),
    ] {
        let ended = terminal.run(&sign_in(&world, &hint))?;
        assert_eq!(ended.problem()?, code, "{hint:?}");
        assert_eq!(ended.code, 3, "{hint:?}");
    }
    Ok(())
}

#[test]
fn a_companion_that_is_not_there_is_unreachable() -> Result<()> {
    let terminal = Terminal::new()?;
    let nowhere = format!("http://127.0.0.1:{}", process::free_port()?);
    let arguments = ["sign-in", "--no-browser", "--store", "memory", "--companion", &nowhere];
    let ended = terminal.run(&arguments)?;
    assert_eq!(ended.code, 5, "{}", ended.errors);
    assert!(ended.errors.contains("Problem offline"), "{}", ended.errors);
    assert_eq!(ended.output, "");
    Ok(())
}

#[tokio::test]
async fn ctrl_c_cancels_here_and_in_the_browser() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let mut keyport = terminal.start(&sign_in(&world, &[]))?;
    let link = keyport.authorization_url()?;
    let mut browser = Jar::new()?;
    let page = Person::ADA.sign_in_at_provider(&mut browser, &link).await?;
    keyport.event("confirm")?;
    keyport.interrupt()?;
    assert_eq!(keyport.event("problem")?["code"], "cancelled");
    assert_eq!(keyport.ended()?, 3);

    let page = browser.open(page.url.as_str()).await?;
    assert!(!page.has_button("continue"), "{}", page.text());
    assert!(page.text().to_lowercase().contains("cancelled"), "{}", page.text());
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

#[test]
fn an_unfinished_sign_in_times_out_with_7() -> Result<()> {
    let terminal = Terminal::new()?;
    let issuer = short_lived_companion()?;
    let arguments =
        ["sign-in", "--json", "--no-browser", "--store", "memory", "--companion", &issuer];
    let mut keyport = terminal.start(&arguments)?;
    keyport.authorization_url()?;
    assert_eq!(keyport.event("problem")?["code"], "timed_out");
    assert_eq!(keyport.ended()?, 7);
    Ok(())
}

#[test]
fn without_a_keychain_it_ends_with_6_before_a_browser_opens() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let (browser, opened) = (terminal.home().join("browser"), terminal.home().join("opened"));
    std::fs::write(&browser, format!("#!/bin/sh\necho \"$@\" >{}\n", opened.display()))?;
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755))?;
    for json in [true, false] {
        let mut arguments = vec!["sign-in", "--companion", world.issuer()];
        arguments.extend(json.then_some("--json"));
        let mut command = terminal.command(&arguments)?;
        command.env("BROWSER", &browser);
        let ended = cli_terminal::run(command)?;
        assert_eq!(ended.code, 6, "{}", ended.errors);
        assert!(!opened.exists(), "no browser was opened");
        if json {
            assert_eq!(ended.problem()?, "keychain_absent");
        } else {
            // Not `--store memory`, which ends with this command.
            assert!(!ended.errors.contains("--store memory"), "{}", ended.errors);
            assert!(ended.errors.contains("`keyport run --companion"), "{}", ended.errors);
        }
    }
    assert!(!world.companion.log().contains("/oauth/par"), "and nothing was asked of the service");
    Ok(())
}

#[test]
fn the_browser_is_given_the_link_as_one_argument() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let (browser, opened) = (terminal.home().join("browser"), terminal.home().join("opened"));
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' $# \"$@\" >{0}.tmp && mv {0}.tmp {0}\n",
        opened.display()
    );
    std::fs::write(&browser, script)?;
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755))?;
    let mut command = terminal.command(&[
        "sign-in",
        "--json",
        "--store",
        "memory",
        "--companion",
        world.issuer(),
    ])?;
    command.env("BROWSER", &browser);
    let mut keyport = terminal.spawn(command)?;
    let link = keyport.authorization_url()?;
    let given = wait::until("the browser", wait::WAIT_TIMEOUT, || {
        Ok(std::fs::read_to_string(&opened).ok())
    })?;
    assert_eq!(given, format!("1\n{link}\n"));
    keyport.interrupt()?;
    assert_eq!(keyport.ended()?, 3);
    Ok(())
}

#[test]
fn a_browser_that_does_not_open_costs_nothing_but_a_copy_and_paste() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let arguments = ["sign-in", "--store", "memory", "--companion", world.issuer()];
    let mut keyport = terminal.start(&arguments)?;
    let said = keyport.says("/oauth/authorize?")?;
    assert!(said.contains("No browser could be opened here"), "{said}");
    keyport.interrupt()?;
    assert_eq!(keyport.ended()?, 3);
    Ok(())
}

#[test]
fn what_cannot_be_meant_is_a_usage_error_that_says_why() -> Result<()> {
    let terminal = Terminal::new()?;
    for (arguments, why) in [
        (vec!["sign-in", "--companion", "sign-in.acme.test"], "--companion"),
        (vec!["sign-in", "--companion", "http://sign-in.acme.test"], "https"),
        (vec!["sign-in", "--email", "ada"], "email"),
        (vec!["sign-in", "--organization", "acme"], "org_"),
        (vec!["token", "--dpop", "GET", "not a url"], "URL"),
        (vec!["run"], "CMD"),
    ] {
        let ended = terminal.run(&arguments)?;
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.errors);
        assert!(ended.errors.contains(why), "{arguments:?}: {}", ended.errors);
        assert_eq!(ended.output, "", "{arguments:?}");
    }
    let mut command = terminal.command(&["sign-in", "--no-browser", "--store", "memory"])?;
    command.env("KEYPORT_COMPANION", "nonsense");
    let ended = cli_terminal::run(command)?;
    assert_eq!(ended.code, 2, "{}", ended.errors);
    assert!(ended.errors.contains("KEYPORT_COMPANION"), "{}", ended.errors);
    Ok(())
}

#[tokio::test]
async fn the_setting_of_the_environment_is_used_when_no_other_is_given() -> Result<()> {
    let (world, terminal) = (World::start()?, Terminal::new()?);
    let mut command =
        terminal.command(&["sign-in", "--json", "--no-browser", "--store", "memory"])?;
    command.env("KEYPORT_COMPANION", world.issuer());
    let mut keyport = terminal.spawn(command)?;
    let link = keyport.authorization_url()?;
    assert!(link.starts_with(world.issuer()), "{link}");
    ada_signs_in(&link).await?;
    keyport.event("signed_in")?;
    assert_eq!(keyport.ended()?, 0);
    Ok(())
}
