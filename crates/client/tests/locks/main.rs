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

use keyport_client::locks::{LockError, Locks};
use process::Process;
use tempfile::TempDir;

const SERVICE: &str = "dev.keyport.desktop.test";
/// Longer than anything here may take; reached only when something hangs.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(100);

fn locks_in(folder: &Path) -> Locks {
    Locks::in_folder(folder, SERVICE)
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn a_second_taker_waits_until_the_lock_is_free_or_its_timeout() {
    let folder = folder();
    let (one, other) = (locks_in(folder.path()), locks_in(folder.path()));
    let held = one.take(WAIT_TIMEOUT).await.unwrap();
    let begun = Instant::now();
    let busy = other.take(SHORT).await;
    assert!(matches!(busy, Err(LockError::Busy)), "{busy:?}");
    assert!(begun.elapsed() >= SHORT && begun.elapsed() < WAIT_TIMEOUT, "{:?}", begun.elapsed());
    let waiting = tokio::spawn(async move { other.take(WAIT_TIMEOUT).await });
    drop(held);
    drop(waiting.await.unwrap().unwrap());
    drop(one.take(Duration::ZERO).await.unwrap());
}

#[tokio::test]
async fn another_service_is_another_lock() {
    let folder = folder();
    let _held = locks_in(folder.path()).take(WAIT_TIMEOUT).await.unwrap();
    let development = Locks::in_folder(folder.path(), "dev.keyport.desktop.test.dev");
    let _other_service = development.take(Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_lock_of_a_process_that_was_killed_is_free() {
    let folder = folder();
    let mut other = Process::holding(folder.path());
    let locks = locks_in(folder.path());
    let busy = locks.take(SHORT).await;
    assert!(matches!(busy, Err(LockError::Busy)), "{busy:?}");
    other.kill();
    drop(locks.take(WAIT_TIMEOUT).await.unwrap());
}

#[tokio::test]
async fn a_child_process_does_not_inherit_the_lock() {
    let folder = folder();
    let locks = locks_in(folder.path());
    let held = locks.take(WAIT_TIMEOUT).await.unwrap();
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
async fn the_lock_file_is_empty_and_private_to_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = folder();
    let folder = parent.path().join("state").join("locks");
    let _held = locks_in(&folder).take(WAIT_TIMEOUT).await.unwrap();
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    let facts = file.metadata().unwrap();
    assert_eq!(facts.permissions().mode() & 0o777, 0o600);
    assert_eq!(facts.len(), 0);
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn an_unusable_folder_differs_from_a_busy_lock() {
    let parent = folder();
    let file = parent.path().join("not-a-folder");
    fs::write(&file, "").unwrap();
    let unusable = locks_in(&file).take(WAIT_TIMEOUT).await;
    assert!(matches!(unusable, Err(LockError::Unusable(_))), "{unusable:?}");
}

#[tokio::test]
async fn a_keychain_in_memory_has_a_lock_of_its_own() {
    let (one, other) = (Locks::in_process(), Locks::in_process());
    let held = one.take(Duration::ZERO).await.unwrap();
    let busy = one.clone().take(SHORT).await;
    assert!(matches!(busy, Err(LockError::Busy)), "{busy:?}");
    drop(other.take(Duration::ZERO).await.unwrap());
    drop(held);
    drop(one.take(Duration::ZERO).await.unwrap());
}
