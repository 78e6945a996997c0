//! From the callback to the code.

use std::sync::Arc;

use keyport_companion::domain::{
    CancelledBy, GrantStage, ProblemCode, ProviderProfile, Timestamp, UpstreamIdentity, UserId,
};
use keyport_companion::storage::{ExchangeStart, Fulfilment, Minting, ReturnedAuthorization};

use crate::world::{
    FOREIGN, LAPTOP, World, ada, at, authorization_of, grace, identity, in_parallel,
    profile_of_ada, redemption,
};

fn same_authorization(of: &ReturnedAuthorization) -> ReturnedAuthorization {
    ReturnedAuthorization { id: of.id, request: of.request, ..authorization_of(of.jkt) }
}

fn other_authorization(of: &ReturnedAuthorization) -> ReturnedAuthorization {
    ReturnedAuthorization { request: of.request, ..authorization_of(of.jkt) }
}

async fn user_after(world: &World, who: UpstreamIdentity, now: Timestamp) -> UserId {
    let grant = world.started(authorization_of(LAPTOP), now).await;
    world.fulfil(grant, who, now).await;
    world.storage.read_grant(grant, now).await.unwrap().unwrap().user.unwrap().id
}

pub async fn of_64_parallel_callbacks_one_may_send_the_exchange(world: World) {
    let authorization = authorization_of(LAPTOP);
    let starts = in_parallel(|| {
        let (storage, authorization) =
            (Arc::clone(&world.storage), same_authorization(&authorization));
        async move { storage.begin_exchange(authorization, at(0)).await.unwrap() }
    })
    .await;
    let started: Vec<_> = starts
        .iter()
        .filter_map(|start| match start {
            ExchangeStart::Started(grant) => Some(*grant),
            _ => None,
        })
        .collect();
    assert_eq!(started.len(), 1, "exchanges that may be sent");
    let others = starts.iter().filter(|s| **s == ExchangeStart::AlreadyStarted(started[0]));
    assert_eq!(others.count(), 63, "all others are shown the same grant");
}

pub async fn the_first_fulfilled_authorization_of_a_request_wins(world: World) {
    let first = authorization_of(LAPTOP);
    let (second, third) = (other_authorization(&first), other_authorization(&first));
    let slow = world.started(first, at(0)).await;
    let quick = world.started(second, at(1)).await;
    world.fulfil(quick, ada(), at(2)).await;

    let late = world.storage.fulfil_grant(slow, grace(), at(3)).await.unwrap();
    assert_eq!(late, Fulfilment::Superseded(quick));
    let shown = world.storage.read_grant(slow, at(3)).await.unwrap().unwrap();
    assert_eq!(shown.grant.stage, GrantStage::Failed { problem: ProblemCode::superseded() });
    assert_eq!(world.begin(third, at(4)).await, ExchangeStart::AlreadyStarted(quick));
}

pub async fn two_authorizations_fulfilled_at_once_leave_one_winner(world: World) {
    for round in 0..20 {
        let first = authorization_of(LAPTOP);
        let second = other_authorization(&first);
        let a = world.started(first, at(round)).await;
        let b = world.started(second, at(round)).await;
        let (one, two) = tokio::join!(
            world.storage.fulfil_grant(a, ada(), at(round)),
            world.storage.fulfil_grant(b, ada(), at(round)),
        );
        match (one.unwrap(), two.unwrap()) {
            (Fulfilment::Fulfilled { .. }, Fulfilment::Superseded(winner)) => assert_eq!(winner, a),
            (Fulfilment::Superseded(winner), Fulfilment::Fulfilled { .. }) => assert_eq!(winner, b),
            both => panic!("not exactly one winner: {both:?}"),
        }
    }
}

pub async fn a_person_who_changes_email_stays_the_same_user(world: World) {
    let before = user_after(&world, ada(), at(0)).await;
    let married = identity(ProviderProfile {
        email: "ada.king@acme.test".into(),
        name: Some("Ada King".into()),
        ..profile_of_ada()
    });
    let grant = world.started(authorization_of(LAPTOP), at(10)).await;
    world.fulfil(grant, married, at(10)).await;
    let user = world.storage.read_grant(grant, at(10)).await.unwrap().unwrap().user.unwrap();
    assert_eq!(user.id, before);
    assert_eq!(user.email, "ada.king@acme.test");
    assert_eq!(user.name.as_deref(), Some("Ada King"));
}

pub async fn the_same_email_on_another_connection_is_another_user(world: World) {
    let here = user_after(&world, ada(), at(0)).await;
    let elsewhere = identity(ProviderProfile {
        connection_id: Some("conn_01ENTRA".into()),
        method: "AzureSAML".into(),
        ..profile_of_ada()
    });
    let other_issuer =
        identity(ProviderProfile { issuer: "https://other.test".into(), ..profile_of_ada() });
    let other_person = identity(ProviderProfile { idp_id: "00u3eve".into(), ..profile_of_ada() });
    let without = ProviderProfile { connection_id: None, ..profile_of_ada() };
    let of_authkit = ProviderProfile { upstream: "authkit".into(), ..without.clone() };
    let (without, of_authkit) = (identity(without), identity(of_authkit));
    for identity in [elsewhere, other_issuer, other_person, without, of_authkit] {
        assert_ne!(user_after(&world, identity.clone(), at(1)).await, here, "{identity:?}");
    }
    assert_eq!(user_after(&world, ada(), at(2)).await, here);
}

pub async fn a_known_organization_name_stays_until_another_one_comes(world: World) {
    user_after(&world, ada(), at(0)).await;
    let nameless = || UpstreamIdentity::validate(profile_of_ada()).unwrap().identity;
    let mut renamed = nameless();
    renamed.name_organization("Acme Rockets");
    let moved = ProviderProfile { organization_id: Some("org_2".into()), ..profile_of_ada() };
    let moved = UpstreamIdentity::validate(moved).unwrap().identity;
    let table = [
        (nameless(), Some("Acme")),
        (renamed, Some("Acme Rockets")),
        (nameless(), Some("Acme Rockets")),
        (moved, None),
    ];
    for (second, (identity, wanted)) in (1..).zip(table) {
        let grant = world.started(authorization_of(LAPTOP), at(second)).await;
        world.fulfil(grant, identity, at(second)).await;
        let view = world.storage.read_grant(grant, at(second)).await.unwrap().unwrap();
        let organization = view.user.unwrap().organization.unwrap();
        assert_eq!(organization.name.as_deref(), wanted, "sign-in {second}");
    }
}

pub async fn an_unknown_device_is_confirmed_before_a_code_is_minted(world: World) {
    let grant = world.started(authorization_of(LAPTOP), at(0)).await;
    assert!(matches!(world.storage.mint_code(grant, at(0)).await.unwrap(), Minting::Ended));
    assert!(!world.fulfil(grant, ada(), at(1)).await, "the device is new");
    assert!(matches!(world.storage.mint_code(grant, at(1)).await.unwrap(), Minting::NotConfirmed));
    world.mint(grant, at(2)).await;
}

pub async fn a_known_device_goes_straight_on(world: World) {
    world.sign_in(LAPTOP, at(0)).await;
    let grant = world.started(authorization_of(LAPTOP), at(60)).await;
    assert!(world.fulfil(grant, ada(), at(60)).await, "the device is known");
    let minting = world.storage.mint_code(grant, at(60)).await.unwrap();
    assert!(matches!(minting, Minting::Minted { .. }), "no button is asked for");
}

pub async fn the_key_of_another_person_is_not_a_known_device(world: World) {
    world.sign_in(LAPTOP, at(0)).await;
    let other_person = world.started(authorization_of(LAPTOP), at(1)).await;
    assert!(!world.fulfil(other_person, grace(), at(1)).await, "Ada's laptop, Grace's account");
    let other_device = world.started(authorization_of(FOREIGN), at(2)).await;
    assert!(!world.fulfil(other_device, ada(), at(2)).await, "Ada's account, a foreign device");
    // Fulfilled is not signed in: only a redeemed code makes a device known.
    let again = world.started(authorization_of(FOREIGN), at(3)).await;
    assert!(!world.fulfil(again, ada(), at(3)).await);
}

pub async fn a_code_is_minted_once_by_64_parallel_presses(world: World) {
    let grant = world.started(authorization_of(LAPTOP), at(0)).await;
    world.fulfil(grant, ada(), at(0)).await;
    let mintings = in_parallel(|| {
        let storage = Arc::clone(&world.storage);
        async move {
            storage.confirm_grant(grant, at(1)).await.unwrap();
            storage.mint_code(grant, at(1)).await.unwrap()
        }
    })
    .await;
    let minted = mintings.iter().filter(|m| matches!(m, Minting::Minted { .. })).count();
    let again = mintings.iter().filter(|m| matches!(m, Minting::AlreadyMinted)).count();
    assert_eq!((minted, again), (1, 63));
}

pub async fn a_hand_off_that_took_too_long_mints_nothing(world: World) {
    let grant = world.started(authorization_of(LAPTOP), at(0)).await;
    world.fulfil(grant, ada(), at(0)).await;
    assert!(world.storage.confirm_grant(grant, at(599)).await.unwrap());
    assert!(!world.storage.confirm_grant(grant, at(600)).await.unwrap());
    assert!(matches!(world.storage.mint_code(grant, at(600)).await.unwrap(), Minting::Ended));
}

pub async fn not_me_ends_the_grant_and_its_code(world: World) {
    let grant = world.started(authorization_of(LAPTOP), at(0)).await;
    world.fulfil(grant, ada(), at(0)).await;
    let code = world.mint(grant, at(1)).await;
    assert!(world.storage.cancel_grant(grant, CancelledBy::Person, at(2)).await.unwrap());
    world.refused_code(redemption(&code), at(3)).await;
    assert!(!world.storage.confirm_grant(grant, at(4)).await.unwrap());
    assert!(!world.storage.cancel_grant(grant, CancelledBy::Person, at(5)).await.unwrap());
}

pub async fn a_failed_exchange_says_why_and_cannot_be_fulfilled(world: World) {
    let problem = ProblemCode::new("access_denied").unwrap();
    let grant = world.started(authorization_of(LAPTOP), at(0)).await;
    world.storage.fail_grant(grant, problem.clone(), at(1)).await.unwrap();
    let late = world.storage.fulfil_grant(grant, ada(), at(2)).await.unwrap();
    assert_eq!(late, Fulfilment::Ended);
    let shown = world.storage.read_grant(grant, at(2)).await.unwrap().unwrap();
    assert_eq!(shown.grant.stage, GrantStage::Failed { problem });
    assert_eq!(shown.user, None);
}

pub async fn an_exchange_without_result_reads_as_interrupted(world: World) {
    let grant = world.started(authorization_of(LAPTOP), at(0)).await;
    let soon = world.storage.read_grant(grant, at(119)).await.unwrap().unwrap();
    assert_eq!(soon.grant.stage, GrantStage::Pending);
    let late = world.storage.read_grant(grant, at(120)).await.unwrap().unwrap();
    assert_eq!(late.grant.stage, GrantStage::Failed { problem: ProblemCode::interrupted() });
}
