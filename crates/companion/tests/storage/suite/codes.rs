//! Redeeming a code: no thief may burn it, no guess may repeat, no replay may pass unnoticed.

use std::sync::Arc;

use keyport_companion::domain::EndedBecause::{CodeReplayed, SignedInAgain};
use keyport_companion::domain::{Scope, SecretText, SystemRandom};
use keyport_companion::keys::AuthorizationCode;
use keyport_companion::storage::{CodeRefusal, RedeemCode, Redemption, ReturnedAuthorization};

use crate::world::{
    FOREIGN, LAPTOP, REDIRECT, World, ada, at, authorization_of, ended, in_parallel, redemption,
    refresh_token,
};

async fn fresh_code(world: &World) -> AuthorizationCode {
    world.code(authorization_of(LAPTOP), ada(), at(0)).await
}

fn wrong_verifier(code: &AuthorizationCode) -> RedeemCode {
    RedeemCode { verifier: SecretText::new("a-guess"), ..redemption(code) }
}

pub async fn a_wrong_device_key_changes_nothing(world: World) {
    let code = fresh_code(&world).await;
    let thief = RedeemCode { jkt: FOREIGN, ..redemption(&code) };
    assert_eq!(world.refused_code(thief, at(1)).await, CodeRefusal::WrongDeviceKey);
    let guess = RedeemCode { jkt: FOREIGN, ..wrong_verifier(&code) };
    assert_eq!(world.refused_code(guess, at(1)).await, CodeRefusal::WrongDeviceKey);
    let issued = world.redeemed(redemption(&code), at(2)).await;
    // Nor can the thief end the session by replaying the used code.
    let replay = RedeemCode { jkt: FOREIGN, ..redemption(&code) };
    assert_eq!(world.refused_code(replay, at(3)).await, CodeRefusal::WrongDeviceKey);
    assert!(world.is_alive(&issued, at(3)).await);
}

pub async fn another_client_changes_nothing(world: World) {
    let code = fresh_code(&world).await;
    let other = RedeemCode { client_id: "other-client".into(), ..redemption(&code) };
    assert_eq!(world.refused_code(other, at(1)).await, CodeRefusal::WrongDeviceKey);
    world.redeemed(redemption(&code), at(2)).await;
}

pub async fn a_wrong_verifier_burns_the_code(world: World) {
    let code = fresh_code(&world).await;
    let refusal = world.refused_code(wrong_verifier(&code), at(1)).await;
    assert_eq!(refusal, CodeRefusal::WrongVerifier);
    assert_eq!(world.refused_code(redemption(&code), at(2)).await, CodeRefusal::Cancelled);
}

pub async fn a_wrong_redirect_uri_burns_the_code(world: World) {
    let code = fresh_code(&world).await;
    let elsewhere = Some("http://127.0.0.1:1/callback".to_owned());
    let refusal = world
        .refused_code(RedeemCode { redirect_uri: elsewhere, ..redemption(&code) }, at(1))
        .await;
    assert_eq!(refusal, CodeRefusal::WrongVerifier);

    let code = fresh_code(&world).await;
    let exact = Some(REDIRECT.to_owned());
    world.redeemed(RedeemCode { redirect_uri: exact, ..redemption(&code) }, at(1)).await;
}

pub async fn a_replay_revokes_what_the_code_gave(world: World) {
    let code = fresh_code(&world).await;
    let issued = world.redeemed(redemption(&code), at(1)).await;
    let token = world.rotate(&refresh_token(&issued), at(2)).await;
    // Long after the sixty seconds of the code, the replay still tells of a leak.
    assert_eq!(world.refused_code(redemption(&code), at(600)).await, CodeRefusal::Replayed);
    assert!(!world.is_alive(&issued, at(601)).await);
    assert_eq!(world.refused_refresh(&token, LAPTOP, at(601)).await, ended(CodeReplayed));
}

pub async fn a_replay_with_a_wrong_verifier_revokes_nothing(world: World) {
    let code = fresh_code(&world).await;
    let issued = world.redeemed(redemption(&code), at(1)).await;
    let refusal = world.refused_code(wrong_verifier(&code), at(2)).await;
    assert_eq!(refusal, CodeRefusal::WrongVerifier);
    assert!(world.is_alive(&issued, at(3)).await);
}

pub async fn of_64_parallel_redemptions_one_succeeds(world: World) {
    let code = fresh_code(&world).await;
    let results = in_parallel(|| {
        let (storage, request) = (Arc::clone(&world.storage), redemption(&code));
        async move { storage.redeem_code(request, at(1)).await.unwrap() }
    })
    .await;
    let redeemed = results.iter().filter(|r| matches!(r, Redemption::Redeemed(_))).count();
    let replayed = Redemption::Refused(CodeRefusal::Replayed);
    let refused = results.iter().filter(|r| format!("{r:?}") == format!("{replayed:?}")).count();
    assert_eq!((redeemed, refused), (1, 63));
}

pub async fn a_code_is_refused_from_its_sixtieth_second_on(world: World) {
    let in_time = fresh_code(&world).await;
    world.redeemed(redemption(&in_time), at(59)).await;
    let late = fresh_code(&world).await;
    assert_eq!(world.refused_code(redemption(&late), at(60)).await, CodeRefusal::Expired);
}

pub async fn an_unknown_code_is_refused(world: World) {
    fresh_code(&world).await;
    let made_up = AuthorizationCode::draw(&SystemRandom);
    for code in [made_up, AuthorizationCode::received(""), AuthorizationCode::received("'; --")] {
        assert_eq!(world.refused_code(redemption(&code), at(1)).await, CodeRefusal::Unknown);
    }
}

pub async fn without_offline_access_there_is_no_refresh_token(world: World) {
    let authorization =
        ReturnedAuthorization { scope: Scope::parse("profile email"), ..authorization_of(LAPTOP) };
    let code = world.code(authorization, ada(), at(0)).await;
    let issued = world.redeemed(redemption(&code), at(1)).await;
    assert!(issued.refresh_token.is_none());
    assert!(world.is_alive(&issued, at(300)).await);
    assert!(!world.is_alive(&issued, at(301)).await, "it lives as long as its access token");
}

pub async fn a_new_sign_in_with_the_same_key_ends_the_old_session(world: World) {
    let (old, old_token) = world.sign_in(LAPTOP, at(0)).await;
    let (new, new_token) = world.sign_in(LAPTOP, at(100)).await;
    assert!(!world.is_alive(&old, at(101)).await);
    assert_eq!(world.refused_refresh(&old_token, LAPTOP, at(101)).await, ended(SignedInAgain));
    assert!(world.is_alive(&new, at(101)).await);
    world.rotate(&new_token, at(102)).await;
}

pub async fn a_new_sign_in_with_another_key_leaves_the_old_session(world: World) {
    let (laptop, token) = world.sign_in(LAPTOP, at(0)).await;
    world.sign_in(FOREIGN, at(100)).await;
    assert!(world.is_alive(&laptop, at(101)).await);
    world.rotate(&token, at(101)).await;
}
