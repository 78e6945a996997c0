//! Locks between real processes: exclusion, deadlines, and what is left when one of them is killed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]
#![allow(clippy::disallowed_methods, reason = "tests write files")]

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
    let held = one.take("refresh", PATIENCE).await.unwrap();
    let begun = Instant::now();
    let busy = other.take("refresh", SHORT).await;
    assert!(matches!(busy, Err(LockTrouble::Busy)), "{busy:?}");
    assert!(begun.elapsed() >= SHORT && begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    let waiting = tokio::spawn(async move { other.take("refresh", PATIENCE).await });
    drop(held);
    drop(waiting.await.unwrap().unwrap());
    drop(one.take("refresh", Duration::ZERO).await.unwrap());
}

#[tokio::test]
async fn another_name_and_another_service_are_other_locks() {
    let folder = folder();
    let locks = locks_in(folder.path());
    let _held = locks.take("account:a", PATIENCE).await.unwrap();
    let _other_name = locks.take("account:b", Duration::ZERO).await.unwrap();
    let development = Locks::in_folder(folder.path(), format!("{SERVICE}.dev"));
    let _other_service = development.take("account:a", Duration::ZERO).await.unwrap();
    // The border between service and name counts.
    let shifted = Locks::in_folder(folder.path(), format!("{SERVICE}account"));
    let _shifted = shifted.take(":a", Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_lock_of_a_process_that_was_killed_is_free() {
    let folder = folder();
    let mut other = Process::holding("refresh", folder.path());
    let locks = locks_in(folder.path());
    let busy = locks.take("refresh", SHORT).await;
    assert!(matches!(busy, Err(LockTrouble::Busy)), "{busy:?}");
    other.kill();
    drop(locks.take("refresh", PATIENCE).await.unwrap());
}

#[tokio::test]
async fn a_program_that_was_started_meanwhile_does_not_inherit_the_lock() {
    let folder = folder();
    let locks = locks_in(folder.path());
    let held = locks.take("refresh", PATIENCE).await.unwrap();
    let mut browser =
        Command::new(process::long_running()).arg("60").stdin(Stdio::null()).spawn().unwrap();
    drop(held);
    let taken = locks.take("refresh", SHORT).await;
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
    let _held = locks_in(&folder).take("account:ada@acme.test", PATIENCE).await.unwrap();
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    let facts = file.metadata().unwrap();
    assert_eq!(facts.permissions().mode() & 0o777, 0o600);
    assert_eq!(facts.len(), 0);
    assert!(!file.file_name().into_string().unwrap().contains("ada"));
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_said_at_once_and_told_apart_from_a_busy_lock() {
    let parent = folder();
    let file = parent.path().join("not-a-folder");
    fs::write(&file, "").unwrap();
    let unusable = locks_in(&file).take("refresh", PATIENCE).await;
    assert!(matches!(unusable, Err(LockTrouble::Unusable(_))), "{unusable:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn processes_with_and_without_a_runtime_folder_share_their_locks() {
    let home = folder();
    let mut holder = Process::holding_at_home("refresh", home.path(), Some(home.path()));
    let mut other = Process::trying_at_home("refresh", home.path(), None);
    assert_eq!(other.hears(), "busy");
    holder.kill();
    assert_eq!(Process::trying_at_home("refresh", home.path(), None).hears(), "taken");
}
