//! Locks between real processes: exclusion, deadlines, and what is left when one of them is killed.
//! As files here, and as names on a session bus in `bus`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]
#![allow(clippy::disallowed_methods, reason = "tests write files")]

#[cfg(target_os = "linux")]
mod bus;
mod process;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keyport_client::locks::{LockTrouble, Locks};
use process::Process;
use tempfile::TempDir;

const SERVICE: &str = "dev.keyport.desktop.test";
/// Longer than anything here may take; reached only when something hangs.
const PATIENCE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(100);

fn locks_in(folder: &Path) -> Locks {
    Locks::in_folder(folder, SERVICE)
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn a_second_taker_waits_until_its_deadline_and_gets_in_when_the_first_lets_go() {
    let folder = folder();
    let (one, other) = (locks_in(folder.path()), locks_in(folder.path()));
    let held = one.take(PATIENCE).await.unwrap();
    let begun = Instant::now();
    let busy = other.take(SHORT).await;
    assert!(matches!(busy, Err(LockTrouble::Busy)), "{busy:?}");
    assert!(begun.elapsed() >= SHORT && begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    let waiting = tokio::spawn(async move { other.take(PATIENCE).await });
    drop(held);
    drop(waiting.await.unwrap().unwrap());
    drop(one.take(Duration::ZERO).await.unwrap());
}

#[tokio::test]
async fn another_service_is_another_lock() {
    let folder = folder();
    let _held = locks_in(folder.path()).take(PATIENCE).await.unwrap();
    let development = Locks::in_folder(folder.path(), "dev.keyport.desktop.test.dev");
    let _other_service = development.take(Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_lock_of_a_process_that_was_killed_is_free() {
    let folder = folder();
    let mut other = Process::holding(folder.path());
    let locks = locks_in(folder.path());
    let busy = locks.take(SHORT).await;
    assert!(matches!(busy, Err(LockTrouble::Busy)), "{busy:?}");
    other.kill();
    drop(locks.take(PATIENCE).await.unwrap());
}

#[tokio::test]
async fn a_program_that_was_started_meanwhile_does_not_inherit_the_lock() {
    let folder = folder();
    let locks = locks_in(folder.path());
    let held = locks.take(PATIENCE).await.unwrap();
    let mut browser =
        Command::new(process::long_running()).arg("60").stdin(Stdio::null()).spawn().unwrap();
    drop(held);
    let taken = locks.take(SHORT).await;
    let still_running = browser.try_wait().unwrap().is_none();
    browser.kill().unwrap();
    browser.wait().unwrap();
    assert!(still_running);
    drop(taken.unwrap());
}

#[tokio::test]
async fn of_eight_processes_only_one_is_inside_at_a_time() {
    let folder = folder();
    let count = folder.path().join("count");
    fs::write(&count, "0").unwrap();
    let mut processes: Vec<_> = (0..8).map(|_| Process::counting(25, folder.path())).collect();
    for process in &mut processes {
        assert_eq!(process.hears(), "counted");
    }
    assert_eq!(fs::read_to_string(&count).unwrap(), "200");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_empty_and_nobody_else_may_open_it_or_list_its_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = folder();
    let folder = parent.path().join("state").join("locks");
    let _held = locks_in(&folder).take(PATIENCE).await.unwrap();
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    let facts = file.metadata().unwrap();
    assert_eq!(facts.permissions().mode() & 0o777, 0o600);
    assert_eq!(facts.len(), 0);
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_said_at_once_and_told_apart_from_a_busy_lock() {
    let parent = folder();
    let file = parent.path().join("not-a-folder");
    fs::write(&file, "").unwrap();
    let unusable = locks_in(&file).take(PATIENCE).await;
    assert!(matches!(unusable, Err(LockTrouble::Unusable(_))), "{unusable:?}");
}

#[tokio::test]
async fn a_keychain_in_memory_has_a_lock_of_its_own() {
    let (one, other) = (Locks::in_process(), Locks::in_process());
    let held = one.take(Duration::ZERO).await.unwrap();
    let busy = one.clone().take(SHORT).await;
    assert!(matches!(busy, Err(LockTrouble::Busy)), "{busy:?}");
    drop(other.take(Duration::ZERO).await.unwrap());
    drop(held);
    drop(one.take(Duration::ZERO).await.unwrap());
}
