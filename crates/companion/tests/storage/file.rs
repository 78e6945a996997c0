//! Opening the file: it belongs to one key and to one companion, damage is refused and said, a
//! restart loses nothing.

use std::path::Path;
use std::sync::Arc;

use keyport_companion::config::DatabaseAddress;
use keyport_companion::domain::{GrantStage, Limits, ProblemCode, RefreshRefusal, SystemRandom};
use keyport_companion::keys::{KeyFile, KeyFileError, Keys};
use keyport_companion::storage::{
    OpenError, SqliteSettings, SqliteStorage, Storage as _, check_place,
};
use rusqlite::Connection;

use crate::world::{LAPTOP, Sqlite, World, at, authorization_of, keys, open, parts};

fn opened(path: &Path, keys: &Arc<Keys>) -> Result<SqliteStorage, OpenError> {
    open(path, keys, SqliteSettings::default())
}

#[tokio::test]
async fn a_restored_copy_refuses_the_tokens_of_the_lost_days_and_ends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (path, keys) = (folder.path().join("keyport.db"), keys());
    let copy = folder.path().join("copy.db");
    let reopen = || World::at_path(path.clone(), Arc::clone(&keys), SqliteSettings::default());
    let world = reopen();
    let (issued, first) = world.sign_in(LAPTOP, at(0)).await;
    drop(world);
    std::fs::copy(&path, &copy).unwrap();
    let world = reopen();
    let lost_second = world.rotate(&first, at(1)).await;
    let lost_third = world.rotate(&lost_second, at(2)).await;
    drop(world);
    std::fs::copy(&copy, &path).unwrap();

    let world = reopen();
    // From generations that the copy does not know.
    for lost in [&lost_second, &lost_third] {
        let refusal = world.refused_refresh(lost, LAPTOP, at(3)).await;
        assert_eq!(refusal, RefreshRefusal::Unknown);
    }
    // The same generation, but not the same token: there is one live upstream authorization.
    let second = world.rotate(&first, at(4)).await;
    assert_ne!(second, lost_second);
    let refusal = world.refused_refresh(&lost_second, LAPTOP, at(5)).await;
    assert_eq!(refusal, RefreshRefusal::Unknown);
    let third = world.rotate(&second, at(6)).await;
    let refusal = world.refused_refresh(&lost_second, LAPTOP, at(7)).await;
    assert_eq!(refusal, RefreshRefusal::Unknown);
    assert!(world.is_alive(&issued, at(7)).await);
    world.rotate(&third, at(8)).await;
}

#[tokio::test]
async fn a_second_engine_on_the_same_file_is_refused_and_the_first_works_on() {
    let world = Sqlite::fresh();
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    let second = opened(&world.database, &world.keys);
    assert!(matches!(second, Err(OpenError::InUse(_))), "{second:?}");
    world.rotate(&token, at(1)).await;
}

/// The lock may be let go while it is waited for: a predecessor that is ending is not another
/// companion.
#[test]
fn a_predecessor_that_is_about_to_end_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (path, keys) = (folder.path().join("keyport.db"), keys());
    let predecessor = opened(&path, &keys).unwrap();
    let ending = std::thread::spawn(move || {
        // The fault itself and no wait for readiness: it ends while the next one already tries.
        std::thread::sleep(std::time::Duration::from_millis(200));
        drop(predecessor);
    });
    opened(&path, &keys).unwrap();
    ending.join().unwrap();
}

#[tokio::test]
async fn a_closed_file_opens_again_with_everything_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (path, keys) = (folder.path().join("keyport.db"), keys());
    let world = World::at_path(path.clone(), Arc::clone(&keys), SqliteSettings::default());
    let (_, parent) = world.sign_in(LAPTOP, at(0)).await;
    let child = world.rotate(&parent, at(1)).await;
    drop(world);
    let world = World::at_path(path, keys, SqliteSettings::default());
    assert_eq!(world.rotate(&parent, at(2)).await, child);
}

#[tokio::test]
async fn an_exchange_that_was_in_flight_asks_to_sign_in_again_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (path, keys) = (folder.path().join("keyport.db"), keys());
    let world = World::at_path(path.clone(), Arc::clone(&keys), SqliteSettings::default());
    let grant = world.started(authorization_of(LAPTOP), at(0)).await;
    drop(world);
    let world = World::at_path(path, keys, SqliteSettings::default());
    let shown = world.storage.read_grant(grant, at(1)).await.unwrap().unwrap();
    assert_eq!(shown.grant.stage, GrantStage::Failed { problem: ProblemCode::interrupted() });
}

#[tokio::test]
async fn another_key_file_is_refused_and_the_right_one_still_opens() {
    let folder = tempfile::tempdir().unwrap();
    let (path, right) = (folder.path().join("keyport.db"), keys());
    drop(opened(&path, &right).unwrap());
    let before = std::fs::read(&path).unwrap();
    let wrong = opened(&path, &keys());
    assert!(matches!(wrong, Err(OpenError::WrongKeyFile(_))), "{wrong:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before, "a refused start changes nothing");
    opened(&path, &right).unwrap().ready(at(0)).await.unwrap();
}

/// As a start does: with the key file of this path.
fn started(database: &Path, key: &Path) -> Result<SqliteStorage, OpenError> {
    let parts = |existing: Option<&str>| {
        let file = KeyFile::read_or_create(key, existing, &SystemRandom)?;
        Ok(parts(Arc::new(Keys::derive(&file)), Limits::default()))
    };
    SqliteStorage::open(database, &parts, SqliteSettings::default(), at(0))
}

#[test]
fn a_database_without_its_key_file_is_refused_and_gets_no_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (database, key) = (folder.path().join("keyport.db"), folder.path().join("keyport.key"));
    drop(started(&database, &key).unwrap());
    drop(started(&database, &key).unwrap());

    std::fs::remove_file(&key).unwrap();
    let before = std::fs::read(&database).unwrap();
    let missing = started(&database, &key);
    let missing = missing.map(drop).unwrap_err();
    let told = matches!(missing, OpenError::Key(KeyFileError::MissingBesideDatabase { .. }));
    assert!(told, "{missing:?}");
    assert!(!key.exists());
    assert_eq!(std::fs::read(&database).unwrap(), before);
}

#[test]
fn a_first_start_without_a_key_file_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("keyport.db");
    let refused = started(&database, &folder.path().join("nowhere/keyport.key")).map(drop);
    assert!(matches!(refused, Err(OpenError::Key(KeyFileError::Io { .. }))), "{refused:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    started(&database, &folder.path().join("keyport.key")).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyport.db");
    let text = "an important letter, not a database\n".repeat(200);
    std::fs::write(&path, &text).unwrap();
    let refused = opened(&path, &keys());
    assert!(matches!(refused, Err(OpenError::Foreign(_))), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    let path = folder.path().join("music.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    drop(other);
    let refused = opened(&path, &keys());
    assert!(matches!(refused, Err(OpenError::Foreign(_))), "{refused:?}");
}

#[tokio::test]
async fn a_damaged_database_is_refused_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let (path, keys) = (folder.path().join("keyport.db"), keys());
    let world = World::at_path(path.clone(), Arc::clone(&keys), SqliteSettings::default());
    for _ in 0..3 {
        world.sign_in(LAPTOP, at(0)).await;
    }
    drop(world);
    let whole = std::fs::read(&path).unwrap();
    const PAGE: usize = 4096;
    assert!(whole.len() > 8 * PAGE);
    for page in 1..whole.len() / PAGE {
        let mut damaged = whole.clone();
        damaged[page * PAGE..page * PAGE + 64].fill(0xa5);
        std::fs::write(&path, &damaged).unwrap();
        let refused = opened(&path, &keys);
        assert!(matches!(refused, Err(OpenError::Damaged { .. })), "page {page}: {refused:?}");
    }
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let refused = opened(&path, &keys);
    assert!(matches!(refused, Err(OpenError::Damaged { .. })), "cut in half: {refused:?}");
    std::fs::write(&path, &whole).unwrap();
    opened(&path, &keys).unwrap();
}

#[test]
fn a_database_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, keys) = (folder.path().join("keyport.db"), keys());
    drop(opened(&path, &keys).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 999).unwrap();
    let refused = opened(&path, &keys);
    assert!(matches!(refused, Err(OpenError::TooNew { found: 999, .. })), "{refused:?}");
}

#[test]
fn a_folder_that_is_missing_or_takes_no_files_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let missing = opened(&folder.path().join("nowhere/keyport.db"), &keys());
    assert!(matches!(missing, Err(OpenError::Io { .. })), "{missing:?}");
    // Read-only for root too.
    #[cfg(target_os = "linux")]
    {
        let read_only = opened(Path::new("/proc/keyport.db"), &keys());
        assert!(matches!(read_only, Err(OpenError::Io { .. })), "{read_only:?}");
    }
}

#[cfg(unix)]
#[test]
fn database_and_key_file_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (database, key) = (folder.path().join("keyport.db"), folder.path().join("keyport.key"));
    let storage = started(&database, &key).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    drop(storage);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = started(&database, &key).map(drop).unwrap_err();
    let told = matches!(refused, OpenError::Key(KeyFileError::Permissions { mode: 0o640, .. }));
    assert!(told, "{refused:?}");
}

#[test]
fn a_path_that_can_hold_no_database_is_told_as_the_databases_and_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"x").unwrap();
    let told = |path: &Path| match check_place(&DatabaseAddress::Sqlite(path.to_owned())) {
        Err(OpenError::Io { database, cause }) if database == path.display().to_string() => cause,
        other => panic!("{other:?}"),
    };
    assert!(told(&folder.path().join("none/keyport.db")).starts_with("its folder cannot be used"));
    assert!(told(&file.join("keyport.db")).contains("is a file"));
    assert!(told(folder.path()).contains("a folder"));
    let fits = DatabaseAddress::Sqlite(folder.path().join("keyport.db"));
    assert!(check_place(&fits).is_ok());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
