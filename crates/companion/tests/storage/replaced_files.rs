//! Files of the database that lose their names while it is open, and a database behind a symbolic
//! link: SQLite keeps its files beside what the link leads to.

use std::path::Path;
use std::sync::Arc;

use keyport_companion::keys::Keys;
use keyport_companion::storage::{
    OpenError, SqliteSettings, SqliteStorage, Storage as _, StorageError,
};

use crate::world::{Sqlite, at, keys, open};

fn opened(path: &Path, keys: &Arc<Keys>) -> Result<SqliteStorage, OpenError> {
    open(path, keys, SqliteSettings::default())
}

/// SQLite follows the link and puts the write-ahead log beside the file that it leads to.
#[cfg(unix)]
#[tokio::test]
async fn behind_a_symbolic_link_every_file_is_guarded_as_without_one() {
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let folder = tempfile::tempdir().unwrap();
        let (data, link) = (folder.path().join("data"), folder.path().join("link.db"));
        std::fs::create_dir(&data).unwrap();
        let database = data.join("keyport.db");
        // The link leads to nothing before the first start.
        std::os::unix::fs::symlink(&database, &link).unwrap();
        let keys = keys();
        let first = opened(&link, &keys).unwrap();
        for name in [&link, &database] {
            let second = opened(name, &keys);
            assert!(matches!(second, Err(OpenError::InUse(_))), "{name:?}: {second:?}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "folder and link only");
        first.ready(at(0)).await.unwrap();
        let mut file = database.into_os_string();
        file.push(suffix);
        std::fs::remove_file(file).unwrap();
        let refused = first.ready(at(0)).await;
        assert!(matches!(refused, Err(StorageError::FileReplaced(_))), "{suffix}: {refused:?}");
    }
}

/// The next start would open another database than the one that is written now.
#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_that_leads_elsewhere_stops_the_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (database, link) = (folder.path().join("keyport.db"), folder.path().join("link.db"));
    std::os::unix::fs::symlink(&database, &link).unwrap();
    let storage = opened(&link, &keys()).unwrap();
    storage.ready(at(0)).await.unwrap();
    std::fs::remove_file(&link).unwrap();
    assert!(matches!(storage.ready(at(0)).await, Err(StorageError::FileReplaced(_))));
    std::os::unix::fs::symlink(&database, &link).unwrap();
    storage.ready(at(0)).await.unwrap();
}

#[tokio::test]
async fn when_the_lock_file_is_removed_the_engine_that_lost_it_writes_no_more() {
    let world = Sqlite::fresh();
    let mut lock = world.database.clone().into_os_string();
    lock.push(".lock");
    std::fs::remove_file(lock).unwrap();
    let second = opened(&world.database, &world.keys).unwrap();
    second.ready(at(0)).await.unwrap();
    let first = world.storage.ready(at(0)).await;
    assert!(matches!(first, Err(StorageError::FileReplaced(_))), "{first:?}");
}
