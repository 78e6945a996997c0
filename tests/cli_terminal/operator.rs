//! A command of the operator as a process of its own, in a pipe or on a terminal.

use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use keyport_tests::native::{NativeClient, Session};
use keyport_tests::{Person, World, binaries};
use serde_json::Value;

use super::pty::Pty;

/// How a command ended, with all that it wrote.
pub struct Ended {
    pub code: i32,
    pub output: String,
    pub errors: String,
}

impl Ended {
    pub fn of(output: &Output) -> Result<Self> {
        Ok(Self {
            code: output.status.code().context("an exit code")?,
            output: String::from_utf8(output.stdout.clone())?,
            errors: String::from_utf8(output.stderr.clone())?,
        })
    }

    pub fn lines(&self) -> Result<Vec<Value>> {
        Ok(self.output.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }
}

pub fn run(world: &World, arguments: &[&str]) -> Result<Ended> {
    Ended::of(&world.operator(arguments)?.output()?)
}

/// Runs it and expects success.
pub fn done(world: &World, arguments: &[&str]) -> Result<Ended> {
    let ended = run(world, arguments)?;
    ensure!(ended.code == 0, "{arguments:?}: {} {}", ended.code, ended.errors);
    Ok(ended)
}

/// Ada and Grace, each with a device of their own.
pub async fn two_people(world: &World) -> Result<[(NativeClient, Session); 2]> {
    let (first, second) = (NativeClient::new(world)?, NativeClient::new(world)?);
    let ada = first.sign_in(Person::ADA).await?;
    let grace = second.sign_in(Person::GRACE).await?;
    Ok([(first, ada), (second, grace)])
}

/// The command as the leader of a terminal.
pub fn on_a_terminal(world: &World, arguments: &[&str]) -> Result<Pty> {
    let command = world.operator(arguments)?;
    let mut leader = Command::new("setsid");
    leader.args(["--ctty", "--wait"]).arg(binaries::path("keyport-companion")?);
    leader.args(arguments).current_dir(world.folder());
    binaries::without_settings(&mut leader);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => leader.env(name, value),
            None => leader.env_remove(name),
        };
    }
    Pty::with(&mut leader)
}
