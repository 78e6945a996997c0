//! Rotation: a lost answer ends no session, a copy of the token does.

use std::sync::Arc;

use keyport_companion::domain::EndedBecause::{Revoked, TokenReplayed};
use keyport_companion::domain::{RefreshRefusal, SecretText};
use keyport_companion::storage::{Revocation, Revoke, RotateRefresh, Rotation};

use crate::world::{CLIENT, FOREIGN, LAPTOP, World, at, days, ended, in_parallel, refresh_token};

pub async fn sixty_four_parallel_refreshes_get_the_same_child(world: World) {
    let (_, mut token) = world.sign_in(LAPTOP, at(0)).await;
    for round in 1..=5 {
        let results = in_parallel(|| {
            let storage = Arc::clone(&world.storage);
            let request = RotateRefresh {
                address: None,
                token: SecretText::new(token.clone()),
                client_id: CLIENT.into(),
                jkt: LAPTOP,
            };
            async move { storage.rotate_refresh(request, at(round)).await.unwrap() }
        })
        .await;
        let mut children: Vec<_> = results
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
}

pub async fn a_lost_answer_is_repeated_until_the_child_is_presented(world: World) {
    let (_, parent) = world.sign_in(LAPTOP, at(0)).await;
    let child = world.rotate(&parent, at(1)).await;
    assert_ne!(child, parent);
    // No timer: a second later or twenty days later, the answer is the same.
    for later in [2, 60, 20 * 86_400] {
        assert_eq!(world.rotate(&parent, at(later)).await, child);
    }
    let grand_child = world.rotate(&child, at(20 * 86_400 + 1)).await;
    assert_eq!(world.rotate(&child, at(20 * 86_400 + 2)).await, grand_child);
}

pub async fn a_parent_whose_child_was_presented_ends_the_family(world: World) {
    let (issued, parent) = world.sign_in(LAPTOP, at(0)).await;
    let child = world.rotate(&parent, at(1)).await;
    let grand_child = world.rotate(&child, at(2)).await;
    assert_eq!(world.refused_refresh(&parent, LAPTOP, at(3)).await, RefreshRefusal::Replayed);
    assert!(!world.is_alive(&issued, at(3)).await);
    for token in [&parent, &child, &grand_child] {
        assert_eq!(world.refused_refresh(token, LAPTOP, at(4)).await, ended(TokenReplayed));
    }
}

pub async fn a_grand_parent_ends_the_family(world: World) {
    let (issued, first) = world.sign_in(LAPTOP, at(0)).await;
    let mut token = first.clone();
    for second in 1..=10 {
        token = world.rotate(&token, at(second)).await;
    }
    assert_eq!(world.refused_refresh(&first, LAPTOP, at(11)).await, RefreshRefusal::Replayed);
    assert!(!world.is_alive(&issued, at(11)).await);
}

pub async fn a_foreign_key_is_refused_and_the_family_lives(world: World) {
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    let refusal = world.refused_refresh(&token, FOREIGN, at(1)).await;
    assert_eq!(refusal, RefreshRefusal::WrongDeviceKey);
    let child = world.rotate(&token, at(2)).await;
    // A thief with the child has not presented it: the honest parent still gets it again.
    let refusal = world.refused_refresh(&child, FOREIGN, at(3)).await;
    assert_eq!(refusal, RefreshRefusal::WrongDeviceKey);
    assert_eq!(world.rotate(&token, at(4)).await, child);
}

pub async fn a_foreign_key_with_an_old_token_cannot_end_the_family(world: World) {
    let (issued, first) = world.sign_in(LAPTOP, at(0)).await;
    let second = world.rotate(&first, at(1)).await;
    let third = world.rotate(&second, at(2)).await;
    let refusal = world.refused_refresh(&first, FOREIGN, at(3)).await;
    assert_eq!(refusal, RefreshRefusal::WrongDeviceKey);
    assert!(world.is_alive(&issued, at(3)).await);
    world.rotate(&third, at(4)).await;
}

pub async fn a_forged_token_is_refused_and_the_family_lives(world: World) {
    let (_, first) = world.sign_in(LAPTOP, at(0)).await;
    let second = world.rotate(&first, at(1)).await;
    let third = world.rotate(&second, at(2)).await;
    // Every character of an old token changed once: were one accepted, it would end the family.
    for place in 0..first.len() {
        let mut forged = first.clone().into_bytes();
        forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        let refusal = world.refused_refresh(&forged, LAPTOP, at(3)).await;
        assert_eq!(refusal, RefreshRefusal::Forged, "changed at {place}");
    }
    for forged in ["", "kpr_", "kpr_AAAA", &first[..first.len() - 1], &format!("{first}A")] {
        let refusal = world.refused_refresh(forged, LAPTOP, at(3)).await;
        assert_eq!(refusal, RefreshRefusal::Forged, "{}", forged.len());
    }
    world.rotate(&third, at(4)).await;
}

pub async fn another_client_is_refused_and_the_family_lives(world: World) {
    let (_, token) = world.sign_in(LAPTOP, at(0)).await;
    let request = RotateRefresh {
        address: None,
        token: SecretText::new(token.clone()),
        client_id: "other-client".into(),
        jkt: LAPTOP,
    };
    let refused = world.storage.rotate_refresh(request, at(1)).await.unwrap();
    assert!(matches!(refused, Rotation::Refused(RefreshRefusal::WrongClient)));
    world.rotate(&token, at(2)).await;
}

pub async fn only_this_family_dies_of_a_replay(world: World) {
    let (other_device, _) = world.sign_in(FOREIGN, at(0)).await;
    let (_, first) = world.sign_in(LAPTOP, at(0)).await;
    let second = world.rotate(&first, at(1)).await;
    world.rotate(&second, at(2)).await;
    assert_eq!(world.refused_refresh(&first, LAPTOP, at(3)).await, RefreshRefusal::Replayed);
    assert!(world.is_alive(&other_device, at(4)).await);
}

pub async fn an_idle_family_is_over_and_use_keeps_it_alive(world: World) {
    let (issued, token) = world.sign_in(LAPTOP, at(0)).await;
    let last = at(0).plus(days(30)).minus(std::time::Duration::from_secs(1));
    assert!(world.is_alive(&issued, last).await);
    let child = world.rotate(&token, last).await;
    assert!(world.is_alive(&issued, at(0).plus(days(59))).await);
    let over = last.plus(days(30));
    assert!(!world.is_alive(&issued, over).await);
    let refusal = world.refused_refresh(&child, LAPTOP, over).await;
    assert!(matches!(refusal, RefreshRefusal::Expired | RefreshRefusal::Unknown), "{refusal:?}");
}

pub async fn the_absolute_lifetime_cannot_be_stretched(world: World) {
    let (issued, mut token) = world.sign_in(LAPTOP, at(0)).await;
    for week in 1..=25 {
        token = world.rotate(&token, at(0).plus(days(7 * week))).await;
    }
    token = world.rotate(&token, at(0).plus(days(179))).await;
    let over = at(0).plus(days(180));
    assert!(!world.is_alive(&issued, over).await);
    let refusal = world.refused_refresh(&token, LAPTOP, over).await;
    assert!(matches!(refusal, RefreshRefusal::Expired | RefreshRefusal::Unknown), "{refusal:?}");
}

async fn revoke(world: &World, token: &str, now: i64) -> Revocation {
    let revoke = Revoke::RefreshToken(SecretText::new(token));
    world.storage.revoke(revoke, CLIENT.into(), at(now)).await.unwrap()
}

pub async fn any_generation_revokes(world: World) {
    for presented in 0..4 {
        let (issued, first) = world.sign_in(LAPTOP, at(0)).await;
        let mut tokens = vec![first];
        for second in 1..=3 {
            let child = world.rotate(tokens.last().unwrap(), at(second)).await;
            tokens.push(child);
        }
        let revocation = revoke(&world, &tokens[presented], 4).await;
        assert_eq!(revocation, Revocation::Revoked(issued.session.id), "generation {presented}");
        assert_eq!(world.refused_refresh(&tokens[3], LAPTOP, at(5)).await, ended(Revoked));
    }
}

pub async fn a_revoked_session_neither_refreshes_nor_reads(world: World) {
    let (issued, parent) = world.sign_in(LAPTOP, at(0)).await;
    let child = world.rotate(&parent, at(1)).await;
    revoke(&world, &parent, 2).await;
    assert!(!world.is_alive(&issued, at(3)).await);
    for token in [&parent, &child] {
        assert_eq!(world.refused_refresh(token, LAPTOP, at(3)).await, ended(Revoked));
    }
    assert_eq!(revoke(&world, &child, 4).await, Revocation::NothingToRevoke);
    assert_eq!(revoke(&world, "kpr_made-up", 4).await, Revocation::NothingToRevoke);
}

pub async fn another_client_cannot_revoke(world: World) {
    let (issued, token) = world.sign_in(LAPTOP, at(0)).await;
    for revoke in
        [Revoke::RefreshToken(SecretText::new(token.clone())), Revoke::Session(issued.session.id)]
    {
        let answer = world.storage.revoke(revoke, "other-client".into(), at(1)).await.unwrap();
        assert_eq!(answer, Revocation::NothingToRevoke);
    }
    world.rotate(&token, at(2)).await;
}

pub async fn refreshes_racing_a_revocation_leave_nothing_alive(world: World) {
    for round in 0..10 {
        let (issued, token) = world.sign_in(LAPTOP, at(round)).await;
        let presents = (0..16).map(|_| world.present(&token, LAPTOP, at(round)));
        let revocation = revoke(&world, &token, round);
        let (answers, revocation) =
            tokio::join!(futures_util::future::join_all(presents), revocation);
        assert_eq!(revocation, Revocation::Revoked(issued.session.id));
        for answer in answers {
            if let Rotation::Rotated(late) = answer {
                let child = refresh_token(&late);
                let refusal = world.refused_refresh(&child, LAPTOP, at(round)).await;
                assert_eq!(refusal, ended(Revoked));
            }
        }
    }
}

pub async fn the_session_of_an_access_token_can_be_revoked(world: World) {
    let (issued, token) = world.sign_in(LAPTOP, at(0)).await;
    let revoke = Revoke::Session(issued.session.id);
    let answer = world.storage.revoke(revoke, CLIENT.into(), at(1)).await.unwrap();
    assert_eq!(answer, Revocation::Revoked(issued.session.id));
    assert_eq!(world.refused_refresh(&token, LAPTOP, at(2)).await, ended(Revoked));
}
