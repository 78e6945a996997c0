//! The short stress run, in CI: the same programs and the same checks as `cargo xtask stress`, with
//! a smaller load.

use std::time::Duration;

use anyhow::Result;
use keyport_tests::{Process, binaries};

/// The load ends by itself after a minute at most; the rest is for a machine that others share.
const LIMIT: Duration = Duration::from_secs(300);

#[test]
fn people_sign_in_while_everything_else_is_done_at_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = binaries::command("keyport-stress")?;
    command.arg("--short");
    let mut stress = Process::spawn("stress", command, folder.path())?;
    let mut said = Vec::new();
    while let Ok(line) = stress.line(LIMIT, |line| Some(line.to_owned())) {
        println!("{line}");
        said.push(line);
    }
    let status = stress.wait(LIMIT)?;
    assert!(status.success(), "{status}: {said:#?} {}", stress.log());
    assert_eq!(said.last().map(String::as_str), Some("stress: passed"));
    Ok(())
}
