//! The socket by which commands of the operator reach the running service: whose it is, and what
//! becomes of it. Real processes.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use keyport_test_postgres::Cluster;
use keyport_tests::{World, binaries, wait};

mod cli_terminal;

use cli_terminal::operator::{Ended, done};

#[tokio::test]
async fn a_service_that_listens_elsewhere_is_named() -> Result<()> {
    let world = World::start()?;
    let mut command = world.operator(&["sessions", "list"])?;
    command.env("KEYPORT_ADMIN_SOCKET", world.folder().join("other.admin"));
    let ended = Ended::of(&command.output()?)?;
    assert_eq!(ended.code, 5, "{}", ended.errors);
    assert!(ended.errors.contains("does not listen on"), "{}", ended.errors);
    Ok(())
}

#[tokio::test]
async fn a_killed_service_leaves_a_socket_that_the_next_one_replaces() -> Result<()> {
    let mut world = World::start()?;
    let socket = world.folder().join("companion.admin");
    world.companion.kill();
    assert!(socket.exists());
    done(&world, &["users", "list"])?;
    world.start_companion_again()?;
    assert_eq!(std::fs::metadata(&socket)?.permissions().mode() & 0o777, 0o600);
    done(&world, &["users", "list"])?;
    Ok(())
}

/// Runs it as a user without rights, in a folder that everyone may enter.
fn as_another_user(command: &Command) -> Result<Ended> {
    let mut other = Command::new("setpriv");
    other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    other.arg(command.get_program()).args(command.get_args()).current_dir("/");
    binaries::without_settings(&mut other);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    Ended::of(&other.output()?)
}

#[tokio::test]
async fn another_user_is_refused_by_mode_and_by_credentials() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        // Only root can become another user.
        return Ok(());
    }
    let open = tempfile::tempdir()?;
    std::fs::set_permissions(open.path(), std::fs::Permissions::from_mode(0o755))?;
    let socket = open.path().join("companion.admin");
    let name = socket.to_str().context("a path")?;
    // The program is copied, since that user may not enter the folder where it was built.
    let program = open.path().join("keyport-companion");
    std::fs::copy(binaries::path("keyport-companion")?, &program)?;
    let world = World::with().companion("KEYPORT_ADMIN_SOCKET", name).start()?;
    let ours = world.operator(&["users", "list"])?;
    let mut command = Command::new(&program);
    command.args(ours.get_args());
    for (name, value) in ours.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        command.env(name, value);
    }
    let ended = as_another_user(&command)?;
    assert_eq!(ended.code, 3, "{}", ended.errors);
    assert!(ended.errors.contains("belongs to another user"), "{}", ended.errors);
    // Even where the mode lets everyone connect.
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666))?;
    let ended = as_another_user(&command)?;
    assert_eq!(ended.code, 5, "{}", ended.errors);
    let said = "another user asked at the operator's socket";
    wait::until(said, wait::WAIT_TIMEOUT, || {
        Ok(world.companion.log().contains(said).then_some(()))
    })?;
    done(&world, &["users", "list"])?;
    Ok(())
}

#[tokio::test]
async fn a_second_service_does_not_take_over_the_socket() -> Result<()> {
    let keys = tempfile::tempdir()?;
    let key_file = keys.path().join("keyport.key");
    let world = World::with()
        .companion("DATABASE_URL", &Cluster::shared().database())
        .companion("KEYPORT_KEY_FILE", key_file.to_str().context("a path")?)
        .companion("KEYPORT_PUBLIC_URL", "http://127.0.0.1:8788")
        .start()?;
    let (other, _) = world.start_another_companion()?;
    assert!(other.log().contains("commands of the operator do not reach this service"));
    done(&world, &["users", "list"])?;
    drop(other);
    done(&world, &["users", "list"])?;
    // PostgreSQL is opened beside a service too.
    let mut command = world.operator(&["users", "list"])?;
    command.env("KEYPORT_ADMIN_SOCKET", keys.path().join("none"));
    let ended = Ended::of(&command.output()?)?;
    assert_eq!(ended.code, 0, "{}", ended.errors);
    Ok(())
}
