//! Runs one command after another, says what each is for and how long it took, and stops at the
//! first that fails.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The root of the workspace.
pub fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map_or(here.clone(), PathBuf::from)
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// `cargo` with these arguments, in the root of the workspace.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    // Set by the `cargo run` that started us; a nested cargo must not believe that it builds this
    // package.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// The same command with the signals of a terminal as it finds them there: whoever starts this with
/// `nohup` or in the background of a script has them ignored, and every child inherits that.
pub fn with_default_signals(command: &Command) -> Command {
    let mut wrapped = Command::new("env");
    wrapped
        .arg("--default-signal=INT,HUP,QUIT")
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    wrapped
}

/// Builds every program of the workspace. One selection for demo, tests and packages, so that none
/// makes another compile again; this program is left out because it is running.
pub fn build_everything() -> Command {
    cargo(&["build", "--workspace", "--exclude=xtask", "--bins", "--locked"])
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

/// Runs a command that must succeed and answers with its standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}: {}", line(command), output.status, error.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The command as a person would type it.
pub fn line(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// Steps with their names and times, for the summary at the end.
#[derive(Default)]
pub struct Steps {
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// Does one step; when it fails, the summary says so and nothing after it is done.
    pub fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n=== {name} ===");
        let started = Instant::now();
        let done = work();
        let taken = started.elapsed();
        self.done.push((name.to_owned(), taken));
        if let Err(error) = done {
            self.summarize("FAILED");
            return Err(error.context(format!("the step {name:?} failed")));
        }
        println!("--- {name}: {:.1} s", taken.as_secs_f64());
        Ok(())
    }

    /// Prints every step with its time; `last` says how the last one ended.
    pub fn summarize(&self, last: &str) {
        println!("\n=== summary ===");
        for (number, (name, taken)) in self.done.iter().enumerate() {
            let word = if number + 1 == self.done.len() { last } else { "ok" };
            println!("{:>8.1} s  {word:<6}  {name}", taken.as_secs_f64());
        }
        let all: Duration = self.done.iter().map(|(_, taken)| *taken).sum();
        println!("{:>8.1} s  in all", all.as_secs_f64());
    }
}
