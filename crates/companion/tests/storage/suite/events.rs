//! The provider's events: what each ends, that order and repetition do no harm, and that a sign-in
//! that comes back is refused until the access is given again.

use keyport_companion::domain::{EndedBecause::AccessWithdrawn, GrantStage};
use keyport_companion::domain::{
    FeedHolder, IssuedSession, PersonFacts, ProblemCode, ProviderProfile, RefreshRefusal,
    SubjectKind, SubjectReport, SubjectState, SystemRandom, Thumbprint, UpstreamEvent,
    UpstreamIdentity,
};
use keyport_companion::storage::{EventTaken, FeedPosition, Fulfilment, Minting, RedeemCode};

use crate::world::{
    FOREIGN, LAPTOP, World, ada, at, authorization_of, grace, identity, profile_of_ada, redemption,
    refresh_token,
};

use SubjectKind::{Connection, DirectoryUser, Membership, Organization, Session, User};
use SubjectState::{Active, Deleted, Suspended};

const PHONE: Thumbprint = Thumbprint::from_bytes([2; 32]);
/// The beginning of the world's time, as the provider tells it.
const BEGIN: i64 = 1_800_000_000_000;

/// What the provider tells of Ada, `millis` after the beginning, unless it is changed.
pub fn report(event: &str, state: SubjectState, millis: i64) -> SubjectReport<'_> {
    SubjectReport {
        event,
        kind: DirectoryUser,
        id: "directory_user_ada",
        state,
        updated_at: BEGIN + millis,
        organization: Some("org_01ACME"),
        person: Some("00u1ada"),
    }
}

fn facts() -> PersonFacts {
    PersonFacts::keep(Some("Ada@ACME.test"), None)
}

fn event(report: &SubjectReport<'_>) -> UpstreamEvent {
    UpstreamEvent::about(report, facts()).unwrap()
}

pub async fn take(world: &World, event: UpstreamEvent) -> EventTaken {
    world.storage.take_event(event, at(100)).await.unwrap()
}

pub async fn session(world: &World, who: UpstreamIdentity, jkt: Thumbprint) -> IssuedSession {
    let code = world.code(authorization_of(jkt), who, at(0)).await;
    world.redeemed(RedeemCode { jkt, ..redemption(&code) }, at(1)).await
}

/// Of another organization with a connection of its own, and with Ada's id there.
fn linus() -> UpstreamIdentity {
    identity(ProviderProfile {
        email: "linus@beta.test".into(),
        connection_id: Some("conn_01BETA".into()),
        organization_id: Some("org_01BETA".into()),
        ..profile_of_ada()
    })
}

pub async fn a_person_deleted_in_the_directory_is_out_and_no_other_is(world: World) {
    let laptop = session(&world, ada(), LAPTOP).await;
    let phone = session(&world, ada(), PHONE).await;
    let others = [session(&world, grace(), PHONE).await, session(&world, linus(), FOREIGN).await];
    let taken = take(&world, event(&report("event_1", Deleted, 50_000))).await;
    assert_eq!(taken, EventTaken { is_new: true, ended: 2, may_be_more: false });
    for gone in [&laptop, &phone] {
        assert!(!world.is_alive(gone, at(101)).await);
    }
    let refusal = world.refused_refresh(&refresh_token(&laptop), LAPTOP, at(101)).await;
    assert_eq!(refusal, RefreshRefusal::Ended(AccessWithdrawn));
    for other in &others {
        assert!(world.is_alive(other, at(101)).await);
    }
}

pub async fn each_kind_of_event_ends_what_depends_on_it(world: World) {
    let cases = [
        (DirectoryUser, "directory_user_1", Some("org_01ACME"), Some("by-email"), [true, false]),
        (DirectoryUser, "directory_user_2", Some("org_01ACME"), Some("00u1ada"), [true, false]),
        (DirectoryUser, "directory_user_3", Some("org_01GAMMA"), Some("00u1ada"), [false, false]),
        (DirectoryUser, "directory_user_4", None, Some("00u1ada"), [false, false]),
        (Connection, "conn_01OKTA", Some("org_01ACME"), None, [true, false]),
        (Connection, "conn_01BETA", None, None, [false, true]),
        (Organization, "org_01ACME", None, None, [true, false]),
        (User, "00u1ada", None, None, [true, true]),
        (Membership, "om_1", Some("org_01BETA"), Some("00u1ada"), [false, true]),
        (Session, "session_1", None, Some("00u1ada"), [false, false]),
    ];
    for (number, (kind, id, organization, person, ends)) in cases.into_iter().enumerate() {
        // Signed in after what was told before, which is active again.
        let now = at(1000 * (i64::try_from(number).unwrap() + 1));
        let mut sessions = Vec::new();
        for (who, jkt) in [(ada(), LAPTOP), (linus(), FOREIGN)] {
            let code = world.code(authorization_of(jkt), who, now).await;
            sessions.push(world.redeemed(RedeemCode { jkt, ..redemption(&code) }, now).await);
        }
        let told = |event, state, millis| SubjectReport {
            event,
            kind,
            id,
            state,
            updated_at: now.seconds() * 1000 + millis,
            organization,
            person,
        };
        let (first, second) = (format!("event_{number}a"), format!("event_{number}b"));
        let taken = take(&world, event(&told(&first, Suspended, 1))).await;
        assert_eq!(taken.ended, ends.iter().filter(|ends| **ends).count(), "{kind:?} {id}");
        for (issued, ends) in sessions.iter().zip(ends) {
            assert_eq!(world.is_alive(issued, now).await, !ends, "{kind:?} {id}");
        }
        take(&world, event(&told(&second, Active, 2))).await;
    }
}

pub async fn an_event_that_comes_again_does_nothing(world: World) {
    session(&world, ada(), LAPTOP).await;
    let told = event(&report("event_1", Suspended, 50_000));
    assert_eq!(take(&world, told.clone()).await.ended, 1);
    take(&world, event(&report("event_2", Active, 60_000))).await;
    let code = world.code(authorization_of(LAPTOP), ada(), at(90)).await;
    let again = world.redeemed(redemption(&code), at(90)).await;
    assert_eq!(take(&world, told.clone()).await, EventTaken::default());
    assert!(world.is_alive(&again, at(101)).await);
    let (one, two) = tokio::join!(
        world.storage.take_event(event(&report("event_3", Active, 70_000)), at(100)),
        world.storage.take_event(event(&report("event_3", Active, 70_000)), at(100)),
    );
    assert!(one.unwrap().is_new ^ two.unwrap().is_new, "one of two at once");
}

pub async fn a_suspension_that_comes_late_ends_what_is_older_than_it_only(world: World) {
    let old = session(&world, ada(), LAPTOP).await;
    assert_eq!(take(&world, event(&report("event_2", Active, 60_000))).await.ended, 0);
    let code = world.code(authorization_of(PHONE), ada(), at(70)).await;
    let young = world.redeemed(RedeemCode { jkt: PHONE, ..redemption(&code) }, at(70)).await;
    assert_eq!(take(&world, event(&report("event_1", Suspended, 50_000))).await.ended, 1);
    assert!(!world.is_alive(&old, at(101)).await);
    assert!(world.is_alive(&young, at(101)).await, "of after it");
}

pub async fn a_sign_in_that_comes_back_is_refused_until_access_is_given_again(world: World) {
    take(&world, event(&report("event_1", Suspended, 10_000))).await;
    let grant = world.started(authorization_of(LAPTOP), at(110)).await;
    let answer = world.storage.fulfil_grant(grant, ada(), at(111)).await.unwrap();
    assert_eq!(answer, Fulfilment::AccessEnded);
    let view = world.storage.read_grant(grant, at(112)).await.unwrap().unwrap();
    assert_eq!(view.grant.stage, GrantStage::Failed { problem: ProblemCode::access_ended() });
    assert!(matches!(world.storage.mint_code(grant, at(112)).await.unwrap(), Minting::Ended));
    session(&world, grace(), FOREIGN).await;
    take(&world, event(&report("event_2", Active, 20_000))).await;
    session(&world, ada(), LAPTOP).await;
}

pub async fn a_sign_in_that_waits_for_its_person_is_cancelled(world: World) {
    let grant = world.started(authorization_of(LAPTOP), at(0)).await;
    world.fulfil(grant, ada(), at(1)).await;
    let code = world.code(authorization_of(PHONE), ada(), at(1)).await;
    take(&world, event(&report("event_1", Deleted, 50_000))).await;
    assert!(!world.storage.confirm_grant(grant, at(101)).await.unwrap());
    world.refused_code(RedeemCode { jkt: PHONE, ..redemption(&code) }, at(10)).await;
}

/// Each of the two at once, a few dozen times: no session is left.
pub async fn a_sign_in_at_the_moment_of_the_event_leaves_no_session(world: World) {
    for round in 0..24 {
        let jkt = Thumbprint::from_bytes([100 + round; 32]);
        let who = identity(ProviderProfile {
            idp_id: format!("person-{round}"),
            email: format!("person-{round}@acme.test"),
            ..profile_of_ada()
        });
        let (id, name) = (format!("directory_user_{round}"), format!("event_{round}"));
        let person = format!("person-{round}");
        let gone = SubjectReport { id: &id, person: Some(&person), ..report(&name, Deleted, 5000) };
        let gone = UpstreamEvent::about(&gone, PersonFacts::default()).unwrap();
        let grant = world.started(authorization_of(jkt), at(0)).await;
        let signing_in = async {
            if round % 2 == 0 {
                tokio::task::yield_now().await;
            }
            let Ok(Fulfilment::Fulfilled { .. }) =
                world.storage.fulfil_grant(grant, who, at(1)).await
            else {
                return None;
            };
            world.storage.confirm_grant(grant, at(1)).await.unwrap();
            let Minting::Minted { code, .. } = world.storage.mint_code(grant, at(1)).await.unwrap()
            else {
                return None;
            };
            let redeemed = world.redeem(RedeemCode { jkt, ..redemption(&code) }, at(2)).await;
            match redeemed {
                keyport_companion::storage::Redemption::Redeemed(issued) => Some(issued),
                keyport_companion::storage::Redemption::Refused(_) => None,
            }
        };
        let (taken, issued) = tokio::join!(world.storage.take_event(gone, at(3)), signing_in);
        taken.unwrap();
        if let Some(issued) = issued {
            assert!(!world.is_alive(&issued, at(4)).await, "round {round}");
        }
    }
}

pub async fn a_directory_brings_name_and_email_up_to_date(world: World) {
    let issued = session(&world, ada(), LAPTOP).await;
    let told = |event, millis, email: &str, name: &str| {
        let facts = PersonFacts::keep(Some(email), Some(name));
        UpstreamEvent::about(&report(event, Active, millis), facts).unwrap()
    };
    take(&world, told("event_2", 60_000, "ada.king@acme.test", "Ada King")).await;
    take(&world, told("event_1", 50_000, "late@acme.test", "Late")).await;
    let session = world.storage.read_session(issued.session.id, at(101)).await.unwrap().unwrap();
    assert_eq!(session.user.email, "ada.king@acme.test");
    assert_eq!(session.user.name.as_deref(), Some("Ada King"));
    assert_eq!(session.user.id, issued.session.user.id);
}

pub async fn a_person_is_followed_through_a_new_email(world: World) {
    let issued = session(&world, ada(), LAPTOP).await;
    let told = |event, state, millis, email: &str| {
        let report = SubjectReport { person: Some("another-id"), ..report(event, state, millis) };
        UpstreamEvent::about(&report, PersonFacts::keep(Some(email), None)).unwrap()
    };
    take(&world, told("event_1", Active, 10_000, "ada@acme.test")).await;
    let gone = told("event_2", Deleted, 20_000, "ada.king@acme.test");
    assert_eq!(take(&world, gone).await.ended, 1);
    assert!(!world.is_alive(&issued, at(101)).await);
}

pub async fn more_sessions_than_one_transaction_ends_are_all_ended_by_an_event(world: World) {
    let mut all = Vec::new();
    for number in 100..170 {
        all.push(session(&world, ada(), Thumbprint::from_bytes([number; 32])).await);
    }
    let gone =
        SubjectReport { kind: Connection, id: "conn_01OKTA", ..report("event_1", Deleted, 50_000) };
    let part = world.storage.take_part_of_event(event(&gone), at(100)).await.unwrap();
    assert!(part.may_be_more, "{part:?}");
    // The provider sends it again: it is not known as taken yet.
    let rest = take(&world, event(&gone)).await;
    assert_eq!(part.ended + rest.ended, all.len());
    assert_eq!(take(&world, event(&gone)).await, EventTaken::default());
    for issued in &all {
        assert!(!world.is_alive(issued, at(101)).await);
    }
}

pub async fn one_companion_reads_the_list_at_a_time(world: World) {
    let [one, two] = [(); 2].map(|()| FeedHolder::draw(&SystemRandom));
    let (storage, begin) = (&world.storage, FeedPosition::default());
    assert_eq!(storage.hold_feed(one, at(0)).await.unwrap(), Some(begin.clone()));
    assert_eq!(storage.hold_feed(two, at(1)).await.unwrap(), None);
    let position = FeedPosition { after: Some("event_7".into()) };
    assert!(!storage.advance_feed(two, position.clone(), at(1)).await.unwrap());
    assert!(storage.advance_feed(one, position.clone(), at(2)).await.unwrap());
    assert_eq!(storage.hold_feed(one, at(3)).await.unwrap(), Some(position));
    assert!(storage.advance_feed(one, begin.clone(), at(4)).await.unwrap());
    assert_eq!(storage.hold_feed(one, at(5)).await.unwrap(), Some(begin));
}
