//! What is in the file: no token, no code, no client's state; an audit of every end; and not for
//! ever.

use std::path::Path;

use keyport_companion::domain::{
    AttemptKey, AttemptState, AuditLimits, CancelledBy, GrantId, Limits, ProblemCode,
    RefreshRefusal, SecretText, Thumbprint,
};
use rusqlite::Connection;

use crate::world::{
    LAPTOP, STATE, Sqlite, VERIFIER, World, ada, at, attempt, authorization_of, days, keys,
    redemption,
};

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
    // The thief of file and key file, with every token but the parent, in every place of the
    // family.
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
    let grant = world.started(authorization_of(LAPTOP), at(0)).await;
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
    let minted = world.started(authorization_of(LAPTOP), at(0)).await;
    world.fulfil(minted, ada(), at(0)).await;
    world.mint(minted, at(0)).await;
    let failed = world.started(authorization_of(LAPTOP), at(0)).await;
    let problem = ProblemCode::new("access_denied").unwrap();
    world.storage.fail_grant(failed, problem, at(0)).await.unwrap();
    let cancelled = world.started(authorization_of(LAPTOP), at(0)).await;
    world.storage.cancel_grant(cancelled, CancelledBy::Person, at(0)).await.unwrap();
    let waiting = world.started(authorization_of(LAPTOP), at(0)).await;
    let db = Connection::open(&world.database).unwrap();
    let keeps = |grant: GrantId| -> bool {
        let sql = "SELECT sealed_state IS NOT NULL FROM grants WHERE id = ?1";
        db.query_row(sql, [grant.as_bytes()], |row| row.get(0)).unwrap()
    };
    assert_eq!([minted, failed, cancelled, waiting].map(keeps), [false, false, false, true]);
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
            (at(3).seconds(), "device_key_forgotten".to_owned(), None),
        ]
    );
}

#[tokio::test]
async fn dead_rows_are_swept_a_few_at_a_time() {
    let world = Sqlite::fresh();
    let begins = (0..200).map(|_| world.begin(authorization_of(LAPTOP), at(0)));
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

#[tokio::test]
async fn people_who_never_signed_in_fill_no_disk() {
    let audit = AuditLimits { unauthenticated: 50, ..AuditLimits::default() };
    let limits = Limits { audit, unauthenticated_rows: 50, ..Limits::default() };
    let world = World::with_limits(limits);
    let key = |n: u16| {
        let jkt = [n.to_be_bytes(); 16].concat().try_into().unwrap();
        AttemptKey { jkt: Thumbprint::from_bytes(jkt), ..attempt() }
    };
    let (storage, world) = (&world.storage, &world);
    let (fulfilled, session) = {
        let grant = world.started(authorization_of(LAPTOP), at(0)).await;
        world.fulfil(grant, ada(), at(0)).await;
        (grant, world.sign_in(LAPTOP, at(0)).await.0)
    };
    let flood = (0..400_u16).map(|n| async move {
        storage.cancel_attempt(key(n), at(i64::from(n))).await.unwrap();
        let grant = world.started(authorization_of(key(n).jkt), at(i64::from(n))).await;
        let denied = ProblemCode::new("access_denied").unwrap();
        storage.fail_grant(grant, denied, at(i64::from(n))).await.unwrap();
    });
    futures_util::future::join_all(flood).await;
    let newest = key(500);
    storage.cancel_attempt(newest, at(500)).await.unwrap();
    for second in 0..20 {
        storage.cancel_attempt(newest, at(510 + second)).await.unwrap();
    }
    let db = Connection::open(&world.database).unwrap();
    let count = |rows: &str| -> i64 {
        db.query_row(&format!("SELECT count(*) FROM {rows}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count("attempts"), 50);
    assert_eq!(count("grants WHERE stage = 'failed'"), 50);
    assert_eq!(count("audit WHERE event = 'grant_failed'"), 50);
    assert_eq!(count("audit WHERE event = 'attempt_cancelled'"), 0, "attempts without a person");
    assert_eq!(count("audit WHERE event = 'session_begun'"), 1, "what people did stays");
    let cancelled = AttemptState::Cancelled(CancelledBy::Client);
    assert_eq!(storage.attempt_state(newest, at(600)).await.unwrap(), cancelled);
    assert!(storage.read_grant(fulfilled, at(599)).await.unwrap().unwrap().user.is_some());
    assert!(world.is_alive(&session, at(600)).await);
}

#[tokio::test]
async fn a_clock_that_went_back_does_not_stop_the_sweeping() {
    let world = Sqlite::fresh();
    world.sign_in(LAPTOP, at(0).plus(days(20))).await;
    for _ in 0..3 {
        world.begin(authorization_of(LAPTOP), at(0)).await;
    }
    world.begin(authorization_of(LAPTOP), at(3600)).await;
    let db = Connection::open(&world.database).unwrap();
    let left: i64 = db
        .query_row("SELECT count(*) FROM grants WHERE stage = 'pending'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 1);
}

#[tokio::test]
async fn not_me_is_audited_with_the_person_who_said_it() {
    let world = Sqlite::fresh();
    let grant = world.started(authorization_of(LAPTOP), at(0)).await;
    world.fulfil(grant, ada(), at(1)).await;
    assert!(world.storage.cancel_grant(grant, CancelledBy::Person, at(2)).await.unwrap());
    let db = Connection::open(&world.database).unwrap();
    let (detail, email): (String, String) = db
        .query_row(
            "SELECT audit.detail, users.email FROM audit JOIN users ON users.id = audit.user_id
             WHERE audit.event = 'grant_cancelled'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!((detail.as_str(), email.as_str()), ("person", "ada@acme.test"));
}
