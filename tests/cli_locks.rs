//! Several `keyport` processes on one keychain (gnome-keyring) at the same moment: whatever their
//! environment says they take the lock one after the other, and the session that is kept is alive.

mod cli_terminal;

use anyhow::Result;
use cli_terminal::{
    ada_signs_in, forget_access_tokens, live_sessions, run_in, start_in, start_in_folders,
};
use keyport_tests::{DesktopSession, World};

const SIGN_IN: [&str; 3] = ["sign-in", "--json", "--no-browser"];

async fn sign_in(world: &World, session: &DesktopSession) -> Result<()> {
    let mut keyport = start_in(session, world.issuer(), &SIGN_IN)?;
    ada_signs_in(&keyport.authorization_url()?).await?;
    keyport.event("signed_in")?;
    assert_eq!(keyport.ended()?, 0);
    Ok(())
}

#[tokio::test]
async fn processes_of_different_folders_share_one_session_lock() -> Result<()> {
    let (world, session) = (World::start()?, DesktopSession::with().without_display().start()?);
    sign_in(&world, &session).await?;
    for round in 0..3 {
        forget_access_tokens(&session)?;
        let start = |number: i32| {
            let folders = session.home().join(format!("folders-{round}-{number}"));
            start_in_folders(&session, world.issuer(), &["token", "--json"], &folders)
        };
        let processes = (0..6).map(start).collect::<Result<Vec<_>>>()?;
        for mut process in processes {
            process.event("token")?;
            assert_eq!(process.ended()?, 0, "{}", process.process.log());
        }
        assert_eq!(live_sessions(&world)?, 1, "no token was presented twice");
    }
    Ok(())
}

#[tokio::test]
async fn two_sign_ins_at_once_leave_a_session_that_is_alive() -> Result<()> {
    let (world, session) = (World::start()?, DesktopSession::with().without_display().start()?);
    sign_in(&world, &session).await?;
    for _ in 0..3 {
        let mut one = start_in(&session, world.issuer(), &SIGN_IN)?;
        let mut other = start_in(&session, world.issuer(), &SIGN_IN)?;
        let links = (one.authorization_url()?, other.authorization_url()?);
        let (first, second) = tokio::join!(ada_signs_in(&links.0), ada_signs_in(&links.1));
        first.and(second)?;
        for process in [&mut one, &mut other] {
            assert_eq!(process.event("signed_in")?["stored"], "keychain");
            assert_eq!(process.ended()?, 0, "{}", process.process.log());
        }
        assert_eq!(live_sessions(&world)?, 1);
        let token = run_in(&session, world.issuer(), &["token"])?;
        assert_eq!(token.code, 0, "the kept session is alive: {}", token.errors);
    }
    Ok(())
}
