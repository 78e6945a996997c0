//! What a release build does with an environment that would have it driven from outside. The
//! release itself takes too long to build here: this runs its own code in a process of the test's.

#[path = "../src-tauri/src/automation.rs"]
mod automation;

use std::process::Command;

use anyhow::Result;

/// Says that this process is the one that is steered.
const STEERED: &str = "A_TEST_STEERS_THIS";

#[test]
fn a_release_build_goes_on_without_what_would_drive_it() -> Result<()> {
    if std::env::var_os(STEERED).is_some() {
        automation::go_on_without_them()?;
        let left =
            automation::FORBIDDEN_VARIABLES.iter().filter(|name| std::env::var_os(name).is_some());
        println!("goes on with {} of them", left.count());
        return Ok(());
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--exact", "a_release_build_goes_on_without_what_would_drive_it", "--nocapture"]);
    command.env(STEERED, "1").envs(automation::FORBIDDEN_VARIABLES.map(|name| (name, "true")));
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("goes on with 0 of them"), "{said}");
    Ok(())
}

#[test]
fn a_development_build_can_be_driven_because_the_tests_do() {
    assert!(automation::refuse().is_ok());
}
