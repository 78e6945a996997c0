//! Several companions on one PostgreSQL database: what one of them decides holds for all, a server
//! that ends in the middle ends no session, and a database that is not ours is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyport_companion::config::PostgresAddress;
use keyport_companion::domain::{Limits, SecretText, Thumbprint};
use keyport_companion::keys::Keys;
use keyport_companion::storage::{
    OpenError, PostgresStorage, Redemption, RotateRefresh, Rotation, StorageError,
};
use keyport_test_postgres::Cluster;

use crate::world::{
    LAPTOP, Postgres, STATE, VERIFIER, World, ada, any_time, at, attempt, authorization_of,
    in_parallel_over, keys, parts, presented, redemption, refresh_token,
};

/// Two companions with the same key file on one database.
async fn two() -> [World; 2] {
    let (address, keys) = (Cluster::shared().database(), keys());
    [
        Postgres::opened(&address, Arc::clone(&keys), at(0)).await,
        Postgres::opened(&address, keys, at(0)).await,
    ]
}

async fn refused(address: &str, keys: Arc<Keys>) -> OpenError {
    let address = PostgresAddress::parse(address).unwrap();
    let parts = parts(keys, Limits::default());
    PostgresStorage::open(&address, &|_| Ok(parts.clone()), any_time(), at(0)).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_redemptions_over_two_companions_one_succeeds() {
    let worlds = two().await;
    let code = worlds[0].code(authorization_of(LAPTOP), ada(), at(0)).await;
    let results = in_parallel_over(&worlds, |storage| {
        let request = redemption(&code);
        async move { storage.redeem_code(request, at(1)).await.unwrap() }
    })
    .await;
    let redeemed = results.iter().filter(|result| matches!(result, Redemption::Redeemed(_)));
    assert_eq!(redeemed.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_refreshes_over_two_companions_all_get_one_child() {
    let worlds = two().await;
    let (issued, mut token) = worlds[0].sign_in(LAPTOP, at(0)).await;
    for round in 1..=5 {
        let results = in_parallel_over(&worlds, |storage| {
            let request = presented(&token);
            async move { storage.rotate_refresh(request, at(round)).await.unwrap() }
        })
        .await;
        let mut children: Vec<String> = results
            .iter()
            .map(|result| match result {
                Rotation::Rotated(issued) => refresh_token(issued),
                Rotation::Refused(why) => panic!("round {round}: {why:?}"),
            })
            .collect();
        children.sort();
        children.dedup();
        assert_eq!(children.len(), 1, "one child in round {round}");
        token = children.remove(0);
    }
    assert!(worlds[1].is_alive(&issued, at(6)).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_may_go_through_both_companions() {
    let [one, other] = two().await;
    let grant = one.started(authorization_of(LAPTOP), at(0)).await;
    other.fulfil(grant, ada(), at(1)).await;
    let code = one.mint(grant, at(2)).await;
    let issued = other.redeemed(redemption(&code), at(3)).await;
    let child = one.rotate(&refresh_token(&issued), at(4)).await;
    other.rotate(&child, at(5)).await;
}

/// A device that refreshes until told to end; an answer that is lost is asked for again with the
/// same token, as a client does. Returns how many answers came and how many did not.
async fn keep_refreshing(
    world: Arc<World>,
    jkt: Thumbprint,
    mut token: String,
    end: Arc<AtomicBool>,
) -> (usize, usize) {
    let (mut rotated, mut lost) = (0, 0);
    while !end.load(Ordering::Relaxed) || rotated == 0 {
        let request = RotateRefresh { jkt, ..presented(&token) };
        match world.storage.rotate_refresh(request, at(1)).await {
            Ok(Rotation::Rotated(issued)) => {
                token = refresh_token(&issued);
                rotated += 1;
            }
            Err(StorageError::Unavailable(_)) => {
                lost += 1;
                tokio::task::yield_now().await;
            }
            Ok(Rotation::Refused(why)) => panic!("signed out: {why:?}"),
            Err(other) => panic!("{other}"),
        }
    }
    (rotated, lost)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_in_a_stream_of_refreshes_signs_no_one_out() {
    let cluster = Arc::new(Cluster::new().unwrap());
    let world = Arc::new(Postgres::opened(&cluster.database(), keys(), at(0)).await);
    let end = Arc::new(AtomicBool::new(false));
    let mut devices = Vec::new();
    for n in 10..16 {
        let jkt = Thumbprint::from_bytes([n; 32]);
        let token = world.sign_in(jkt, at(0)).await.1;
        devices.push(tokio::spawn(keep_refreshing(
            Arc::clone(&world),
            jkt,
            token,
            Arc::clone(&end),
        )));
    }
    let server = Arc::clone(&cluster);
    tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            server.crash();
            server.start().unwrap();
        }
    })
    .await
    .unwrap();
    end.store(true, Ordering::Relaxed);
    let mut all_lost = 0;
    for device in devices {
        let (rotated, lost) = device.await.unwrap();
        assert!(rotated > 0);
        all_lost += lost;
    }
    assert!(all_lost > 0, "no crash was felt");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_is_no_refusal() {
    let cluster = Cluster::new().unwrap();
    let world = Postgres::opened(&cluster.database(), keys(), at(0)).await;
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    cluster.crash();
    let answer = world.storage.rotate_refresh(presented(&token), at(1)).await;
    assert!(matches!(answer, Err(StorageError::Unavailable(_))), "{answer:?}");
    let ready = world.storage.ready(at(0)).await;
    assert!(matches!(ready, Err(StorageError::Unavailable(_))), "{ready:?}");
    cluster.start().unwrap();
    // The first calls find the connections that died.
    let rotated = async {
        loop {
            match world.storage.rotate_refresh(presented(&token), at(2)).await {
                Err(StorageError::Unavailable(_)) => tokio::task::yield_now().await,
                answer => break answer.unwrap(),
            }
        }
    };
    assert!(matches!(rotated.await, Rotation::Rotated(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn companions_that_start_at_once_share_an_empty_database() {
    let (address, keys) = (Cluster::shared().database(), keys());
    let starts = (0..8).map(|_| {
        let (address, keys) = (address.clone(), Arc::clone(&keys));
        tokio::spawn(async move { Postgres::opened(&address, keys, at(0)).await })
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.unwrap();
    }
    let versions = Cluster::shared().sql(&address, "SELECT version FROM keyport.binding");
    assert_eq!(versions, "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_another_key_file_is_refused_and_left_alone() {
    let (address, right) = (Cluster::shared().database(), keys());
    let world = Postgres::opened(&address, Arc::clone(&right), at(0)).await;
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    let wrong = refused(&address, keys()).await;
    assert!(matches!(wrong, OpenError::WrongKeyFile(_)), "{wrong:?}");
    Postgres::opened(&address, right, at(1)).await.rotate(&token, at(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_later_version_or_another_program_is_refused() {
    let (address, keys) = (Cluster::shared().database(), keys());
    drop(Postgres::opened(&address, Arc::clone(&keys), at(0)).await);
    Cluster::shared().sql(&address, "UPDATE keyport.binding SET version = 999");
    let newer = refused(&address, Arc::clone(&keys)).await;
    assert!(matches!(newer, OpenError::TooNew { found: 999, .. }), "{newer:?}");

    let address = Cluster::shared().database();
    let other = "CREATE SCHEMA keyport; CREATE TABLE keyport.songs (title TEXT)";
    Cluster::shared().sql(&address, other);
    let foreign = refused(&address, keys).await;
    assert!(matches!(foreign, OpenError::Foreign(_)), "{foreign:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_over_is_deleted_beside_the_operations() {
    let world = Postgres::fresh().await;
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    let address = world.database.to_str().unwrap();
    let rows = "SELECT (SELECT count(*) FROM keyport.grants) + \
                (SELECT count(*) FROM keyport.attempts) + (SELECT count(*) FROM keyport.sessions)";
    world.storage.cancel_attempt(attempt(), at(0)).await.unwrap();
    assert_eq!(Cluster::shared().sql(address, rows), "3");
    let later = at(0).plus(crate::world::days(40));
    let answer = world.storage.rotate_refresh(presented(&token), later).await;
    // The clock of this companion was right at its start: a later time is plausible.
    assert!(matches!(answer, Ok(Rotation::Refused(_))), "{answer:?}");
    while Cluster::shared().sql(address, rows) != "0" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_a_dump() {
    let world = Postgres::fresh().await;
    let address = world.database.to_str().unwrap();
    let grant = world.started(authorization_of(LAPTOP), at(0)).await;
    world.fulfil(grant, ada(), at(0)).await;
    let waiting = Cluster::shared().dump(address);
    let code = world.mint(grant, at(0)).await;
    let issued = world.redeemed(redemption(&code), at(0)).await;
    let first = refresh_token(&issued);
    let second = world.rotate(&first, at(1)).await;
    let dumps = [waiting, Cluster::shared().dump(address)];
    assert!(dumps[1].contains("ada@acme.test"), "the dump holds the rows");
    for secret in [&first, &second, code.expose(), STATE, VERIFIER] {
        let hex: String = base16ct::lower::encode_string(secret.as_bytes());
        for dump in &dumps {
            assert!(!dump.contains(secret) && !dump.contains(&hex));
        }
    }
    for token in [&first, &second] {
        let read = world.keys.read_refresh_token(&SecretText::new(token.clone())).unwrap();
        let hex: String = base16ct::lower::encode_string(read.secret.expose());
        assert!(!dumps[1].contains(&hex));
    }
}

/// A certificate for a host name, and its key, in PEM.
fn certificate(host: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_network_certificate_and_host_name_are_verified() {
    let folder = tempfile::tempdir().unwrap();
    let [right, other] = ["right.pem", "other.pem"].map(|name| folder.path().join(name));
    let (pem, key) = certificate("localhost");
    std::fs::write(&right, &pem).unwrap();
    std::fs::write(&other, certificate("localhost").0).unwrap();
    // The port may be taken meanwhile: then the start fails and says so.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cluster = Cluster::with_tls(port, &pem, &key).unwrap();
    let by_socket = cluster.database();
    let database = by_socket.split(['/', '?']).nth(3).unwrap();
    let address = |host: &str, roots: &std::path::Path| {
        format!(
            "postgres://keyport@{host}:{port}/{database}?sslmode=verify-full&sslrootcert={}",
            roots.display()
        )
    };
    let world = Postgres::opened(&address("localhost", &right), keys(), at(0)).await;
    world.sign_in(LAPTOP, at(0)).await;
    let encrypted = "SELECT count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                     WHERE ssl AND application_name = 'keyport-companion'";
    assert_eq!(cluster.sql(&by_socket, encrypted), "t");
    for (host, roots, what) in
        [("localhost", &other, "another issuer"), ("127.0.0.1", &right, "another host name")]
    {
        let refused = refused(&address(host, roots), Arc::clone(&world.keys)).await;
        assert!(matches!(refused, OpenError::Io { .. }), "{what}: {refused:?}");
        assert!(refused.to_string().contains("certificate"), "{what}: {refused}");
    }
}
