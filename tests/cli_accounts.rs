//! Several accounts in one keychain: each is listed, each can be chosen, and none is ended or left
//! in without a word.

mod cli_terminal;

use anyhow::{Context, Result};
use cli_terminal::{Ended, live_sessions, run_in, signs_in, start_in};
use keyport_tests::{DesktopSession, Person, World};
use serde_json::Value;

const ADA: &str = "ada@acme.test";
const GRACE: &str = "grace@acme.test";

struct CliFixture {
    world: World,
    session: DesktopSession,
}

impl CliFixture {
    /// Ada signed in first, Grace after her: Grace is current.
    async fn with_two_accounts() -> Result<Self> {
        let (world, session) = (World::start()?, DesktopSession::with().without_display().start()?);
        for person in [Person::ADA, Person::GRACE] {
            let mut keyport =
                start_in(&session, world.issuer(), &["sign-in", "--json", "--no-browser"])?;
            signs_in(person, &keyport.authorization_url()?).await?;
            keyport.event("signed_in")?;
            anyhow::ensure!(keyport.ended()? == 0, "{}", keyport.process.log());
        }
        Ok(Self { world, session })
    }

    fn run(&self, arguments: &[&str]) -> Result<Ended> {
        run_in(&self.session, self.world.issuer(), arguments)
    }

    /// The addresses of `status --json`, the current one first.
    fn emails(&self) -> Result<Vec<String>> {
        let status = self.run(&["status", "--json"])?;
        let event = status.events()?.pop().context("an event")?;
        let accounts = event["accounts"].as_array().context("accounts")?.clone();
        let current = &accounts.first().context("an account")?["current"];
        anyhow::ensure!(*current == Value::Bool(true), "{event}");
        let email = |account: &Value| account["email"].as_str().map(str::to_owned);
        accounts.iter().map(|account| email(account).context("an address")).collect()
    }
}

fn subject(token: &Ended) -> Result<String> {
    use base64::Engine as _;
    let claims = token.output.trim().split('.').nth(1).context("a signed token")?;
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims)?;
    let claims: Value = serde_json::from_slice(&claims)?;
    claims["sub"].as_str().map(str::to_owned).context("a subject")
}

#[tokio::test]
async fn status_lists_every_account() -> Result<()> {
    let fixture = CliFixture::with_two_accounts().await?;
    assert_eq!(fixture.emails()?, [GRACE, ADA]);
    let status = fixture.run(&["status", "--json"])?;
    let [event] = &status.events()?[..] else { anyhow::bail!("one object: {}", status.output) };
    assert_eq!((&event["event"], &event["email"]), (&"signed_in".into(), &GRACE.into()));
    assert_eq!(event["accounts"][1]["email"], ADA);
    assert_eq!(event["accounts"][1]["current"], false);
    let said = fixture.run(&["status"])?;
    let lines: Vec<&str> = said.output.lines().collect();
    assert!(lines[0].starts_with("Signed in as") && lines[0].contains(GRACE), "{lines:?}");
    assert!(lines[1].contains("also") && lines[1].contains(ADA), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn sign_out_ends_none_of_several_without_being_told_which() -> Result<()> {
    let fixture = CliFixture::with_two_accounts().await?;
    for arguments in [&["sign-out"][..], &["sign-out", "--json"]] {
        let refused = fixture.run(arguments)?;
        assert_eq!(refused.code, 2, "{} {}", refused.output, refused.errors);
        for word in [ADA, GRACE, "--account", "--all"] {
            assert!(refused.errors.contains(word), "{word}: {}", refused.errors);
        }
        assert_eq!(refused.output, "");
        assert!(!refused.errors.to_lowercase().contains("signed out"), "{}", refused.errors);
    }
    assert_eq!(live_sessions(&fixture.world)?, 2);

    let ended = fixture.run(&["sign-out", "--account", ADA])?;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert!(ended.errors.contains(ADA) && ended.errors.contains(GRACE), "{}", ended.errors);
    assert_eq!(fixture.emails()?, [GRACE]);
    assert_eq!(live_sessions(&fixture.world)?, 1);

    let gone = fixture.run(&["sign-out", "--account", ADA])?;
    assert_eq!(gone.code, 4, "{}", gone.errors);
    assert_eq!(fixture.emails()?, [GRACE], "and the other one is still there");

    assert_eq!(fixture.run(&["sign-out"])?.code, 0, "one account needs no name");
    assert_eq!(fixture.run(&["status"])?.code, 4);
    assert_eq!(live_sessions(&fixture.world)?, 0);
    Ok(())
}

#[tokio::test]
async fn sign_out_ends_all_accounts_when_told_so() -> Result<()> {
    let fixture = CliFixture::with_two_accounts().await?;
    let ended = fixture.run(&["sign-out", "--all", "--json"])?;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    let mut emails: Vec<Value> =
        ended.events()?.into_iter().map(|event| event["email"].clone()).collect();
    emails.sort_by_key(ToString::to_string);
    assert_eq!(emails, [ADA, GRACE]);
    assert_eq!(fixture.run(&["status"])?.code, 4);
    assert_eq!(live_sessions(&fixture.world)?, 0);
    Ok(())
}

#[tokio::test]
async fn a_token_is_for_the_account_that_was_named() -> Result<()> {
    let fixture = CliFixture::with_two_accounts().await?;
    let status = fixture.run(&["status", "--json"])?.events()?.pop().context("an event")?;
    let id = status["accounts"][1]["account"].as_str().context("an id")?;
    let current = subject(&fixture.run(&["token"])?)?;
    let by_email = subject(&fixture.run(&["token", "--account", ADA])?)?;
    let by_id = subject(&fixture.run(&["token", "--account", id])?)?;
    assert_eq!(by_email, by_id);
    assert_ne!(by_email, current);
    let refused = fixture.run(&["token", "--account", "unknown@acme.test"])?;
    assert_eq!((refused.code, refused.output.as_str()), (4, ""), "{}", refused.errors);
    assert!(refused.errors.contains("unknown@acme.test"), "{}", refused.errors);
    for command in ["token", "sign-out"] {
        let said = fixture.run(&[command, "--json", "--account", "unknown@acme.test"])?;
        assert_eq!((said.code, said.problem()?.as_str()), (4, "account_unknown"), "{command}");
        assert_eq!(said.errors, "", "{command}: a program is told once");
    }
    Ok(())
}
