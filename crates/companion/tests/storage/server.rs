//! What happens to the PostgreSQL server, its clock and its schema around the service: an instance
//! that does not fit decides nothing, and a start says what is wrong.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyport_companion::ambient::{Clock as _, SystemClock};
use keyport_companion::config::PostgresAddress;
use keyport_companion::domain::{AttemptId, AttemptKey, Limits, Thumbprint, Timestamp};
use keyport_companion::keys::Keys;
use keyport_companion::storage::{
    OpenError, PostgresSettings, PostgresStorage, ReturnedAuthorization, Rotation, Storage,
    StorageError,
};
use keyport_test_postgres::Cluster;
use tokio_postgres::{Client, NoTls};

use crate::world::{
    LAPTOP, Postgres, World, any_time, at, authorization_of, keys, parts, presented,
};

/// Another device of the same person.
const OTHER: Thumbprint = Thumbprint::from_bytes([2; 32]);

/// Another session of the same server.
async fn session(address: &str, sql: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    client
}

fn sql(address: &str, sql: &str) -> String {
    Cluster::shared().sql(address, sql)
}

async fn opened(
    address: &str,
    keys: &Arc<Keys>,
    settings: PostgresSettings,
    now: Timestamp,
) -> Result<PostgresStorage, OpenError> {
    let address = PostgresAddress::parse(address).unwrap();
    let parts = parts(Arc::clone(keys), Limits::default());
    PostgresStorage::open(&address, &|_| Ok(parts.clone()), settings, now).await
}

async fn refused(address: &str, keys: &Arc<Keys>) -> OpenError {
    opened(address, keys, any_time(), at(0)).await.unwrap_err()
}

fn is_unfit<T: std::fmt::Debug>(answer: &Result<T, StorageError>) -> bool {
    matches!(answer, Err(StorageError::Unfit(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_id_that_a_caller_chooses_takes_a_lock_of_the_service() {
    let world = Postgres::fresh().await;
    for lock in [*b"KPsw", *b"KPRT", *b"KPsc"] {
        let number = i32::from_be_bytes(lock);
        let held = format!(
            "BEGIN; SELECT pg_advisory_xact_lock({number});
             SELECT pg_advisory_xact_lock({number}, 0);
             SELECT pg_advisory_xact_lock(0, {number})"
        );
        let _holder = session(world.database.to_str().unwrap(), &held).await;
        let mut id = [0; 16];
        id[4..8].copy_from_slice(&lock);
        let key = AttemptKey { attempt: AttemptId::from_bytes(id), jkt: LAPTOP };
        world.storage.cancel_attempt(key, at(0)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_whose_clock_is_not_the_databases_decides_nothing() {
    let (address, keys) = (Cluster::shared().database(), keys());
    let now = SystemClock::start().now();
    let ahead = |seconds| Timestamp::from_seconds(now.seconds() + seconds);
    let settings = PostgresSettings::default();
    let first = Arc::new(opened(&address, &keys, settings, now).await.unwrap());
    let database = address.clone().into();
    let world = World::of(first, Arc::clone(&keys), database);
    let (issued, token) = world.sign_in(LAPTOP, now).await;
    for wrong in [ahead(2 * 3600), ahead(-90), ahead(90), ahead(6 * 24 * 3600)] {
        let other = opened(&address, &keys, settings, wrong).await.unwrap();
        let attempt = AttemptKey { attempt: AttemptId::from_bytes([1; 16]), jkt: LAPTOP };
        assert!(is_unfit(&other.cancel_attempt(attempt, wrong).await), "no sweep follows");
        assert!(is_unfit(&other.rotate_refresh(presented(&token), wrong).await));
        assert!(is_unfit(&other.read_session(issued.session.id, wrong).await));
        assert!(is_unfit(&other.ready(wrong).await));
        other.ready(ahead(1)).await.unwrap();
        other.rotate_refresh(presented(&token), ahead(1)).await.unwrap();
    }
    assert_eq!(sql(&address, "SELECT count(*) FROM keyport.attempts"), "0");
    let latest = sql(&address, "SELECT latest_seen FROM keyport.binding").parse::<i64>().unwrap();
    assert!(latest.abs_diff(now.seconds()) < 10, "a wrong clock is not the latest time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_made_anew_with_another_key_file_are_left_alone_by_a_running_instance() {
    let world = Postgres::fresh().await;
    let address = world.database.to_str().unwrap();
    let (issued, token) = world.sign_in(LAPTOP, at(0)).await;
    sql(address, "DROP SCHEMA keyport CASCADE");
    let gone = world.storage.rotate_refresh(presented(&token), at(1)).await;
    assert!(matches!(gone, Err(StorageError::Unavailable(_))), "{gone:?}");
    drop(Postgres::opened(address, keys(), at(1)).await);
    for _ in 0..3 {
        assert!(is_unfit(&world.storage.rotate_refresh(presented(&token), at(1)).await));
        assert!(is_unfit(&world.storage.read_session(issued.session.id, at(1)).await));
        assert!(is_unfit(&world.storage.ready(at(1)).await));
        let begun = world.storage.begin_exchange(authorization_of(LAPTOP), at(1)).await;
        assert!(is_unfit(&begun));
    }
    assert_eq!(sql(address, "SELECT count(*) FROM keyport.grants"), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_waits_for_the_schema_for_a_bounded_time() {
    let (address, keys) = (Cluster::shared().database(), keys());
    drop(opened(&address, &keys, any_time(), at(0)).await.unwrap());
    let settings = PostgresSettings { schema_timeout: Duration::from_millis(100), ..any_time() };
    let number = i32::from_be_bytes(*b"KPsc");
    for (held, words) in [
        (format!("BEGIN; SELECT pg_advisory_xact_lock({number}, 0)"), "bringing its schema up"),
        ("BEGIN; LOCK keyport.binding".to_owned(), "lock on its tables"),
    ] {
        let holder = session(&address, &held).await;
        let refused = opened(&address, &keys, settings, at(0)).await.unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
        holder.batch_execute("ROLLBACK").await.unwrap();
    }
    opened(&address, &keys, settings, at(0)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_means_that_a_refresh_works() {
    let world = Postgres::fresh().await;
    let address = world.database.to_str().unwrap();
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    let row = session(address, "BEGIN; SELECT 1 FROM keyport.binding FOR UPDATE").await;
    world.storage.ready(at(0)).await.unwrap();
    world.rotate(&token, at(0)).await;
    drop(row);
    for table in ["families", "sessions", "users", "device_keys"] {
        let holder = session(address, &format!("BEGIN; LOCK keyport.{table}")).await;
        let ready = world.storage.ready(at(0)).await;
        assert!(matches!(ready, Err(StorageError::Unavailable(_))), "{table}: {ready:?}");
        holder.batch_execute("ROLLBACK").await.unwrap();
        world.storage.ready(at(0)).await.unwrap();
    }
    sql(address, "ALTER TABLE keyport.families DROP COLUMN used_at");
    assert!(world.storage.ready(at(0)).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_start_needs_is_looked_at_before_it_is_ready() {
    let keys = keys();
    let fresh = async || {
        let address = Cluster::shared().database();
        drop(opened(&address, &keys, any_time(), at(0)).await.unwrap());
        address
    };
    for fault in ["DROP TABLE keyport.families", "ALTER TABLE keyport.sessions DROP deadline"] {
        let address = fresh().await;
        sql(&address, fault);
        let refused = refused(&address, &keys).await;
        assert!(matches!(refused, OpenError::Damaged { .. }), "{fault}: {refused}");
    }
    let address = fresh().await;
    sql(
        &address,
        "CREATE ROLE poor LOGIN; GRANT USAGE ON SCHEMA keyport TO poor;
         GRANT ALL ON ALL TABLES IN SCHEMA keyport TO poor;
         REVOKE INSERT ON keyport.audit FROM poor",
    );
    let refused = refused(&address.replace("user=keyport", "user=poor"), &keys).await;
    assert!(refused.to_string().contains("permission denied for table audit"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_database_of_the_companion_is_called_so() {
    let keys = keys();
    for other in [
        "UPDATE keyport.binding SET version = 0",
        "UPDATE keyport.binding SET version = -1",
        "DELETE FROM keyport.binding",
        "ALTER TABLE keyport.binding ALTER version TYPE text",
        "ALTER TABLE keyport.binding ALTER key_check DROP NOT NULL;
         UPDATE keyport.binding SET key_check = NULL",
        "DROP TABLE keyport.binding; CREATE TABLE keyport.binding (a int)",
        "DROP SCHEMA keyport CASCADE; CREATE SCHEMA keyport; CREATE TYPE keyport.users AS ENUM ()",
    ] {
        let address = Cluster::shared().database();
        drop(opened(&address, &keys, any_time(), at(0)).await.unwrap());
        sql(&address, other);
        let refused = refused(&address, &keys).await;
        assert!(matches!(refused, OpenError::Foreign(_)), "{other}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_whose_encoding_cannot_hold_every_name_is_refused() {
    let address = Cluster::shared().database();
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let name = format!("other_{}", encoding.to_lowercase());
        sql(&address, &format!("CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0"));
        let start = address.find("keyport_").unwrap();
        let end = address.find('?').unwrap();
        let other = format!("{}{name}{}", &address[..start], &address[end..]);
        let refused = refused(&other, &keys()).await;
        assert!(matches!(refused, OpenError::Encoding { .. }), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_the_server_quotes_no_value() {
    let world = Postgres::fresh().await;
    let device_name = Some("Ada\0".to_owned());
    let authorization = ReturnedAuthorization { device_name, ..authorization_of(LAPTOP) };
    match world.storage.begin_exchange(authorization, at(0)).await {
        Err(StorageError::Unavailable(text)) => {
            assert!(text.contains("22021") && !text.contains("0x"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_for_one_row_leave_connections_for_others() {
    let world = Postgres::fresh().await;
    let (_, hot) = world.sign_in(LAPTOP, at(0)).await;
    let (_, other) = world.sign_in(OTHER, at(0)).await;
    let locked = "BEGIN; SELECT FROM keyport.sessions WHERE jkt = decode(repeat('01', 32), 'hex')
                  FOR UPDATE";
    let holder = session(world.database.to_str().unwrap(), locked).await;
    let mut requests: Vec<_> =
        (0..64).map(|_| world.storage.rotate_refresh(presented(&hot), at(1))).collect();
    for request in &mut requests {
        // Polled once: it has its connection, or its place in a line.
        assert!(futures_util::poll!(request).is_pending());
    }
    let answer = world.present(&other, OTHER, at(1)).await;
    assert!(matches!(answer, Rotation::Rotated(_)), "{answer:?}");
    holder.batch_execute("ROLLBACK").await.unwrap();
    for answer in futures_util::future::join_all(requests).await {
        assert!(matches!(answer, Ok(Rotation::Rotated(_))), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_asked_for_by_the_name_of_a_database_that_has_one() {
    let address = PostgresAddress::parse(&Cluster::shared().database()).unwrap();
    let (parts, asked) = (parts(keys(), Limits::default()), Mutex::new(Vec::new()));
    let give = |existing: Option<&str>| {
        asked.lock().unwrap().push(existing.map(str::to_owned));
        Ok(parts.clone())
    };
    for _ in ["the first start", "a later one"] {
        drop(PostgresStorage::open(&address, &give, any_time(), at(0)).await.unwrap());
    }
    assert_eq!(asked.into_inner().unwrap(), [None, Some(address.name().to_owned())]);
}
