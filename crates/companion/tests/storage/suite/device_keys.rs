//! Which device keys are trusted for a user, and when that ends: by theft and by age.

use keyport_companion::domain::{RefreshRefusal, UpstreamIdentity};
use keyport_companion::storage::{CodeRefusal, Minting};

use crate::world::{
    FOREIGN, LAPTOP, World, ada, at, authorization_of, days, grace, redemption, refresh_token,
};

/// True if the laptop would be sent straight on.
async fn is_known(world: &World, who: UpstreamIdentity, now: i64) -> bool {
    let grant = world.started(authorization_of(LAPTOP), at(now)).await;
    world.fulfil(grant, who, at(now)).await
}

/// Presents a refresh token that is older than the parent.
async fn replay(world: &World, first: &str, now: i64) {
    let second = world.rotate(first, at(now)).await;
    world.rotate(&second, at(now + 1)).await;
    let refusal = world.refused_refresh(first, LAPTOP, at(now + 2)).await;
    assert_eq!(refusal, RefreshRefusal::Replayed);
}

pub async fn a_replayed_refresh_token_makes_the_device_unknown(world: World) {
    let (_, first) = world.sign_in(LAPTOP, at(0)).await;
    assert!(is_known(&world, ada(), 1).await);
    replay(&world, &first, 2).await;
    assert!(!is_known(&world, ada(), 10).await, "Continue is asked for again");
    world.sign_in(LAPTOP, at(20)).await;
    assert!(is_known(&world, ada(), 21).await, "once it was pressed, it is known again");
}

pub async fn a_replayed_code_makes_the_device_unknown(world: World) {
    let code = world.code(authorization_of(LAPTOP), ada(), at(0)).await;
    world.redeemed(redemption(&code), at(1)).await;
    assert_eq!(world.refused_code(redemption(&code), at(2)).await, CodeRefusal::Replayed);
    assert!(!is_known(&world, ada(), 3).await);
}

pub async fn a_theft_concerns_this_user_and_this_key_only(world: World) {
    let grace_signs_in = world.code(authorization_of(LAPTOP), grace(), at(0)).await;
    world.redeemed(redemption(&grace_signs_in), at(0)).await;
    world.sign_in(FOREIGN, at(0)).await;
    let (_, first) = world.sign_in(LAPTOP, at(0)).await;
    replay(&world, &first, 1).await;
    assert!(is_known(&world, grace(), 10).await, "another person on the same device");
    let other_device = world.started(authorization_of(FOREIGN), at(10)).await;
    assert!(world.fulfil(other_device, ada(), at(10)).await, "another device of the same person");
}

pub async fn a_theft_stops_a_hand_off_that_is_waiting(world: World) {
    let (_, first) = world.sign_in(LAPTOP, at(0)).await;
    let waiting = world.started(authorization_of(LAPTOP), at(1)).await;
    assert!(world.fulfil(waiting, ada(), at(1)).await);
    replay(&world, &first, 2).await;
    let minting = world.storage.mint_code(waiting, at(10)).await.unwrap();
    assert!(matches!(minting, Minting::NotConfirmed), "{minting:?}");
    world.mint(waiting, at(11)).await;
}

pub async fn a_sign_out_or_a_new_sign_in_leaves_the_device_known(world: World) {
    world.sign_in(LAPTOP, at(0)).await;
    let (issued, token) = world.sign_in(LAPTOP, at(1)).await;
    let revoke = keyport_companion::storage::Revoke::Session(issued.session.id);
    world.storage.revoke(revoke, crate::world::CLIENT.into(), at(2)).await.unwrap();
    world.refused_refresh(&token, LAPTOP, at(3)).await;
    assert!(is_known(&world, ada(), 4).await);
}

pub async fn a_device_that_was_long_away_is_unknown(world: World) {
    let (issued, _) = world.sign_in(LAPTOP, at(0)).await;
    assert!(refresh_token(&issued).starts_with("kpr_"));
    let last = at(0).plus(days(180)).seconds() - at(0).seconds() - 1;
    assert!(is_known(&world, ada(), last).await);
    assert!(!is_known(&world, ada(), last + 1).await);
}
