//! `cargo xtask demo`: builds the product and hands over to `keyport-demo` (`tests/demo`), which
//! starts it and signs in.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Result;

use crate::setup::{self, Purpose};
use crate::steps::{Steps, build_everything, run as run_command, target};

pub fn run(headless: bool, email: &str) -> Result<()> {
    let headless = headless || !has_display();
    let mut steps = Steps::default();
    steps.step("set-up", || {
        let surroundings = if headless { Purpose::Headless } else { Purpose::Desktop };
        setup::install(&[Purpose::Build, surroundings])
    })?;
    // The same selection as the tests build, so that neither makes the other compile again.
    steps.step("build emulator, companion, command line and app", || {
        run_command(&mut build_everything())
    })?;
    println!("\n=== demo ===");
    let mut demo = Command::new(target().join("debug/keyport-demo"));
    demo.arg("--pictures").arg(target().join("demo")).arg("--email").arg(email);
    if headless {
        demo.arg("--headless");
    }
    // In our place, so that Ctrl-C reaches the one process that knows what to end.
    Err(demo.exec().into())
}

/// X11 or Wayland.
fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}
