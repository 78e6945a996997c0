//! What the file itself must do: belong to one key and one companion, yield no token, refuse damage, survive a busy or full
//! disk without a wrong word to any client.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keyport_companion::domain::{CancelledBy, GrantId, GrantStage, ProblemCode, RefreshRefusal};
use keyport_companion::keys::{KeyFile, KeyFileError, Keys, SecretText, SystemRandom};
use keyport_companion::storage::{
    OpenError, RotateRefresh, Rotation, SqliteSettings, SqliteStorage, Storage as _, StorageError,
};
use rusqlite::Connection;

use crate::world::{
    CLIENT, Engine as _, LAPTOP, STATE, Sqlite, VERIFIER, World, ada, at, branch_of, days, keys,
    open, redemption,
};

fn opened(path: &Path, keys: &Arc<Keys>) -> Result<SqliteStorage, OpenError> {
    open(path, keys, SqliteSettings::default())
}

fn presented(token: &str) -> RotateRefresh {
    RotateRefresh { token: SecretText::new(token), client_id: CLIENT.into(), jkt: LAPTOP }
}

/// The database, its log and everything else in its folder.
fn bytes_beside(database: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(database.parent().unwrap()).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    bytes
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn sealed_child(database: &Path) -> Vec<u8> {
    let db = Connection::open(database).unwrap();
    db.query_row("SELECT sealed_child FROM families", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn the_file_with_all_old_tokens_yields_no_current_one() {
    let world = Sqlite::fresh();
    let mut tokens = vec![world.sign_in(LAPTOP, at(0)).await.1];
    for second in 1..=8 {
        let child = world.rotate(tokens.last().unwrap(), at(second)).await;
        tokens.push(child);
    }
    let read =
        |text: &String| world.keys.read_refresh_token(&SecretText::new(text.clone())).unwrap();
    let (current, old) = tokens.split_last().unwrap();
    let (parent, older) = old.split_last().unwrap();
    let sealed = sealed_child(&world.database);

    // The thief of the file alone, even with the parent: the salt of the seal is in the key file.
    let thief = keys();
    for token in old {
        assert!(thief.open_child(&read(token), &sealed).is_err());
    }
    // The thief of file and key file, with every token but the parent, in every place of the family.
    for token in older {
        for generation in 0..=8 {
            let forged = keyport_companion::keys::RefreshToken { generation, ..read(token) };
            assert!(world.keys.open_child(&forged, &sealed).is_err());
        }
    }
    // The seal does hold the current token: the tests above would pass on rubbish otherwise.
    let child = world.keys.open_child(&read(parent), &sealed).unwrap();
    assert_eq!(child, read(current).secret);
}

#[tokio::test]
async fn no_secret_is_in_the_file_or_its_log() {
    let world = Sqlite::fresh();
    let mut texts = Vec::new();
    let grant = world.started(branch_of(LAPTOP), at(0)).await;
    world.fulfil(grant, ada(), at(0)).await;
    let code = world.mint(grant, at(0)).await;
    let issued = world.redeemed(redemption(&code), at(0)).await;
    let mut token = crate::world::refresh_token(&issued);
    let mut raw = Vec::new();
    for second in 1..=20 {
        raw.push(
            *world
                .keys
                .read_refresh_token(&SecretText::new(token.clone()))
                .unwrap()
                .secret
                .expose(),
        );
        texts.push(token.clone());
        token = world.rotate(&token, at(second)).await;
    }
    texts.extend([token, code.expose().to_owned(), STATE.to_owned(), VERIFIER.to_owned()]);
    let bytes = bytes_beside(&world.database);
    assert!(contains(&bytes, b"ada@acme.test"), "the search finds what is there");
    for text in &texts {
        assert!(!contains(&bytes, text.as_bytes()), "a secret is in the file");
    }
    for secret in &raw {
        assert!(!contains(&bytes, secret), "the bytes of a secret are in the file");
    }
}

#[tokio::test]
async fn a_revoked_family_keeps_no_seal() {
    let world = Sqlite::fresh();
    let (_, first) = world.sign_in(LAPTOP, at(0)).await;
    let second = world.rotate(&first, at(1)).await;
    world.rotate(&second, at(2)).await;
    world.refused_refresh(&first, LAPTOP, at(3)).await;
    let db = Connection::open(&world.database).unwrap();
    let seal: Option<Vec<u8>> =
        db.query_row("SELECT sealed_child FROM families", [], |row| row.get(0)).unwrap();
    assert_eq!(seal, None);
}

#[tokio::test]
async fn a_grant_that_is_over_keeps_no_state_of_the_client() {
    let world = Sqlite::fresh();
    let minted = world.started(branch_of(LAPTOP), at(0)).await;
    world.fulfil(minted, ada(), at(0)).await;
    world.mint(minted, at(0)).await;
    let failed = world.started(branch_of(LAPTOP), at(0)).await;
    let problem = ProblemCode::new("access_denied").unwrap();
    world.storage.fail_grant(failed, problem, at(0)).await.unwrap();
    let cancelled = world.started(branch_of(LAPTOP), at(0)).await;
    world.storage.cancel_grant(cancelled, CancelledBy::Person, at(0)).await.unwrap();
    let waiting = world.started(branch_of(LAPTOP), at(0)).await;
    let db = Connection::open(&world.database).unwrap();
    let keeps = |grant: GrantId| -> bool {
        let sql = "SELECT sealed_state IS NOT NULL FROM grants WHERE id = ?1";
        db.query_row(sql, [grant.as_bytes()], |row| row.get(0)).unwrap()
    };
    assert_eq!([minted, failed, cancelled, waiting].map(keeps), [false, false, false, true]);
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
    // The same generation, but not the same token: there is one live branch.
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
async fn every_end_of_a_session_is_audited_without_a_secret() {
    let world = Sqlite::fresh();
    let (issued, first) = world.sign_in(LAPTOP, at(0)).await;
    let second = world.rotate(&first, at(1)).await;
    world.rotate(&second, at(2)).await;
    world.refused_refresh(&first, LAPTOP, at(3)).await;
    let db = Connection::open(&world.database).unwrap();
    let rows: Vec<(i64, String, Option<String>)> = db
        .prepare("SELECT at, event, detail FROM audit WHERE session_id = ?1 ORDER BY id")
        .unwrap()
        .query_map([issued.session.id.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(
        rows,
        [
            (at(0).seconds(), "session_begun".to_owned(), None),
            (at(3).seconds(), "session_ended".to_owned(), Some("token_replayed".to_owned())),
        ]
    );
}

#[tokio::test]
async fn a_second_engine_on_the_same_file_is_refused_and_the_first_works_on() {
    let world = Sqlite::fresh();
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    let second = opened(&world.database, &world.keys);
    assert!(matches!(second, Err(OpenError::InUse(_))), "{second:?}");
    world.rotate(&token, at(1)).await;
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
    let grant = world.started(branch_of(LAPTOP), at(0)).await;
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
    opened(&path, &right).unwrap().ready().await.unwrap();
}

#[test]
fn a_database_without_its_key_file_is_refused_and_gets_no_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (database, key) = (folder.path().join("keyport.db"), folder.path().join("keyport.key"));
    let made = KeyFile::read_or_create(&key, Some(&database), &SystemRandom).unwrap();
    drop(opened(&database, &Arc::new(Keys::derive(&made))).unwrap());
    let again = KeyFile::read_or_create(&key, Some(&database), &SystemRandom).unwrap();
    drop(opened(&database, &Arc::new(Keys::derive(&again))).unwrap());

    std::fs::remove_file(&key).unwrap();
    let missing = KeyFile::read_or_create(&key, Some(&database), &SystemRandom);
    assert!(matches!(missing, Err(KeyFileError::MissingBesideDatabase { .. })), "{missing:?}");
    assert!(!key.exists());
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
    let made = KeyFile::read_or_create(&key, Some(&database), &SystemRandom).unwrap();
    let storage = opened(&database, &Arc::new(Keys::derive(&made))).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
    }
    drop(storage);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let open_key = KeyFile::read_or_create(&key, Some(&database), &SystemRandom);
    assert!(matches!(open_key, Err(KeyFileError::Permissions { mode: 0o640, .. })), "{open_key:?}");
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

#[tokio::test]
async fn dead_rows_are_swept_a_few_at_a_time() {
    let world = Sqlite::fresh();
    let begins = (0..200).map(|_| world.begin(branch_of(LAPTOP), at(0)));
    futures_util::future::join_all(begins).await;
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    let count = |table: &str| -> i64 {
        let db = Connection::open(&world.database).unwrap();
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count("grants"), 201);
    let much_later = at(0).plus(days(29));
    let child = world.rotate(&token, much_later).await;
    assert_eq!(count("grants"), 201 - 64, "one commit sweeps no more than 64 rows of a table");
    let mut child = child;
    for _ in 0..3 {
        child = world.rotate(&child, much_later).await;
    }
    assert_eq!(count("grants"), 0);
    assert_eq!(count("sessions"), 1, "what lives stays");
    let over = much_later.plus(days(30));
    let refusal = world.refused_refresh(&child, LAPTOP, over).await;
    assert_eq!(refusal, RefreshRefusal::Expired);
    assert_eq!((count("sessions"), count("families")), (0, 0));
}
