//! The demo for a person with a display: the window opens, they click, their own browser and
//! keychain are used.

use std::path::Path;

use anyhow::Result;
use keyport_tests::{Person, Process, World, binaries};

/// Opens the app and waits until it is closed, or until Ctrl-C.
pub async fn invite(world: &World, person: Person<'_>, logs: &Path) -> Result<()> {
    let mut command = binaries::command("keyport-desktop")?;
    command.env("KEYPORT_COMPANION", world.issuer());
    let mut app = Process::spawn("app", command, logs)?;
    println!("  app        its window opens now\n");
    let Person { email, password } = person;
    println!("Enter {email}, or click \"Sign in with SSO instead\".");
    println!("At the provider: {email}, password {password}.");
    println!("Close the window or press Ctrl-C here to end everything.");
    let closed = async {
        loop {
            if let Some(status) = app.ended()? {
                return Ok::<_, anyhow::Error>(status);
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        status = closed => {
            let status = status?;
            anyhow::ensure!(status.success(), "the app ended with {status}\n{}", app.log());
        }
        interrupted = tokio::signal::ctrl_c() => interrupted?,
    }
    println!("\nended; emulator and companion too");
    Ok(())
}
