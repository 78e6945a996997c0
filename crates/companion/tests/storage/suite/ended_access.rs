//! Access that ends from outside: what a selector means, what goes with it, and that no token is
//! issued after it.

use keyport_companion::domain::EndedBecause::{
    AccessWithdrawn, Revoked, RevokedByOperator, SignedOutElsewhere,
};
use keyport_companion::domain::{
    IssuedSession, ProviderProfile, RefreshRefusal, SessionSelector, Thumbprint, UpstreamIdentity,
};
use keyport_companion::storage::{
    CodeRefusal, ExchangeStart, Minting, RedeemCode, Revocation, Revoke, Rotation, SessionsPage,
};

use crate::world::{
    ADDRESS, CLIENT, FOREIGN, LAPTOP, World, ada, at, authorization_of, ended, grace, identity,
    profile_of_ada, redemption, refresh_token,
};

const PHONE: Thumbprint = Thumbprint::from_bytes([2; 32]);

/// Linus, of another organization with a connection of its own.
fn linus() -> UpstreamIdentity {
    identity(ProviderProfile {
        idp_id: "00u3linus".into(),
        email: "linus@beta.test".into(),
        connection_id: Some("conn_01BETA".into()),
        organization_id: Some("org_01BETA".into()),
        ..profile_of_ada()
    })
}

async fn session(world: &World, who: UpstreamIdentity, jkt: Thumbprint) -> IssuedSession {
    let code = world.code(authorization_of(jkt), who, at(0)).await;
    world.redeemed(RedeemCode { jkt, ..redemption(&code) }, at(1)).await
}

async fn end(world: &World, selector: SessionSelector) -> usize {
    world.storage.end_sessions(selector, AccessWithdrawn, at(10)).await.unwrap()
}

pub async fn a_selector_ends_its_sessions_and_no_others(world: World) {
    let laptop = session(&world, ada(), LAPTOP).await;
    let user = laptop.session.user.id;
    let cases = [
        (SessionSelector::Session(laptop.session.id), [false, true, true, true]),
        (SessionSelector::User(user), [false, false, true, true]),
        (SessionSelector::DeviceKey(LAPTOP), [false, true, false, true]),
        (SessionSelector::Organization("org_01ACME".into()), [false, false, false, true]),
        (SessionSelector::Connection("conn_01BETA".into()), [true, true, true, false]),
        (SessionSelector::Organization("org_01GAMMA".into()), [true; 4]),
        (SessionSelector::All, [false; 4]),
    ];
    for (selector, alive) in cases {
        let all = [
            session(&world, ada(), LAPTOP).await,
            session(&world, ada(), PHONE).await,
            session(&world, grace(), LAPTOP).await,
            session(&world, linus(), FOREIGN).await,
        ];
        let selector = match selector {
            SessionSelector::Session(_) => SessionSelector::Session(all[0].session.id),
            selector => selector,
        };
        let count = end(&world, selector.clone()).await;
        assert_eq!(count, alive.iter().filter(|alive| !**alive).count(), "{selector:?}");
        for (issued, alive) in all.iter().zip(alive) {
            assert_eq!(world.is_alive(issued, at(11)).await, alive, "{selector:?}");
        }
    }
}

pub async fn a_session_ends_with_the_upstreams_own(world: World) {
    let begun = |upstream_session: &str| {
        let session = Some(upstream_session.to_owned());
        identity(ProviderProfile { session, connection_id: None, ..profile_of_ada() })
    };
    let first = session(&world, begun("session_1"), LAPTOP).await;
    let second = session(&world, begun("session_2"), PHONE).await;
    let waiting = world.started(authorization_of(FOREIGN), at(2)).await;
    world.fulfil(waiting, begun("session_1"), at(2)).await;
    assert_eq!(end(&world, SessionSelector::UpstreamSession("session_1".into())).await, 1);
    assert!(!world.is_alive(&first, at(11)).await);
    assert!(world.is_alive(&second, at(11)).await);
    assert!(!world.storage.confirm_grant(waiting, at(11)).await.unwrap(), "a grant of it, too");
}

pub async fn users_with_upstream_sessions_are_named_one_after_another(world: World) {
    let begun = |user: &str, session: &str| {
        let session = Some(session.to_owned());
        let (upstream, idp_id) = ("authkit".into(), user.to_owned());
        let of = ProviderProfile { upstream, idp_id, session, ..profile_of_ada() };
        identity(ProviderProfile { connection_id: None, ..of })
    };
    session(&world, begun("user_b", "session_3"), LAPTOP).await;
    session(&world, begun("user_a", "session_1"), LAPTOP).await;
    session(&world, begun("user_a", "session_2"), PHONE).await;
    session(&world, begun("user_c", "session_4"), LAPTOP).await;
    session(&world, ada(), LAPTOP).await;
    end(&world, SessionSelector::UpstreamSession("session_4".into())).await;
    let next = async |after: &str, now| {
        let issuer = "https://api.workos.com".to_owned();
        let found = world.storage.upstream_sessions("authkit", issuer, after.into(), now).await;
        let mut found = found.unwrap()?;
        found.sessions.sort();
        Some((found.user, found.sessions))
    };
    assert_eq!(next("", at(30)).await, None, "the sessions are too new");
    let of_a = ("user_a".to_owned(), vec!["session_1".to_owned(), "session_2".to_owned()]);
    assert_eq!(next("", at(100)).await, Some(of_a));
    let of_b = ("user_b".to_owned(), vec!["session_3".to_owned()]);
    assert_eq!(next("user_a", at(100)).await, Some(of_b));
    assert_eq!(next("user_b", at(100)).await, None);
}

pub async fn more_sessions_than_one_transaction_ends_are_all_ended(world: World) {
    let mut all = Vec::new();
    for number in 0..600_u16 {
        let [high, low] = number.to_be_bytes();
        let mut key = [3; 32];
        (key[0], key[1]) = (high, low);
        all.push(session(&world, ada(), Thumbprint::from_bytes(key)).await);
    }
    assert_eq!(end(&world, SessionSelector::All).await, 600);
    for issued in &all {
        assert!(!world.is_alive(issued, at(11)).await);
    }
    assert_eq!(end(&world, SessionSelector::All).await, 0);
}

pub async fn the_reason_is_told_to_the_own_device_key_only(world: World) {
    let (issued, token) = world.sign_in(LAPTOP, at(0)).await;
    let selector = SessionSelector::User(issued.session.user.id);
    world.storage.end_sessions(selector, RevokedByOperator, at(1)).await.unwrap();
    assert_eq!(world.refused_refresh(&token, LAPTOP, at(2)).await, ended(RevokedByOperator));
    let refusal = world.refused_refresh(&token, FOREIGN, at(3)).await;
    assert_eq!(refusal, RefreshRefusal::WrongDeviceKey);
}

pub async fn a_sign_in_that_waits_for_its_person_ends_too(world: World) {
    let waiting = world.started(authorization_of(LAPTOP), at(0)).await;
    world.fulfil(waiting, ada(), at(0)).await;
    let code = world.code(authorization_of(PHONE), ada(), at(1)).await;
    let other = world.code(authorization_of(FOREIGN), linus(), at(1)).await;
    assert_eq!(end(&world, SessionSelector::Organization("org_01ACME".into())).await, 0);
    let minting = world.storage.mint_code(waiting, at(11)).await.unwrap();
    assert!(matches!(minting, Minting::Ended), "{minting:?}");
    let request = RedeemCode { jkt: PHONE, ..redemption(&code) };
    assert_eq!(world.refused_code(request, at(11)).await, CodeRefusal::Cancelled);
    world.redeemed(RedeemCode { jkt: FOREIGN, ..redemption(&other) }, at(11)).await;
}

pub async fn one_session_ended_leaves_a_sign_in_that_waits(world: World) {
    let issued = session(&world, ada(), LAPTOP).await;
    let code = world.code(authorization_of(LAPTOP), ada(), at(2)).await;
    end(&world, SessionSelector::Session(issued.session.id)).await;
    world.redeemed(redemption(&code), at(11)).await;
}

pub async fn a_person_whose_access_ended_can_sign_in_again(world: World) {
    session(&world, ada(), LAPTOP).await;
    end(&world, SessionSelector::All).await;
    let authorization = authorization_of(LAPTOP);
    let ExchangeStart::Started(grant) = world.begin(authorization, at(12)).await else {
        panic!("a new sign-in is refused")
    };
    assert!(!world.fulfil(grant, ada(), at(12)).await, "Continue is asked for again");
    let code = world.mint(grant, at(13)).await;
    world.redeemed(redemption(&code), at(14)).await;
}

/// In both orders: what was answered before the end is dead after it, and nothing is answered
/// after it.
pub async fn no_token_is_issued_after_the_answer(world: World) {
    for round in 0..200 {
        let (issued, token) = world.sign_in(LAPTOP, at(round)).await;
        let selector = SessionSelector::User(issued.session.user.id);
        let refreshes = (0..4).map(|_| world.present(&token, LAPTOP, at(round)));
        let refreshes = futures_util::future::join_all(refreshes);
        let ended = async {
            let ended =
                world.storage.end_sessions(selector, AccessWithdrawn, at(round)).await.unwrap();
            let late = world.refused_refresh(&token, LAPTOP, at(round)).await;
            (ended, late)
        };
        let (answers, (count, late)) = if round % 2 == 0 {
            tokio::join!(refreshes, ended)
        } else {
            let (ended, answers) = tokio::join!(ended, refreshes);
            (answers, ended)
        };
        assert_eq!(count, 1);
        assert_eq!(late, RefreshRefusal::Ended(AccessWithdrawn));
        for answer in answers {
            if let Rotation::Rotated(early) = answer {
                let child = refresh_token(&early);
                let refusal = world.refused_refresh(&child, LAPTOP, at(round)).await;
                assert_eq!(refusal, RefreshRefusal::Ended(AccessWithdrawn));
            }
        }
        assert!(!world.is_alive(&issued, at(round)).await);
    }
}

pub async fn a_list_names_device_address_and_last_use(world: World) {
    let (first, token) = world.sign_in(LAPTOP, at(0)).await;
    world.rotate(&token, at(50)).await;
    let user = SessionSelector::User(first.session.user.id);
    let page = SessionsPage { after: None, limit: 10 };
    let listed = world.storage.list_sessions(user, page, at(60)).await.unwrap();
    let [only] = &*listed else { panic!("{listed:?}") };
    assert_eq!(only.session.id, first.session.id);
    assert_eq!(only.device_name.as_deref(), Some("Ada's laptop"));
    assert_eq!((only.created_at, only.last_used), (at(0), at(50)));
    assert_eq!(only.last_address, Some(ADDRESS));
}

pub async fn a_list_in_pages_has_each_living_session_once(world: World) {
    let mut all = Vec::new();
    for number in 10..15 {
        all.push(session(&world, ada(), Thumbprint::from_bytes([number; 32])).await.session.id);
    }
    session(&world, linus(), FOREIGN).await;
    let over = all.remove(2);
    end(&world, SessionSelector::Session(over)).await;
    let of_acme = SessionSelector::Organization("org_01ACME".into());
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = SessionsPage { after, limit: 2 };
        let part = world.storage.list_sessions(of_acme.clone(), page, at(11)).await.unwrap();
        let Some(last) = part.last() else { break };
        after = Some(last.session.id);
        listed.extend(part.iter().map(|listed| listed.session.id));
    }
    all.sort();
    assert_eq!(listed, all);
}

pub async fn everywhere_is_a_sign_out_where_it_is_asked_and_said_elsewhere(world: World) {
    let (here, here_token) = world.sign_in(LAPTOP, at(0)).await;
    let (there, there_token) = world.sign_in(PHONE, at(1)).await;
    let user = here.session.user.id;
    assert_eq!(there.session.user.id, user);
    let other = session(&world, grace(), LAPTOP).await;
    let everywhere = SessionSelector::Everywhere { user, from: here.session.id };
    let ended_all = world.storage.end_sessions(everywhere, SignedOutElsewhere, at(10)).await;
    assert_eq!(ended_all.unwrap(), 2);
    assert_eq!(world.refused_refresh(&here_token, LAPTOP, at(11)).await, ended(Revoked));
    let refusal = world.refused_refresh(&there_token, PHONE, at(11)).await;
    assert_eq!(refusal, ended(SignedOutElsewhere));
    assert!(world.is_alive(&other, at(11)).await, "another person");
}

pub async fn a_session_named_by_its_id_ends_with_its_own_key_alone(world: World) {
    let issued = session(&world, ada(), LAPTOP).await;
    let session = issued.session.id;
    for (jkt, client, ends) in
        [(PHONE, CLIENT, false), (LAPTOP, "other-client", false), (LAPTOP, CLIENT, true)]
    {
        let revoke = Revoke::SessionOfKey { session, jkt };
        let revoked = world.storage.revoke(revoke, client.into(), at(5)).await.unwrap();
        assert_eq!(revoked == Revocation::Revoked(session), ends, "{client} {jkt:?}");
        assert_eq!(world.is_alive(&issued, at(6)).await, !ends);
    }
}
