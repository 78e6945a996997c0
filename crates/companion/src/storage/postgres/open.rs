//! Bringing the schema up to date: all checks pass or nothing is changed. Several companions may
//! start at once; one brings the schema up and the others wait for it.

use std::pin::pin;
use std::time::Duration;

use deadpool_postgres::{Pool, Transaction};
use tokio_postgres::error::SqlState;

use super::PostgresSettings;
use super::advisory::AdvisoryLock;
use super::connect;
use super::engine::storage_error;
use super::failure::said;
use super::guard::{Guard, agree};
use super::schema::{MIGRATIONS, SCHEMA, probe};
use crate::config::PostgresAddress;
use crate::domain::Timestamp;
use crate::storage::transitions::{self, Rules};
use crate::storage::{GiveParts, OpenError, StorageParts};

/// A start that waits for longer says what for.
const WAITS_IN_SILENCE: Duration = Duration::from_secs(1);

/// A database that is ours.
pub(super) struct Opened {
    pub(super) pool: Pool,
    pub(super) rules: Rules,
    pub(super) guard: Guard,
}

pub(super) async fn open(
    address: &PostgresAddress,
    parts: GiveParts<'_>,
    settings: PostgresSettings,
    now: Timestamp,
) -> Result<Opened, OpenError> {
    let name = address.name();
    let pool = connect::pool(address, settings)?;
    let mut connection = connect::first(&pool, address).await?;
    let transaction = connection.transaction().await.map_err(|error| explain(name, &error))?;
    let parts = telling(name, bring_up(&transaction, name, parts, settings)).await?;
    let opened = judge(&transaction, parts, settings, now).await;
    let (rules, guard) = opened.map_err(|error| explain(name, &error))?;
    transaction.commit().await.map_err(|error| explain(name, &error))?;
    drop(connection);
    Ok(Opened { pool, rules, guard })
}

/// Says what a start waits for.
async fn telling<T>(name: &str, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    match tokio::time::timeout(WAITS_IN_SILENCE, &mut work).await {
        Ok(done) => done,
        Err(_) => {
            tracing::warn!(
                database = name,
                "waiting for the schema {SCHEMA}: another companion brings it up, or another \
                 session holds a lock on its tables"
            );
            work.await
        }
    }
}

/// Judges our clock by the latest time that the database has seen, which an instance whose clock
/// does not agree with the database's must not move.
async fn judge(
    db: &Transaction<'_>,
    parts: StorageParts,
    settings: PostgresSettings,
    now: Timestamp,
) -> Result<(Rules, Guard), tokio_postgres::Error> {
    let sql = "SELECT key_check, latest_seen, extract(epoch FROM clock_timestamp())::bigint
               FROM binding";
    let row = db.query_one(sql, &[]).await?;
    let (clock, is_plausible) = transitions::judge_clock(row.try_get(1)?, now);
    if is_plausible && agree(now, row.try_get(2)?, settings.clock_difference) {
        let sql = "UPDATE binding SET latest_seen = greatest(latest_seen, $1)";
        db.execute(sql, &[&now]).await?;
    }
    let guard = Guard::new(row.try_get(0)?, settings.clock_difference);
    Ok((Rules { parts, clock }, guard))
}

async fn bring_up(
    db: &Transaction<'_>,
    name: &str,
    parts: GiveParts<'_>,
    settings: PostgresSettings,
) -> Result<StorageParts, OpenError> {
    let explain = |error: tokio_postgres::Error| explain(name, &error);
    // A migration takes as long as the tables are large, and others wait for it.
    let wait = settings.schema_timeout.as_millis();
    let limits = format!("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {wait}");
    db.batch_execute(&limits).await.map_err(explain)?;
    AdvisoryLock::Schema.hold(db).await.map_err(|failure| OpenError::Io {
        database: name.to_owned(),
        cause: format!(
            "another companion has been bringing its schema up for too long: {}",
            storage_error(failure)
        ),
    })?;
    let (has_schema, ours) = check_schema(db, name, parts).await?;
    if !has_schema {
        db.batch_execute(&format!("CREATE SCHEMA {SCHEMA}")).await.map_err(explain)?;
    }
    let version = ours.as_ref().map_or(0, |(version, _)| *version);
    for migration in &MIGRATIONS[version..] {
        db.batch_execute(migration).await.map_err(explain)?;
    }
    let latest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let parts = match ours {
        Some((_, parts)) => {
            let sql = "UPDATE binding SET version = $1 WHERE version <> $1";
            db.execute(sql, &[&latest]).await.map_err(explain)?;
            parts
        }
        None => {
            let parts = parts(None)?;
            let sql = "INSERT INTO binding (singleton, version, key_check) VALUES (TRUE, $1, $2)";
            db.execute(sql, &[&latest, &parts.key_check()]).await.map_err(explain)?;
            parts
        }
    };
    db.batch_execute(&probe()).await.map_err(explain)?;
    Ok(parts)
}

/// Whether the schema is there, and the version of its tables with the parts that fit them, if they
/// are: ours, of this key file, and not newer than this program.
async fn check_schema(
    db: &Transaction<'_>,
    name: &str,
    parts: GiveParts<'_>,
) -> Result<(bool, Option<(usize, StorageParts)>), OpenError> {
    let explain = |error: tokio_postgres::Error| explain(name, &error);
    let found = db
        .query_one(
            "SELECT to_regnamespace($1) IS NOT NULL,
                    EXISTS (SELECT 1 FROM pg_tables
                            WHERE schemaname = $1 AND tablename = 'binding'),
                    (SELECT count(*) FROM pg_type WHERE typnamespace = to_regnamespace($1)),
                    current_setting('server_encoding')",
            &[&SCHEMA],
        )
        .await
        .map_err(explain)?;
    let (has_schema, has_binding, types): (bool, bool, i64) =
        (found.get(0), found.get(1), found.get(2));
    let encoding: &str = found.get(3);
    if encoding != "UTF8" {
        let (database, encoding) = (name.to_owned(), encoding.to_owned());
        return Err(OpenError::Encoding { database, encoding });
    }
    if !has_binding {
        return match types {
            0 => Ok((has_schema, None)),
            _ => Err(OpenError::Foreign(name.to_owned())),
        };
    }
    Ok((has_schema, Some(check_binding(db, name, parts).await?)))
}

/// The version of the tables, and the parts that fit them. Each table, view and type of a schema is
/// a type there, so another program's schema has been refused unless it has a table of this name.
async fn check_binding(
    db: &Transaction<'_>,
    name: &str,
    parts: GiveParts<'_>,
) -> Result<(usize, StorageParts), OpenError> {
    let foreign = || OpenError::Foreign(name.to_owned());
    let row = db.query_opt("SELECT version, key_check FROM binding", &[]).await;
    let row = row.map_err(|error| match error.code() {
        Some(&SqlState::UNDEFINED_COLUMN) => foreign(),
        _ => explain(name, &error),
    })?;
    let row = row.ok_or_else(foreign)?;
    let version: i64 = row.try_get(0).map_err(|_| foreign())?;
    let key_check: &str = row.try_get(1).map_err(|_| foreign())?;
    let version = usize::try_from(version).ok().filter(|version| *version > 0);
    let version = version.ok_or_else(foreign)?;
    if version > MIGRATIONS.len() {
        let (database, known) = (name.to_owned(), MIGRATIONS.len());
        return Err(OpenError::TooNew { database, found: version, known });
    }
    let parts = parts(Some(name))?;
    if !parts.fits_key_check(key_check) {
        return Err(OpenError::WrongKeyFile(name.to_owned()));
    }
    Ok((version, parts))
}

fn explain(name: &str, error: &tokio_postgres::Error) -> OpenError {
    let (database, cause) = (name.to_owned(), said(error));
    match error.code() {
        Some(&SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_COLUMN) => {
            OpenError::Damaged { database, cause }
        }
        Some(&SqlState::LOCK_NOT_AVAILABLE) => OpenError::Io {
            database,
            cause: format!("another session has held a lock on its tables for too long: {cause}"),
        },
        _ => OpenError::Io { database, cause },
    }
}
