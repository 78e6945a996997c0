//! `cargo xtask test`: the steps that CI runs, in the order in which they fail fastest.

use anyhow::Result;

use crate::setup::{self, Purpose};
use crate::slowest::{RUNNER, Times};
use crate::steps::{Steps, build_everything, cargo, run as run_command, with_default_signals};

pub fn run() -> Result<()> {
    let mut steps = Steps::default();
    steps.step("set-up", || setup::install(&Purpose::ALL))?;
    steps.step("format", || run_command(&mut cargo(&["fmt", "--all", "--check"])))?;
    steps.step("clippy", || {
        run_command(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "--deny",
            "warnings",
        ]))
    })?;
    steps.step("documentation", || {
        let mut doc = cargo(&["doc", "--workspace", "--lib", "--no-deps", "--locked"]);
        // The app's library is a program's inside; its dependencies would be checked once more.
        doc.arg("--exclude=keyport-desktop").env("RUSTDOCFLAGS", "--deny warnings");
        run_command(&mut doc)
    })?;
    // Tests start these programs; building the tests alone would not produce them.
    steps.step("build", || run_command(&mut build_everything()))?;
    let mut times = Times::default();
    let tested = steps.step("test", || {
        let tests = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
        times.run(with_default_signals(&tests).args(["--config", RUNNER]))
    });
    times.print();
    tested?;
    steps.summarize("ok");
    Ok(())
}
