//! A busy file, a full queue, a caller that goes away: 503 or a wait, never a wrong word to a
//! client.

use std::time::Duration;

use keyport_companion::domain::SecretText;
use keyport_companion::storage::{Revoke, Rotation, SqliteSettings, StorageError};
use rusqlite::Connection;

use crate::world::{CLIENT, LAPTOP, Sqlite, World, at, presented};

#[tokio::test]
async fn a_busy_database_is_unavailable_and_ends_no_session() {
    let settings =
        SqliteSettings { busy_timeout: Duration::from_millis(20), ..SqliteSettings::default() };
    let world = World::new(settings);
    let (issued, token) = world.sign_in(LAPTOP, at(0)).await;
    let other = Connection::open(&world.database).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = world.storage.rotate_refresh(presented(&token), at(1)).await;
    assert!(matches!(answer, Err(StorageError::Unavailable(_))), "{answer:?}");
    assert!(world.storage.ready(at(0)).await.is_err());
    assert!(world.is_alive(&issued, at(1)).await, "reading works on");
    other.execute_batch("ROLLBACK").unwrap();
    world.storage.ready(at(0)).await.unwrap();
    world.rotate(&token, at(2)).await;
}

/// Whether it was run or dropped, the device is not signed out.
#[tokio::test]
async fn a_caller_that_goes_away_harms_no_session() {
    let world = Sqlite::fresh();
    let (_, parent) = world.sign_in(LAPTOP, at(0)).await;
    let mut call = world.storage.rotate_refresh(presented(&parent), at(1));
    // Polled once: it is queued, or already done. Then the connection is gone.
    let _ = futures_util::poll!(&mut call);
    drop(call);
    let child = world.rotate(&parent, at(2)).await;
    let grand_child = world.rotate(&child, at(3)).await;
    assert_ne!(child, grand_child);
}

#[tokio::test]
async fn a_revocation_is_done_though_its_caller_has_gone() {
    let world = Sqlite::fresh();
    let (issued, token) = world.sign_in(LAPTOP, at(0)).await;
    let revoke = Revoke::RefreshToken(SecretText::new(token));
    let mut call = world.storage.revoke(revoke, CLIENT.into(), at(1));
    let _ = futures_util::poll!(&mut call);
    drop(call);
    world.storage.ready(at(0)).await.unwrap();
    assert!(!world.is_alive(&issued, at(2)).await);
}

#[tokio::test]
async fn a_queue_that_is_full_says_so_and_ends_no_session() {
    let settings = SqliteSettings { queue: 2, group: 3, ..SqliteSettings::default() };
    let world = World::new(settings);
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    let calls = (0..200).map(|_| world.storage.rotate_refresh(presented(&token), at(1)));
    let answers = futures_util::future::join_all(calls).await;
    for answer in &answers {
        let good = matches!(answer, Ok(Rotation::Rotated(_)) | Err(StorageError::Unavailable(_)));
        assert!(good, "{answer:?}");
    }
    assert!(answers.iter().any(Result::is_ok));
    world.rotate(&token, at(2)).await;
}
