//! Where people are signed in, and ending it: two people on one machine, one person on two
//! machines, everywhere, and offline. Each ends where it should, and nowhere else. Real processes
//! and keychains.

mod cli_terminal;

use anyhow::{Context, Result, ensure};
use cli_terminal::{Ended, forget_access_tokens, live_sessions, run_in, signs_in, start_in};
use keyport_tests::native::{NativeClient, Session};
use keyport_tests::{DesktopSession, Person, World};
use serde_json::Value;

const ADA: &str = "ada@acme.test";

/// One machine with a keychain of its own.
struct Machine(DesktopSession);

impl Machine {
    fn start() -> Result<Self> {
        Ok(Self(DesktopSession::with().without_display().start()?))
    }

    async fn with(world: &World, people: &[Person<'_>]) -> Result<Self> {
        let machine = Self::start()?;
        for person in people {
            let arguments = ["sign-in", "--json", "--no-browser"];
            let mut keyport = start_in(&machine.0, world.issuer(), &arguments)?;
            signs_in(*person, &keyport.authorization_url()?).await?;
            keyport.event("signed_in")?;
            ensure!(keyport.ended()? == 0, "{}", keyport.process.log());
        }
        Ok(machine)
    }

    fn run(&self, world: &World, arguments: &[&str]) -> Result<Ended> {
        run_in(&self.0, world.issuer(), arguments)
    }

    /// Whether the session still gives tokens, and if not, what the person is told.
    fn told(&self, world: &World, who: &[&str]) -> Result<Option<String>> {
        forget_access_tokens(&self.0)?;
        let token = self.run(world, &[&["token", "--json"], who].concat())?;
        if token.code == 0 {
            return Ok(None);
        }
        ensure!(token.code == 4, "{} {}", token.code, token.errors);
        token.problem().map(Some)
    }

    fn sessions(&self, world: &World) -> Result<Vec<Value>> {
        let listed = self.run(world, &["sessions", "--json"])?;
        ensure!(listed.code == 0, "{}", listed.errors);
        listed.events()
    }
}

/// A machine of the person's beside it: only one desktop session runs at a time.
struct Beside {
    client: NativeClient,
    session: Session,
}

impl Beside {
    async fn with(world: &World, person: Person<'_>) -> Result<Self> {
        let client = NativeClient::new(world)?;
        let session = client.sign_in(person).await?;
        Ok(Self { client, session })
    }

    async fn told(&self) -> Result<String> {
        let refused = self.client.refresh(&self.session.refresh).await?;
        ensure!(refused.refusal() == (400, "invalid_grant"), "{}", refused.body);
        Ok(refused.text("keyport_problem").to_owned())
    }
}

/// The id of the session that is not this one.
fn other(sessions: &[Value]) -> Result<String> {
    let other = sessions.iter().find(|session| session["current"] == false);
    other.and_then(|other| other["id"].as_str()).map(str::to_owned).context("another session")
}

#[tokio::test]
async fn one_person_on_two_machines_ends_the_session_of_the_other() -> Result<()> {
    let world = World::start()?;
    let here = Machine::with(&world, &[Person::ADA]).await?;
    let there = Beside::with(&world, Person::ADA).await?;
    let listed = here.sessions(&world)?;
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!((&listed[0]["event"], &listed[0]["current"]), (&"session".into(), &true.into()));
    assert_eq!(listed[0]["address"], "127.0.0.1");
    let said = here.run(&world, &["sessions"])?;
    assert!(said.output.contains("(this device)"), "{}", said.output);
    assert!(said.output.contains("last used just now from 127.0.0.1"), "{}", said.output);
    let unknown = "session_00000000000000000000000000000000";
    let refused = here.run(&world, &["sessions", "end", unknown, "--json"])?;
    assert_eq!((refused.code, refused.problem()?), (4, "session_unknown".to_owned()));
    let ended = here.run(&world, &["sessions", "end", &other(&listed)?])?;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert_eq!(there.told().await?, "signed_out_elsewhere");
    assert_eq!(here.told(&world, &[])?, None);
    let listed = here.sessions(&world)?;
    assert_eq!(listed.len(), 1, "{listed:?}");
    let back = Beside::with(&world, Person::ADA).await?;
    let ended = back.client.end_everywhere(&back.session.access).await?;
    assert_eq!(ended.status, 204);
    assert_eq!(here.told(&world, &[])?.as_deref(), Some("signed_out_elsewhere"));
    assert_eq!(here.run(&world, &["status"])?.code, 4, "nothing of it is kept");
    Ok(())
}

#[tokio::test]
async fn everywhere_is_every_machine_of_one_person_and_no_other_person() -> Result<()> {
    let world = World::start()?;
    let here = Machine::with(&world, &[Person::ADA, Person::GRACE]).await?;
    let there = Beside::with(&world, Person::ADA).await?;
    let arguments = ["sign-out", "--everywhere", "--account", ADA];
    let ended = here.run(&world, &arguments)?;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert!(ended.errors.contains("Signed out on all devices"), "{}", ended.errors);
    assert_eq!(here.run(&world, &["token", "--account", ADA])?.code, 4);
    assert_eq!(there.told().await?, "signed_out_elsewhere");
    assert_eq!(here.told(&world, &["--account", "grace@acme.test"])?, None);
    assert_eq!(live_sessions(&world)?, 1);
    Ok(())
}

#[tokio::test]
async fn two_people_on_one_machine_end_apart() -> Result<()> {
    let world = World::start()?;
    let machine = Machine::with(&world, &[Person::ADA, Person::GRACE]).await?;
    let ended = machine.run(&world, &["sign-out", "--account", ADA])?;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert_eq!(machine.told(&world, &[])?, None, "Grace goes on");
    assert_eq!(machine.sessions(&world)?.len(), 1, "and sees none of Ada's");
    assert_eq!(live_sessions(&world)?, 1);
    Ok(())
}

#[tokio::test]
async fn a_sign_out_without_a_network_reaches_the_service_with_the_next_command() -> Result<()> {
    let mut world = World::start()?;
    let machine = Machine::with(&world, &[Person::ADA]).await?;
    world.stop_companion()?;
    let ended = machine.run(&world, &["sign-out"])?;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    assert!(ended.errors.contains("Signed out on this device"), "{}", ended.errors);
    assert_eq!(machine.run(&world, &["token"])?.code, 4, "offline still, and signed out");
    world.start_companion_again()?;
    assert_eq!(live_sessions(&world)?, 1);
    assert_eq!(machine.run(&world, &["token"])?.code, 4);
    assert_eq!(live_sessions(&world)?, 0);
    Ok(())
}

#[tokio::test]
async fn without_a_network_nothing_is_ended_elsewhere_and_that_is_said() -> Result<()> {
    let mut world = World::start()?;
    let machine = Machine::with(&world, &[Person::ADA]).await?;
    world.stop_companion()?;
    for arguments in [&["sessions", "--json"][..], &["sign-out", "--everywhere", "--json"]] {
        let refused = machine.run(&world, arguments)?;
        assert_eq!((refused.code, refused.problem()?), (5, "offline".to_owned()), "{arguments:?}");
    }
    let said = machine.run(&world, &["sign-out", "--everywhere"])?;
    assert!(said.errors.contains("Nothing was ended"), "{}", said.errors);
    assert_eq!(machine.run(&world, &["status"])?.code, 0, "still signed in");
    Ok(())
}
