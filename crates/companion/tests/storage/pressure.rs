//! A busy file, a full queue, a caller that goes away: 503 or patience, never a wrong word to a client.

use std::time::Duration;

use keyport_companion::keys::SecretText;
use keyport_companion::storage::{RotateRefresh, Rotation, SqliteSettings, StorageError};
use rusqlite::Connection;

use crate::world::{CLIENT, Engine as _, LAPTOP, Sqlite, World, at};

fn presented(token: &str) -> RotateRefresh {
    RotateRefresh { token: SecretText::new(token), client_id: CLIENT.into(), jkt: LAPTOP }
}

#[tokio::test]
async fn a_busy_database_is_unavailable_and_nobody_is_signed_out() {
    let settings =
        SqliteSettings { busy_timeout: Duration::from_millis(20), ..SqliteSettings::default() };
    let world = World::new(settings);
    let (issued, token) = world.sign_in(LAPTOP, at(0)).await;
    let other = Connection::open(&world.database).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = world.storage.rotate_refresh(presented(&token), at(1)).await;
    assert!(matches!(answer, Err(StorageError::Unavailable(_))), "{answer:?}");
    assert!(world.storage.ready().await.is_err());
    assert!(world.is_alive(&issued, at(1)).await, "reading works on");
    other.execute_batch("ROLLBACK").unwrap();
    world.storage.ready().await.unwrap();
    world.rotate(&token, at(2)).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_its_work_done() {
    let world = Sqlite::fresh();
    let (_, parent) = world.sign_in(LAPTOP, at(0)).await;
    let mut call = world.storage.rotate_refresh(presented(&parent), at(1));
    // Polled once: it is queued. Then the connection is gone.
    assert!(futures_util::poll!(&mut call).is_pending());
    drop(call);
    world.storage.ready().await.unwrap();
    let child = world.rotate(&parent, at(2)).await;
    let grand_child = world.rotate(&child, at(3)).await;
    assert_ne!(child, grand_child);
}

#[tokio::test]
async fn a_queue_that_is_full_makes_callers_wait_and_loses_none() {
    let settings = SqliteSettings { queue: 2, group: 3, ..SqliteSettings::default() };
    let world = World::new(settings);
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    let calls = (0..200).map(|_| world.storage.rotate_refresh(presented(&token), at(1)));
    for answer in futures_util::future::join_all(calls).await {
        assert!(matches!(answer, Ok(Rotation::Rotated(_))), "{answer:?}");
    }
}
