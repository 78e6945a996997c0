//! Opening the database: all checks pass or nothing is changed and nothing is opened. One engine
//! per file, held by a lock file beside it; one key file per database, held by a value that only
//! this key opens. A symbolic link in the settings is followed first: SQLite keeps its files beside
//! what the link leads to.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior};

use super::files::{DatabaseFiles, beside};
use super::lock::{Lock, private};
use super::schema::{APPLICATION_ID, MIGRATIONS};
use super::{SqliteSettings, audit, sweep};
use crate::domain::{ClockPlausibility, ProblemCode, Timestamp};
use crate::storage::transitions::{self, AuditEntry, Rules};
use crate::storage::{GiveParts, OpenError, StorageParts};

/// What an engine holds while it is open.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
    pub(super) files: DatabaseFiles,
    pub(super) rules: Rules,
}

pub(super) fn open(
    named: &Path,
    parts: GiveParts<'_>,
    settings: SqliteSettings,
    now: Timestamp,
) -> Result<(Opened, Lock), OpenError> {
    let lock = Lock::take(&create_private(named)?)?;
    // Once more: a start that failed may have removed it before the lock was taken.
    let path = create_private(named)?;
    let opened = open_locked(named, &path, parts, settings, now);
    if opened.is_err() {
        remove_if_empty(&path, &lock);
    }
    Ok((opened?, lock))
}

/// A first start that failed leaves nothing behind; under the lock, so that no other has the file.
fn remove_if_empty(path: &Path, _: &Lock) {
    if std::fs::metadata(path).is_ok_and(|found| found.len() == 0) {
        let _ = std::fs::remove_file(path);
        let _ = std::fs::remove_file(beside(path, ".lock"));
    }
}

fn open_locked(
    named: &Path,
    path: &Path,
    parts: GiveParts<'_>,
    settings: SqliteSettings,
    now: Timestamp,
) -> Result<Opened, OpenError> {
    let explain = |error| explain(path, &error);
    let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, settings).map_err(explain)?;
    let is_new = recognise(path, &writer)?;
    // Found at start, damage costs one restart; found later, it costs a sign-in here and there.
    let check: String =
        writer.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(explain)?;
    if check != "ok" {
        return Err(OpenError::Damaged { database: name(path), cause: check });
    }
    let parts = parts((!is_new).then(|| name(path)).as_deref())?;
    prepare_writer(path, &writer)?;
    let transaction =
        writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(explain)?;
    bring_up(path, &transaction, &parts)?;
    let clock = judge_clock(&transaction, now).map_err(explain)?;
    let rules = Rules { parts, clock };
    fail_interrupted(&transaction, &rules, now).map_err(explain)?;
    transaction.commit().map_err(explain)?;
    writer.pragma_update(None, "foreign_keys", "ON").map_err(explain)?;
    let files = DatabaseFiles::of(named, path).map_err(|cause| io_error(path, &cause))?;
    let connect = |_| connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY, settings);
    let readers = (0..settings.readers.max(1)).map(connect).collect::<Result<_, _>>();
    Ok(Opened { writer, readers: readers.map_err(explain)?, files, rules })
}

/// SQLite would make the file with the permissions of the umask. The path without symbolic links.
fn create_private(named: &Path) -> Result<PathBuf, OpenError> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    let created = private(&mut options).open(named).map(drop);
    created.and_then(|()| named.canonicalize()).map_err(|cause| io_error(named, &cause))
}

fn io_error(path: &Path, cause: &std::io::Error) -> OpenError {
    OpenError::Io { database: name(path), cause: cause.to_string() }
}

/// How a message names the database.
fn name(path: &Path) -> String {
    path.display().to_string()
}

fn connect(
    path: &Path,
    flags: OpenFlags,
    settings: SqliteSettings,
) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(settings.busy_timeout)?;
    db.set_prepared_statement_cache_capacity(128);
    Ok(db)
}

/// Tells an empty or an own file from any other before anything is written to it. True if it is
/// empty.
fn recognise(path: &Path, db: &Connection) -> Result<bool, OpenError> {
    let explain = |error| explain(path, &error);
    let objects: i64 = db
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(explain)?;
    let id: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(explain)?;
    if objects > 0 && id != APPLICATION_ID {
        return Err(OpenError::Foreign(name(path)));
    }
    Ok(objects == 0)
}

fn prepare_writer(path: &Path, db: &Connection) -> Result<(), OpenError> {
    let explain = |error| explain(path, &error);
    // SQLite stays with another mode, without an error, where the file system allows no other.
    let mode: String = db
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(explain)?;
    if mode != "wal" {
        let cause = "its file system allows no write-ahead log".to_owned();
        return Err(OpenError::Io { database: name(path), cause });
    }
    set_durability(db).map_err(explain)
}

fn set_durability(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "secure_delete", "ON")?;
    // A migration that makes a table anew drops the old one, and nothing that refers to it.
    db.pragma_update(None, "foreign_keys", "OFF")?;
    // After a checkpoint the log shrinks back to this many bytes.
    db.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)
}

fn bring_up(path: &Path, db: &Transaction<'_>, parts: &StorageParts) -> Result<(), OpenError> {
    let explain = |error| explain(path, &error);
    let version: i64 =
        db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(explain)?;
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version > MIGRATIONS.len() {
        let (database, known) = (name(path), MIGRATIONS.len());
        return Err(OpenError::TooNew { database, found: version, known });
    }
    if version > 0 {
        check_key(path, db, parts)?;
    }
    for migration in &MIGRATIONS[version..] {
        db.execute_batch(migration).map_err(explain)?;
    }
    db.pragma_update(None, "user_version", MIGRATIONS.len()).map_err(explain)?;
    check_references(path, db)?;
    if version == 0 {
        db.pragma_update(None, "application_id", APPLICATION_ID).map_err(explain)?;
        db.execute(
            "INSERT INTO binding (singleton, key_check) VALUES (1, ?1)",
            [parts.key_check()],
        )
        .map_err(explain)?;
    }
    Ok(())
}

fn check_references(path: &Path, db: &Connection) -> Result<(), OpenError> {
    let broken: Option<String> = db
        .query_row("PRAGMA foreign_key_check", [], |row| row.get(0))
        .optional()
        .map_err(|error| explain(path, &error))?;
    broken.map_or(Ok(()), |table| {
        let cause = format!("rows of {table} refer to rows that are not there");
        Err(OpenError::Damaged { database: name(path), cause })
    })
}

/// Compares the clock with the latest time that the database has seen.
fn judge_clock(db: &Connection, now: Timestamp) -> rusqlite::Result<ClockPlausibility> {
    let latest = db.query_row("SELECT latest_seen FROM binding", [], |row| row.get(0))?;
    let (clock, is_plausible) = transitions::judge_clock(latest, now);
    if is_plausible {
        sweep::remember_time(db, now)?;
    }
    Ok(clock)
}

fn check_key(path: &Path, db: &Connection, parts: &StorageParts) -> Result<(), OpenError> {
    let sealed: Option<String> = db
        .query_row("SELECT key_check FROM binding", [], |row| row.get(0))
        .optional()
        .map_err(|error| explain(path, &error))?;
    match sealed {
        Some(sealed) if parts.fits_key_check(&sealed) => Ok(()),
        _ => Err(OpenError::WrongKeyFile(name(path))),
    }
}

/// A caller that waits for one of these exchanges waits for an answer that died with the process
/// before.
fn fail_interrupted(db: &Connection, rules: &Rules, now: Timestamp) -> rusqlite::Result<()> {
    let count = db.execute(
        "UPDATE grants SET stage = 'failed', problem = ?1, sealed_state = NULL
         WHERE stage = 'pending'",
        [&ProblemCode::interrupted()],
    )?;
    if count > 0 {
        tracing::warn!(count, "exchanges were in flight when the service stopped");
        audit::write(db, rules, &AuditEntry::interrupted(now))?;
    }
    Ok(())
}

fn explain(path: &Path, error: &rusqlite::Error) -> OpenError {
    let (database, cause) = (name(path), error.to_string());
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => OpenError::Foreign(database),
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => OpenError::Damaged { database, cause },
        _ => OpenError::Io { database, cause },
    }
}
