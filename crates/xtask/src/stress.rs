//! `cargo xtask stress`: release builds of the services and of `keyport-stress`, which signs people
//! in while the service is under attack. Minutes long; CI runs the short one as a test.

use std::process::Command;

use anyhow::Result;

use crate::steps::{Steps, cargo, run as run_command, target};

/// Builds and runs it; with `short` as CI does.
pub fn run(short: bool) -> Result<()> {
    let mut steps = Steps::default();
    steps.step("build for release", || {
        run_command(&mut cargo(&[
            "build",
            "--release",
            "--locked",
            "--package=keyport-companion",
            "--package=keyport-emulator",
            "--package=keyport-tests",
            "--bin=keyport-companion",
            "--bin=keyport-emulator",
            "--bin=keyport-stress",
        ]))
    })?;
    println!("\n=== stress ===");
    let mut command = Command::new(target().join("release/keyport-stress"));
    run_command(command.args(short.then_some("--short")))
}
