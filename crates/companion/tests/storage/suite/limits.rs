//! What one caller can make the storage keep and search: bounded for a request, for an attempt, and
//! so for each look-up.

use futures_util::future::join_all;
use keyport_companion::domain::{
    AttemptKey, AttemptState, Limits, Outcome, RequestId, SystemRandom,
};
use keyport_companion::storage::{ExchangeStart, ReturnedAuthorization, StorageError};

use crate::world::{
    LAPTOP, World, ada, at, attempt, authorization_of, authorization_of_attempt, redemption,
};

/// As many calls as fit into the queue at once.
const AT_ONCE: usize = 500;

/// Starts `count` exchanges with the upstream authorizations of `make`; returns how many of them
/// may be sent.
async fn begun(world: &World, count: usize, make: impl Fn() -> ReturnedAuthorization) -> usize {
    let mut started = 0;
    for chunk in (0..count).collect::<Vec<_>>().chunks(AT_ONCE) {
        let starts = join_all(chunk.iter().map(|_| begin(world, &make))).await;
        started += starts.iter().filter(|start| matches!(start, ExchangeStart::Started(_))).count();
    }
    started
}

/// A busy engine says so, and the caller comes again.
async fn begin(world: &World, make: &impl Fn() -> ReturnedAuthorization) -> ExchangeStart {
    loop {
        match world.storage.begin_exchange(make(), at(0)).await {
            Ok(start) => return start,
            Err(StorageError::Unavailable(_)) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    }
}

pub async fn a_request_gives_no_more_grants_than_its_limit(world: World) {
    let request = RequestId::draw(&SystemRandom);
    let authorization = || ReturnedAuthorization { request, ..authorization_of(LAPTOP) };
    assert_eq!(begun(&world, 1_000, authorization).await, Limits::default().grants_per_request);
    assert_eq!(world.begin(authorization(), at(1)).await, ExchangeStart::TooMany);
    assert_eq!(begun(&world, 1, || authorization_of(LAPTOP)).await, 1, "the next request works");
}

pub async fn an_attempt_gives_no_more_grants_than_its_limit(world: World) {
    let key = attempt();
    let authorization = || authorization_of_attempt(key.attempt);
    assert_eq!(begun(&world, 1_000, authorization).await, Limits::default().grants_per_attempt);
    assert_eq!(world.begin(authorization(), at(1)).await, ExchangeStart::TooMany);
    let next = attempt();
    assert_eq!(begun(&world, 1, || authorization_of_attempt(next.attempt)).await, 1);
}

pub async fn a_limit_that_was_reached_does_not_stop_what_is_under_way(world: World) {
    let key = attempt();
    let grant = world.started(authorization_of_attempt(key.attempt), at(0)).await;
    begun(&world, 100, || authorization_of_attempt(key.attempt)).await;
    world.fulfil(grant, ada(), at(1)).await;
    let code = world.mint(grant, at(2)).await;
    world.redeemed(redemption(&code), at(3)).await;
    world.storage.attempt_outcome(key, Outcome::Stored, at(4)).await.unwrap();
    assert_eq!(world.storage.attempt_state(key, at(5)).await.unwrap(), AttemptState::Stored);
}

pub async fn dropped_requests_after_a_flood_hold_no_other_up(world: World) {
    let key = attempt();
    let started = begun(&world, world.flood, || authorization_of_attempt(key.attempt)).await;
    assert!(started <= Limits::default().grants_per_attempt, "{started} grants of one attempt");
    for _ in 0..1_000 {
        let mut call = world.storage.attempt_state(key, at(1));
        // Polled once: it is queued. Then its connection is gone.
        let _ = futures_util::poll!(&mut call);
        drop(call);
    }
    let other = AttemptKey { jkt: LAPTOP, ..attempt() };
    // A queue that is still full says so at once; one that has drained answers.
    while let Err(busy) = world.storage.attempt_state(other, at(1)).await {
        assert!(matches!(busy, StorageError::Unavailable(_)), "{busy}");
        tokio::task::yield_now().await;
    }
}
