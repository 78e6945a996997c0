//! Connecting, and bringing the schema up to date: all checks pass or nothing is changed. Several
//! companions may start at once; one brings the schema up and the others wait for it.

use std::error::Error as _;

use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime};
use tokio_postgres::{Config, NoTls, Transaction};

use super::schema::{MIGRATIONS, SCHEMA};
use super::{PostgresSettings, tls};
use crate::config::{DatabaseTls, PostgresAddress};
use crate::domain::Timestamp;
use crate::storage::transitions::{self, Rules};
use crate::storage::{OpenError, StorageParts};

/// "KPRT": the advisory lock of the companion that brings the schema up.
const LOCK: i64 = 0x4b50_5254;

pub(super) async fn open(
    address: &PostgresAddress,
    parts: StorageParts,
    settings: PostgresSettings,
    now: Timestamp,
) -> Result<(Pool, Rules), OpenError> {
    let name = address.name();
    let fault = |cause: String| OpenError::Io { database: name.to_owned(), cause };
    let mut config = address.config().clone();
    configure(&mut config, settings);
    let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match address.tls() {
        DatabaseTls::Off => Manager::from_config(config, NoTls, manager_config),
        DatabaseTls::VerifyFull { roots } => {
            let connector = tls::connector(roots.as_deref()).map_err(fault)?;
            Manager::from_config(config, connector, manager_config)
        }
    };
    let pool = Pool::builder(manager)
        .max_size(settings.connections.max(1))
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(settings.connect_timeout))
        .create_timeout(Some(settings.connect_timeout))
        .build()
        .map_err(|error| fault(error.to_string()))?;
    let mut connection = pool.get().await.map_err(|error| fault(why_not(&error)))?;
    let explain = |error: tokio_postgres::Error| fault(said(&error));
    let transaction = connection.transaction().await.map_err(explain)?;
    bring_up(&transaction, name, &parts).await?;
    let latest = transaction
        .query_one("SELECT latest_seen FROM binding", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(explain)?;
    let (clock, is_plausible) = transitions::judge_clock(latest, now);
    if is_plausible {
        let sql = "UPDATE binding SET latest_seen = greatest(latest_seen, $1)";
        transaction.execute(sql, &[&now]).await.map_err(explain)?;
    }
    transaction.commit().await.map_err(explain)?;
    drop(connection);
    Ok((pool, Rules { parts, clock }))
}

/// A server that is gone, and a statement that hangs, must not hold an operation for ever.
fn configure(config: &mut Config, settings: PostgresSettings) {
    let limit = settings.operation_timeout;
    let own = format!(
        "-c search_path={SCHEMA} -c statement_timeout={ms} -c lock_timeout={ms} \
         -c idle_in_transaction_session_timeout={twice}",
        ms = limit.as_millis(),
        twice = 2 * limit.as_millis()
    );
    let options =
        config.get_options().map_or_else(|| own.clone(), |given| format!("{given} {own}"));
    config.options(options);
    config.tcp_user_timeout(limit);
    config.connect_timeout(settings.connect_timeout);
    if config.get_application_name().is_none() {
        config.application_name("keyport-companion");
    }
}

async fn bring_up(db: &Transaction<'_>, name: &str, parts: &StorageParts) -> Result<(), OpenError> {
    let explain = |error: tokio_postgres::Error| io_error(name, &error);
    // A migration takes as long as the tables are large, and others wait for it.
    db.batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
        .await
        .map_err(explain)?;
    db.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await.map_err(explain)?;
    let (has_schema, version) = check_schema(db, name, parts).await?;
    if !has_schema {
        db.batch_execute(&format!("CREATE SCHEMA {SCHEMA}")).await.map_err(explain)?;
    }
    for migration in &MIGRATIONS[version.unwrap_or(0)..] {
        db.batch_execute(migration).await.map_err(explain)?;
    }
    let latest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version.is_some() {
        db.execute("UPDATE binding SET version = $1", &[&latest]).await.map_err(explain)?;
    } else {
        let sql = "INSERT INTO binding (singleton, version, key_check) VALUES (TRUE, $1, $2)";
        db.execute(sql, &[&latest, &parts.key_check()]).await.map_err(explain)?;
    }
    Ok(())
}

/// Whether the schema is there, and the version of its tables if they are: ours, of this key file,
/// and not newer than this program.
async fn check_schema(
    db: &Transaction<'_>,
    name: &str,
    parts: &StorageParts,
) -> Result<(bool, Option<usize>), OpenError> {
    let explain = |error: tokio_postgres::Error| io_error(name, &error);
    let found = db
        .query_one(
            "SELECT to_regnamespace($1) IS NOT NULL, to_regclass($1 || '.binding') IS NOT NULL,
                    (SELECT count(*) FROM pg_tables WHERE schemaname = $1)",
            &[&SCHEMA],
        )
        .await
        .map_err(explain)?;
    let (has_schema, has_binding, tables): (bool, bool, i64) =
        (found.get(0), found.get(1), found.get(2));
    if !has_binding {
        return match tables {
            0 => Ok((has_schema, None)),
            _ => Err(OpenError::Foreign(name.to_owned())),
        };
    }
    let row = db.query_one("SELECT version, key_check FROM binding", &[]).await.map_err(explain)?;
    let version: i64 = row.try_get(0).map_err(explain)?;
    let key_check: &str = row.try_get(1).map_err(explain)?;
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version > MIGRATIONS.len() {
        let (database, known) = (name.to_owned(), MIGRATIONS.len());
        return Err(OpenError::TooNew { database, found: version, known });
    }
    if !parts.fits_key_check(key_check) {
        return Err(OpenError::WrongKeyFile(name.to_owned()));
    }
    Ok((has_schema, Some(version)))
}

fn io_error(name: &str, error: &tokio_postgres::Error) -> OpenError {
    OpenError::Io { database: name.to_owned(), cause: said(error) }
}

/// What the server or the system says, without the server's detail.
fn said(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(told), _) => told.message().to_owned(),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

fn why_not(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => said(error),
        PoolError::Timeout(_) => "the server did not answer in time".to_owned(),
        error => error.to_string(),
    }
}
