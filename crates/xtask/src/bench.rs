//! `cargo xtask bench`: release builds of the services and of `keyport-bench`, which measures them
//! beside the machine's floors.

use std::process::Command;

use anyhow::Result;

use crate::steps::{Steps, cargo, run as run_command, target};

pub fn run(arguments: &[String]) -> Result<()> {
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
            "--bin=keyport-bench",
        ]))
    })?;
    println!("\n=== measure ===");
    run_command(Command::new(target().join("release/keyport-bench")).args(arguments))
}
