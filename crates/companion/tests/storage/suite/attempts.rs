//! The client's side channel: it tells the owner of the device key, and no other caller, how far
//! the sign-in is.

use keyport_companion::domain::EndedBecause::AttemptCancelled;
use keyport_companion::domain::{
    AttemptKey, AttemptState, CancelledBy, GrantStage, Outcome, ProblemCode, Thumbprint,
};
use keyport_companion::storage::{CodeRefusal, ExchangeStart};

use crate::world::{
    FOREIGN, LAPTOP, World, ada, at, attempt, authorization_of_attempt, ended, redemption,
    refresh_token,
};

async fn state(world: &World, key: AttemptKey) -> AttemptState {
    world.storage.attempt_state(key, at(10)).await.unwrap()
}

async fn report(world: &World, key: AttemptKey, outcome: Outcome) {
    world.storage.attempt_outcome(key, outcome, at(10)).await.unwrap();
}

async fn cancel(world: &World, key: AttemptKey) {
    world.storage.cancel_attempt(key, at(10)).await.unwrap();
}

pub async fn an_attempt_is_followed_from_waiting_to_stored(world: World) {
    let key = attempt();
    assert_eq!(state(&world, key).await, AttemptState::Waiting);
    let grant = world.started(authorization_of_attempt(key.attempt), at(0)).await;
    assert_eq!(state(&world, key).await, AttemptState::Waiting);
    world.fulfil(grant, ada(), at(1)).await;
    assert!(matches!(state(&world, key).await, AttemptState::Confirm(_)));
    let code = world.mint(grant, at(2)).await;
    assert_eq!(state(&world, key).await, AttemptState::Minted);
    world.redeemed(redemption(&code), at(3)).await;
    assert_eq!(state(&world, key).await, AttemptState::Redeemed);
    report(&world, key, Outcome::Stored).await;
    assert_eq!(state(&world, key).await, AttemptState::Stored);
    let page = world.storage.read_grant(grant, at(4)).await.unwrap().unwrap();
    assert_eq!(page.outcome, Some(Outcome::Stored));
    assert_eq!(page.user.unwrap().email, "ada@acme.test");
}

pub async fn the_number_is_the_one_of_the_page(world: World) {
    let key = attempt();
    let grant = world.started(authorization_of_attempt(key.attempt), at(0)).await;
    world.fulfil(grant, ada(), at(1)).await;
    let page = world.storage.read_grant(grant, at(2)).await.unwrap().unwrap().grant;
    let GrantStage::Fulfilled { number, .. } = page.stage else { panic!("{:?}", page.stage) };
    assert!((10..=99).contains(&number.value()));
    assert_eq!(state(&world, key).await, AttemptState::Confirm(number));
}

pub async fn to_another_key_an_attempt_reads_as_untouched(world: World) {
    let key = attempt();
    let grant = world.started(authorization_of_attempt(key.attempt), at(0)).await;
    world.fulfil(grant, ada(), at(1)).await;
    let spy = AttemptKey { jkt: FOREIGN, ..key };
    assert_eq!(state(&world, spy).await, AttemptState::Waiting);
}

pub async fn another_key_cannot_cancel_or_finish(world: World) {
    let key = attempt();
    // A spy of its own at each step: one whose attempt is cancelled already would try nothing.
    let spy = |n| AttemptKey { jkt: Thumbprint::from_bytes([n; 32]), ..key };
    cancel(&world, spy(21)).await;
    let grant = world.started(authorization_of_attempt(key.attempt), at(0)).await;
    cancel(&world, spy(22)).await;
    world.fulfil(grant, ada(), at(1)).await;
    report(&world, spy(23), Outcome::Failed(None)).await;
    cancel(&world, spy(23)).await;
    assert!(matches!(state(&world, key).await, AttemptState::Confirm(_)));
    let code = world.mint(grant, at(2)).await;
    cancel(&world, spy(24)).await;
    let issued = world.redeemed(redemption(&code), at(3)).await;
    cancel(&world, spy(25)).await;
    assert!(world.is_alive(&issued, at(4)).await);
    assert_eq!(state(&world, key).await, AttemptState::Redeemed);
}

pub async fn a_cancelled_attempt_refuses_the_authorization_that_comes_back(world: World) {
    let key = attempt();
    cancel(&world, key).await;
    assert_eq!(state(&world, key).await, AttemptState::Cancelled(CancelledBy::Client));
    let start = world.begin(authorization_of_attempt(key.attempt), at(11)).await;
    assert_eq!(start, ExchangeStart::Cancelled);
}

pub async fn a_cancelled_attempt_refuses_the_code_that_is_out(world: World) {
    let key = attempt();
    let code = world.code(authorization_of_attempt(key.attempt), ada(), at(0)).await;
    cancel(&world, key).await;
    assert_eq!(world.refused_code(redemption(&code), at(11)).await, CodeRefusal::Cancelled);
    assert_eq!(state(&world, key).await, AttemptState::Cancelled(CancelledBy::Client));
}

pub async fn cancelling_after_redemption_ends_the_session(world: World) {
    let key = attempt();
    let code = world.code(authorization_of_attempt(key.attempt), ada(), at(0)).await;
    let issued = world.redeemed(redemption(&code), at(1)).await;
    cancel(&world, key).await;
    assert!(!world.is_alive(&issued, at(11)).await);
    let token = refresh_token(&issued);
    assert_eq!(world.refused_refresh(&token, LAPTOP, at(11)).await, ended(AttemptCancelled));
}

pub async fn cancelling_a_stored_session_changes_nothing(world: World) {
    let key = attempt();
    let code = world.code(authorization_of_attempt(key.attempt), ada(), at(0)).await;
    let issued = world.redeemed(redemption(&code), at(1)).await;
    report(&world, key, Outcome::Stored).await;
    cancel(&world, key).await;
    assert!(world.is_alive(&issued, at(11)).await);
    assert_eq!(state(&world, key).await, AttemptState::Stored);
}

pub async fn nothing_is_stored_before_it_is_redeemed(world: World) {
    let key = attempt();
    report(&world, key, Outcome::Stored).await;
    assert_eq!(state(&world, key).await, AttemptState::Waiting);
    world.code(authorization_of_attempt(key.attempt), ada(), at(0)).await;
    report(&world, key, Outcome::Memory).await;
    assert_eq!(state(&world, key).await, AttemptState::Minted);
}

pub async fn the_problem_of_the_app_is_kept(world: World) {
    let key = attempt();
    let problem = ProblemCode::new("keychain_locked");
    let code = world.code(authorization_of_attempt(key.attempt), ada(), at(0)).await;
    world.redeemed(redemption(&code), at(1)).await;
    report(&world, key, Outcome::Failed(problem.clone())).await;
    assert_eq!(state(&world, key).await, AttemptState::Failed(problem));
    // The person then chose to go on without the keychain.
    report(&world, key, Outcome::Memory).await;
    assert_eq!(state(&world, key).await, AttemptState::Memory);
}

pub async fn a_failure_of_one_authorization_gives_way_to_the_next(world: World) {
    let key = attempt();
    let problem = ProblemCode::new("access_denied").unwrap();
    let first = world.started(authorization_of_attempt(key.attempt), at(0)).await;
    world.storage.fail_grant(first, problem.clone(), at(1)).await.unwrap();
    assert_eq!(state(&world, key).await, AttemptState::Failed(Some(problem)));
    let second = world.started(authorization_of_attempt(key.attempt), at(2)).await;
    assert_eq!(state(&world, key).await, AttemptState::Waiting);
    world.fulfil(second, ada(), at(3)).await;
    assert!(matches!(state(&world, key).await, AttemptState::Confirm(_)));
}

pub async fn an_exchange_that_ended_without_a_word_is_no_endless_wait(world: World) {
    let key = attempt();
    world.started(authorization_of_attempt(key.attempt), at(0)).await;
    let late = world.storage.attempt_state(key, at(120)).await.unwrap();
    assert_eq!(late, AttemptState::Failed(Some(ProblemCode::interrupted())));
    let next = world.started(authorization_of_attempt(key.attempt), at(121)).await;
    world.fulfil(next, ada(), at(122)).await;
    let state = world.storage.attempt_state(key, at(130)).await.unwrap();
    assert!(matches!(state, AttemptState::Confirm(_)), "{state:?}");
}
