//! A clock that is set wrongly across a restart, and back: nothing is deleted, and no session
//! ends. While the service runs, its clock does not follow such a jump (see `ambient`).

use std::path::PathBuf;
use std::sync::Arc;

use keyport_companion::domain::{RefreshRefusal, Timestamp};
use keyport_companion::keys::Keys;
use keyport_companion::storage::{Rotation, SqliteSettings, StorageError};
use rusqlite::Connection;

use crate::world::{LAPTOP, World, at, attempt, days, keys, presented};

/// One database that is closed and opened again at any time.
struct Disk {
    path: PathBuf,
    keys: Arc<Keys>,
    _folder: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("keyport.db"), keys: keys(), _folder: folder }
    }

    fn open(&self, now: Timestamp) -> World {
        let keys = Arc::clone(&self.keys);
        World::opened_at(self.path.clone(), keys, SqliteSettings::default(), now)
    }

    fn count(&self, rows: &str) -> i64 {
        let db = Connection::open(&self.path).unwrap();
        db.query_row(&format!("SELECT count(*) FROM {rows}"), [], |row| row.get(0)).unwrap()
    }
}

/// Commits that would sweep, `count` of them, eleven seconds apart.
async fn commits(world: &World, from: Timestamp, count: i64) {
    for n in 0..count {
        let now = Timestamp::from_seconds(from.seconds() + 11 * n);
        world.storage.cancel_attempt(attempt(), now).await.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_is_200_days_ahead_after_a_restart_deletes_nothing_and_ends_nothing() {
    let disk = Disk::new();
    let world = disk.open(at(0));
    let (issued, token) = world.sign_in(LAPTOP, at(0)).await;
    commits(&world, at(0), 3).await;
    drop(world);
    let (sessions, audit) = (disk.count("sessions"), disk.count("audit"));

    let wrong = at(60).plus(days(200));
    let world = disk.open(wrong);
    let refused = world.storage.rotate_refresh(presented(&token), wrong).await;
    assert!(matches!(refused, Err(StorageError::Unavailable(_))), "not terminal: {refused:?}");
    commits(&world, wrong, 10).await;
    drop(world);
    assert_eq!((disk.count("sessions"), disk.count("device_keys")), (sessions, 1));
    assert!(disk.count("audit") >= audit);

    let world = disk.open(at(600));
    assert!(world.is_alive(&issued, at(600)).await);
    let child = world.rotate(&token, at(600)).await;
    commits(&world, at(700), 3).await;
    world.rotate(&child, at(800)).await;
}

#[tokio::test]
async fn audit_rows_survive_a_clock_that_is_years_ahead_after_a_restart() {
    let disk = Disk::new();
    let world = disk.open(at(0));
    world.sign_in(LAPTOP, at(0)).await;
    drop(world);
    let before = disk.count("audit WHERE event = 'session_begun'");
    let wrong = at(0).plus(days(2_000));
    let world = disk.open(wrong);
    commits(&world, wrong, 10).await;
    drop(world);
    assert_eq!(disk.count("audit WHERE event = 'session_begun'"), before);
}

#[tokio::test]
async fn a_clock_that_stays_ahead_for_a_day_is_taken_for_right() {
    let disk = Disk::new();
    let world = disk.open(at(0));
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    drop(world);
    let later = at(0).plus(days(200));
    let world = disk.open(later);
    commits(&world, later, 3).await;
    assert_eq!(disk.count("sessions"), 1);
    let next_day = later.plus(days(1));
    let refusal = world.refused_refresh(&token, LAPTOP, next_day).await;
    assert_eq!(refusal, RefreshRefusal::Expired);
    commits(&world, next_day, 3).await;
    assert_eq!(disk.count("sessions"), 0);
    drop(world);
    // And it is remembered: the next start does not doubt it again.
    let world = disk.open(next_day.plus(days(1)));
    commits(&world, next_day.plus(days(1)), 3).await;
    assert_eq!(disk.count("attempts"), 3, "what was older than an hour is swept");
}

#[tokio::test]
async fn a_clock_that_is_behind_after_a_restart_deletes_nothing_and_ends_nothing() {
    let disk = Disk::new();
    let world = disk.open(at(0));
    let (issued, token) = world.sign_in(LAPTOP, at(0)).await;
    commits(&world, at(0), 3).await;
    drop(world);
    let wrong = at(0).minus(days(500));
    let world = disk.open(wrong);
    let child = world.rotate(&token, wrong).await;
    commits(&world, wrong, 10).await;
    commits(&world, wrong.plus(days(1) / 2), 10).await;
    assert_eq!(disk.count("attempts"), 23, "of these, none is swept");
    drop(world);
    let world = disk.open(at(900));
    assert!(world.is_alive(&issued, at(900)).await);
    let rotated = world.present(&child, LAPTOP, at(900)).await;
    assert!(matches!(rotated, Rotation::Rotated(_)), "{rotated:?}");
}

#[tokio::test]
async fn an_ordinary_restart_sweeps_and_refuses_as_before() {
    let disk = Disk::new();
    let world = disk.open(at(0));
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    let (_, used) = world.sign_in(crate::world::FOREIGN, at(0)).await;
    let last = at(0).plus(days(29));
    assert!(matches!(
        world.present(&used, crate::world::FOREIGN, last).await,
        Rotation::Rotated(_)
    ));
    drop(world);
    let now = last.plus(days(2));
    let world = disk.open(now);
    assert_eq!(world.refused_refresh(&token, LAPTOP, now).await, RefreshRefusal::Expired);
    commits(&world, now, 2).await;
    assert_eq!(disk.count("sessions"), 1);
}
