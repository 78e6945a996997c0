//! The audit table under pressure: repeated events are folded, security events outlast what
//! unauthenticated callers cause, and the table has a row cap.

use keyport_companion::domain::{
    AttemptKey, AuditLimits, CancelledBy, Limits, ProblemCode, Thumbprint,
};
use keyport_companion::storage::RedeemCode;
use rusqlite::Connection;

use crate::world::{
    FOREIGN, LAPTOP, Sqlite, World, ada, at, attempt, authorization_of, authorization_of_attempt,
    redemption,
};

/// A device key of its own for each number.
fn key(n: u16) -> Thumbprint {
    Thumbprint::from_bytes([n.to_be_bytes(); 16].concat().try_into().unwrap())
}

/// Rows, and events that they stand for.
fn rows(world: &World, event: &str) -> (i64, i64) {
    let db = Connection::open(&world.database).unwrap();
    let sql = "SELECT count(*), coalesce(sum(1 + folded), 0) FROM audit WHERE event = ?1";
    db.query_row(sql, [event], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

fn total(world: &World) -> i64 {
    let db = Connection::open(&world.database).unwrap();
    db.query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).unwrap()
}

fn limits(total: usize, unauthenticated: usize) -> World {
    let audit = AuditLimits { total, unauthenticated, ..AuditLimits::default() };
    World::with_limits(Limits { audit, ..Limits::default() })
}

#[tokio::test]
async fn a_stolen_token_that_is_tried_a_thousand_times_is_a_few_rows_with_a_count() {
    let world = Sqlite::fresh();
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    for second in 0..1_000 {
        // A key of its own each time: the source is the session, not what the thief can choose.
        let thief = key(u16::try_from(second).unwrap() + 500);
        world.refused_refresh(&token, thief, at(second)).await;
    }
    assert_eq!(rows(&world, "refresh_by_foreign_key"), (8, 1_000));
    world.refused_refresh(&token, FOREIGN, at(3_700)).await;
    assert_eq!(rows(&world, "refresh_by_foreign_key"), (9, 1_001), "the next hour has its own");
}

#[tokio::test]
async fn a_stolen_code_that_is_tried_a_thousand_times_is_a_few_rows_with_a_count() {
    let world = Sqlite::fresh();
    let code = world.code(authorization_of(LAPTOP), ada(), at(0)).await;
    for n in 0..1_000 {
        let thief = RedeemCode { jkt: key(n + 500), ..redemption(&code) };
        world.redeem(thief, at(1)).await;
    }
    assert_eq!(rows(&world, "code_by_foreign_key"), (8, 1_000));
}

#[tokio::test]
async fn failures_of_one_device_key_are_folded() {
    let world = Sqlite::fresh();
    for _ in 0..100 {
        let grant = world.started(authorization_of(LAPTOP), at(0)).await;
        let denied = ProblemCode::new("access_denied").unwrap();
        world.storage.fail_grant(grant, denied, at(0)).await.unwrap();
    }
    assert_eq!(rows(&world, "grant_failed"), (8, 100));
}

#[tokio::test]
async fn security_events_outlast_a_flood_by_unauthenticated_callers() {
    let world = limits(60, 40);
    let (_, first) = world.sign_in(LAPTOP, at(0)).await;
    let second = world.rotate(&first, at(0)).await;
    world.rotate(&second, at(0)).await;
    world.refused_refresh(&first, LAPTOP, at(0)).await;
    let not_me = world.started(authorization_of(LAPTOP), at(0)).await;
    world.fulfil(not_me, ada(), at(0)).await;
    assert!(world.storage.cancel_grant(not_me, CancelledBy::Person, at(0)).await.unwrap());
    for n in 0..400_u16 {
        let denied = ProblemCode::new("access_denied").unwrap();
        let key = AttemptKey { jkt: key(n), ..attempt() };
        let authorization = keyport_companion::storage::ReturnedAuthorization {
            jkt: key.jkt,
            ..authorization_of_attempt(key.attempt)
        };
        let grant = world.started(authorization, at(i64::from(n))).await;
        world.storage.cancel_attempt(key, at(i64::from(n))).await.unwrap();
        world.storage.fail_grant(grant, denied, at(i64::from(n))).await.unwrap();
    }
    for second in 1_000..1_040 {
        world.storage.cancel_attempt(attempt(), at(second * 11)).await.unwrap();
    }
    assert!(total(&world) <= 60, "{} rows", total(&world));
    for event in ["device_key_forgotten", "session_ended", "session_begun", "user_provisioned"] {
        assert_eq!(rows(&world, event).0, 1, "{event}");
    }
    let db = Connection::open(&world.database).unwrap();
    let not_me: i64 = db
        .query_row(
            "SELECT count(*) FROM audit WHERE event = 'grant_cancelled' AND detail = 'person'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(not_me, 1);
}

#[tokio::test]
async fn the_whole_table_has_a_cap_and_ordinary_events_go_before_security_events() {
    let world = limits(30, 10);
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    world.refused_refresh(&token, FOREIGN, at(0)).await;
    for n in 0..100_u16 {
        world.sign_in(key(n), at(i64::from(n) * 11)).await;
    }
    for second in 0..20 {
        world.storage.cancel_attempt(attempt(), at(2_000 + second * 11)).await.unwrap();
    }
    assert!(total(&world) <= 30, "{} rows", total(&world));
    assert_eq!(rows(&world, "refresh_by_foreign_key"), (1, 1));
    assert!(rows(&world, "session_begun").0 > 0, "the newest ordinary events stay");
}

#[tokio::test]
async fn the_counts_of_the_table_are_those_of_its_rows() {
    let world = limits(50, 5);
    for n in 0..60_u16 {
        let (_, token) = world.sign_in(key(n), at(i64::from(n) * 11)).await;
        world.refused_refresh(&token, FOREIGN, at(i64::from(n) * 11)).await;
        let grant = world.started(authorization_of(key(n)), at(i64::from(n) * 11)).await;
        let denied = ProblemCode::new("access_denied").unwrap();
        world.storage.fail_grant(grant, denied, at(i64::from(n) * 11)).await.unwrap();
    }
    for second in 1_000..1_010 {
        world.storage.cancel_attempt(attempt(), at(second * 11)).await.unwrap();
    }
    let db = Connection::open(&world.database).unwrap();
    let wrong: i64 = db
        .query_row(
            "SELECT count(*) FROM audit_counts
             WHERE rows <> (SELECT count(*) FROM audit WHERE audit.class = audit_counts.class)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(wrong, 0);
    assert_eq!(total(&world), 50);
}
