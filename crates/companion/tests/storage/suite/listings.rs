//! What an operator reads: users and the audit table, in pages.

use keyport_companion::domain::{EndedBecause, SessionSelector, UserId};
use keyport_companion::storage::{AuditPage, AuditRecord, ListedUser, UserSelector, UsersPage};

use crate::world::{LAPTOP, World, at, authorization_of, grace, redemption};

async fn users(world: &World, of: UserSelector) -> Vec<ListedUser> {
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = UsersPage { after, limit: 1 };
        let part = world.storage.list_users(of.clone(), page, at(20)).await.unwrap();
        let Some(last) = part.last() else { return listed };
        after = Some(last.user.id);
        listed.extend(part);
    }
}

pub async fn users_are_listed_in_pages_by_what_names_them(world: World) {
    let (ada, _) = world.sign_in(LAPTOP, at(0)).await;
    let code = world.code(authorization_of(LAPTOP), grace(), at(5)).await;
    let grace = world.redeemed(redemption(&code), at(5)).await;
    world
        .storage
        .end_sessions(
            SessionSelector::Session(grace.session.id),
            EndedBecause::RevokedByOperator,
            at(6),
        )
        .await
        .unwrap();
    let mut both = [ada.session.user.id, grace.session.user.id];
    both.sort();
    let email = ada.session.user.email.to_uppercase();
    for (of, wanted) in [
        (UserSelector::All, &both[..]),
        (UserSelector::Organization("org_01ACME".into()), &both),
        (UserSelector::Connection("conn_01OKTA".into()), &both),
        (UserSelector::Id(both[1]), &both[1..]),
        (UserSelector::Email(email), &[ada.session.user.id]),
        (UserSelector::Email("ada@acme.tes_".into()), &[]),
        (UserSelector::Organization("org_none".into()), &[]),
        (UserSelector::Id(UserId::from_bytes([9; 16])), &[]),
    ] {
        let found: Vec<_> = users(&world, of.clone()).await.iter().map(|one| one.user.id).collect();
        assert_eq!(found, wanted, "{of:?}");
    }
    let listed = users(&world, UserSelector::Id(grace.session.user.id)).await;
    assert_eq!((listed[0].created_at, listed[0].signed_in_at), (at(5), at(5)));
    assert_eq!(listed[0].sessions, 0);
    assert_eq!(users(&world, UserSelector::Id(ada.session.user.id)).await[0].sessions, 1);
}

pub async fn the_audit_table_is_listed_in_pages_from_an_instant_on(world: World) {
    world.sign_in(LAPTOP, at(0)).await;
    let selector = SessionSelector::All;
    world.storage.end_sessions(selector, EndedBecause::RevokedByOperator, at(50)).await.unwrap();
    let (mut rows, mut after) = (Vec::<AuditRecord>::new(), 0);
    loop {
        let page = AuditPage { after, since: at(0), limit: 2 };
        let part = world.storage.list_audit(page).await.unwrap();
        let Some(last) = part.last() else { break };
        after = last.id;
        rows.extend(part);
    }
    let events: Vec<&str> = rows.iter().map(|row| row.event.as_str()).collect();
    assert!(events.contains(&"user_provisioned"), "{events:?}");
    let ended = rows.iter().find(|row| row.event == "session_ended").unwrap();
    assert_eq!(ended.detail.as_deref(), Some("revoked_by_operator"));
    assert_eq!((ended.at, ended.folded), (at(50), 0));
    assert!(ended.user.is_some() && ended.session.is_some());
    let since = AuditPage { after: 0, since: at(50), limit: 10 };
    let late = world.storage.list_audit(since).await.unwrap();
    assert!(late.iter().all(|row| row.last_at >= at(50)) && late.contains(ended));
    let never = AuditPage { after: 0, since: at(51), limit: 10 };
    assert_eq!(world.storage.list_audit(never).await.unwrap(), []);
}
