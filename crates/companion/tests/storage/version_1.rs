//! What schema version 1 has written, every later version takes over: sessions go on, a hand-off
//! that was waiting is finished. And a migration that was released is never edited.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use keyport_companion::domain::{GrantId, SystemRandom};
use keyport_companion::keys::{KeyFile, Keys};
use keyport_companion::storage::SqliteSettings;
use keyport_test_postgres::Cluster;
use rusqlite::Connection;

use crate::world::{Postgres, World, at, redemption};

const KEY_FILE: &str = "keyport-key-1:_xxe1TWsnA2o5SsZjedeu8Edsy70LrGmf_1SfYvrbJ8";
const SQLITE: &str = include_str!("version_1/sqlite.sql");
const POSTGRESQL: &str = include_str!("version_1/postgresql.sql");

/// What the device and the browser of version 1 still have.
struct Left {
    parent: &'static str,
    child: &'static str,
    waiting: &'static str,
}

const OF_SQLITE: Left = Left {
    parent: "kpr_RwIcIFmvy5UdOBHtBIxjTwAAAACr2uyVgia-lMkdA0FNo-Kf\
             PUjA1Wv-0vEXyy08A-tWW8fFGNibDJzWA02teiATAKA",
    child: "kpr_RwIcIFmvy5UdOBHtBIxjTwAAAAGbOiFCn34FRoDYayvfMjmz\
            _jY2LC3TOLydem_S6zTbRjQeop4zMMR9IWbIGQ4l35I",
    waiting: "63873e9d4f79c473cefdbd422aeba95f",
};
const OF_POSTGRESQL: Left = Left {
    parent: "kpr_Z2S8s0ut302p_9JEijwE5QAAAABnCx8P73jQ1SvYj6J0rWFA\
             Z7SM-6xIV9IMgfZUO_onljFLMxJ60pFqkeYbugYWUoc",
    child: "kpr_Z2S8s0ut302p_9JEijwE5QAAAAE1ijWvrZq1XMg9IRuN9j-B\
            cEN9Lwxam2YwVCx1eQqKPft8zRS8a_uzQ5bGrqYWPNU",
    waiting: "0bc95d1adf75eb469467d3247833451d",
};

/// The key file of version 1.
fn keys(folder: &Path) -> Arc<Keys> {
    let path = folder.join("keyport.key");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path).unwrap().write_all(KEY_FILE.as_bytes()).unwrap();
    Arc::new(Keys::derive(&KeyFile::read_or_create(&path, None, &SystemRandom).unwrap()))
}

async fn goes_on(world: World, left: Left) {
    // The answer of version 1 was lost: the same child again.
    assert_eq!(world.rotate(left.parent, at(10)).await, left.child);
    world.rotate(left.child, at(11)).await;
    let code = world.mint(left.waiting.parse::<GrantId>().unwrap(), at(12)).await;
    world.redeemed(redemption(&code), at(13)).await;
}

#[tokio::test]
async fn a_sqlite_database_of_version_1_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("keyport.db");
    Connection::open(&database).unwrap().execute_batch(SQLITE).unwrap();
    let world = World::at_path(database, keys(folder.path()), SqliteSettings::default());
    goes_on(world, OF_SQLITE).await;
}

#[tokio::test]
async fn a_postgresql_database_of_version_1_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let address = Cluster::shared().database();
    Cluster::shared().sql(&address, POSTGRESQL);
    let world = Postgres::opened(&address, keys(folder.path()), at(3)).await;
    goes_on(world, OF_POSTGRESQL).await;
}

/// Tables and indexes by name, with their definition.
fn schema(db: &Connection) -> Vec<(String, String)> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn the_first_migration_was_not_edited() {
    let (left, first) =
        (Connection::open_in_memory().unwrap(), Connection::open_in_memory().unwrap());
    left.execute_batch(SQLITE).unwrap();
    first.execute_batch(include_str!("../../src/storage/sqlite/schema/1.sql")).unwrap();
    assert_eq!(schema(&left), schema(&first));
}
