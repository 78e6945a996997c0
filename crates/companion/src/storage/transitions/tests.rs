//! The rules over rows, without an engine: what a transition answers and writes.

use std::sync::Arc;

use super::*;
use crate::domain::{
    AttemptId, AttemptKey, BrowserHash, CancelledBy, ConfirmationNumber, EndedBecause, FamilyId,
    Grant, GrantId, GrantStage, Outcome, RefreshRefusal, RequestId, Scope, Session, SessionId,
    SystemRandom, Thumbprint, Timestamp, UpstreamAuthorizationId, User, UserId,
};
use crate::keys::KeyFile;
use crate::storage::{RotateRefresh, Rotation};

const KEY: Thumbprint = Thumbprint::from_bytes([1; 32]);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn rules() -> Rules {
    let keys = Arc::new(Keys::derive(&KeyFile::draw(&SystemRandom)));
    let parts = StorageParts::new(keys, Arc::new(SystemRandom));
    Rules { parts, clock: ClockPlausibility::at_open(None, at(0)) }
}

fn user() -> User {
    User {
        id: UserId::from_bytes([2; 16]),
        email: "ada@acme.test".into(),
        name: None,
        organization: None,
        connection: None,
        method: "OktaSAML".into(),
    }
}

fn session_row() -> SessionRow {
    SessionRow {
        session: Session {
            id: SessionId::from_bytes([3; 16]),
            user: user(),
            client_id: "app".into(),
            jkt: KEY,
            scope: Scope::parse("offline_access"),
            auth_time: at(0),
            deadline: at(1_000),
        },
        created_at: at(0),
        ended: None,
        key_is_known: true,
    }
}

fn grant(stage: GrantStage) -> Grant {
    Grant {
        id: GrantId::from_bytes([4; 16]),
        upstream_authorization: UpstreamAuthorizationId::from_bytes([5; 16]),
        request: RequestId::from_bytes([6; 16]),
        attempt: Some(AttemptId::from_bytes([7; 16])),
        jkt: KEY,
        browser: BrowserHash::from_bytes([8; 32]),
        client_id: "app".into(),
        redirect_uri: "app:/callback".into(),
        code_challenge: "challenge".into(),
        scope: Scope::parse("offline_access"),
        device_name: None,
        started_at: at(0),
        fulfilled_at: None,
        upstream_session: None,
        stage,
    }
}

fn present(rules: &Rules, row: &FamilyRow, token: &RefreshToken) -> Decided<Rotation> {
    let rows = RotationRows { family: row.clone(), session: session_row() };
    let request = RotateRefresh {
        token: rules.keys().write_refresh_token(token),
        client_id: "app".into(),
        jkt: KEY,
        address: None,
    };
    rules.rotate(Some(rows), token, &request, at(1))
}

/// The family's row after the decision, if it was written.
fn written(decision: &Decision<Rotation>) -> Option<FamilyRow> {
    decision.writes.iter().find_map(|write| match write {
        Write::UpdateFamily(row) => Some(row.clone()),
        _ => None,
    })
}

#[test]
fn every_stage_reads_back_from_its_columns() {
    let (user, session) = (UserId::from_bytes([2; 16]), SessionId::from_bytes([3; 16]));
    let number = ConfirmationNumber::from_stored(42).unwrap();
    for stage in [
        GrantStage::Pending,
        GrantStage::Fulfilled { user, device_known: true, number, confirmed: false },
        GrantStage::Minted { user, deadline: at(60) },
        GrantStage::Exchanged { user, session },
        GrantStage::Failed { problem: crate::domain::ProblemCode::expired() },
        GrantStage::Cancelled { by: CancelledBy::WrongVerifier },
    ] {
        assert_eq!(StageColumns::from(&stage).stage(), Some(stage));
    }
    let damaged = StageColumns { stage: "minted".into(), ..StageColumns::default() };
    assert_eq!(damaged.clone().stage(), None, "a code without a person is no stage");
    assert_eq!(StageColumns { stage: "other".into(), ..damaged }.stage(), None);
}

/// Every history of presentations up to a depth: whichever tokens of the family are presented, in
/// whichever order, there is one child of each parent, and nothing older than the parent is
/// accepted.
#[test]
fn every_history_of_presentations_has_one_child_for_each_parent() {
    let rules = rules();
    let first = RefreshToken::draw_first(&SystemRandom);
    let row = FamilyRow {
        id: first.family,
        generation: 0,
        token_hash: first.hash(),
        sealed_child: None,
        used_at: at(0),
    };
    walk(&rules, &row, &[first], 6);
}

fn walk(rules: &Rules, row: &FamilyRow, issued: &[RefreshToken], depth: usize) {
    if depth == 0 {
        return;
    }
    let current = usize::try_from(row.generation).unwrap();
    for (generation, token) in issued.iter().enumerate() {
        let decision = present(rules, row, token).unwrap();
        match &decision.answer {
            Rotation::Rotated(given) => {
                let given = rules.read_token(given.refresh_token.as_ref().unwrap()).unwrap();
                assert!(generation + 1 >= current, "older than the parent was accepted");
                let next = written(&decision).unwrap();
                assert_eq!(next.token_hash, given.hash(), "the answer is the current token");
                let copy = |token: &RefreshToken| {
                    rules.read_token(&rules.keys().write_refresh_token(token)).unwrap()
                };
                let mut issued: Vec<_> = issued.iter().map(copy).collect();
                match issued.get(generation + 1) {
                    Some(child) => assert_eq!(*child, given, "a second child of one parent"),
                    None => issued.push(given),
                }
                walk(rules, &next, &issued, depth - 1);
            }
            Rotation::Refused(RefreshRefusal::Replayed) => {
                assert!(generation + 1 < current, "a parent or current token ended the family");
                let ends = |write: &Write| matches!(write, Write::EndSession { .. });
                assert!(decision.writes.iter().any(ends), "a replay ends the session");
            }
            Rotation::Refused(why) => panic!("{why:?}"),
        }
    }
}

#[test]
fn a_family_of_another_history_gives_nothing_and_changes_nothing() {
    let rules = rules();
    let (known, lost) =
        (RefreshToken::draw_first(&SystemRandom), RefreshToken::draw_first(&SystemRandom));
    let row = FamilyRow {
        id: FamilyId::from_bytes([9; 16]),
        generation: 0,
        token_hash: known.hash(),
        sealed_child: None,
        used_at: at(0),
    };
    let decision = present(&rules, &row, &lost).unwrap();
    assert!(matches!(decision.answer, Rotation::Refused(RefreshRefusal::Unknown)));
    assert!(decision.writes.is_empty());
}

#[test]
fn a_report_that_cannot_be_true_is_not_kept() {
    let rules = rules();
    let key = AttemptKey { attempt: AttemptId::from_bytes([7; 16]), jkt: KEY };
    let rows = |stage| AttemptRows { grants: vec![grant(stage)], ..AttemptRows::default() };
    let stored = rules.report(rows(GrantStage::Pending), key, &Outcome::Stored, at(1));
    assert!(stored.writes.is_empty(), "a session that was not given cannot be stored");
    let failed = rules.report(rows(GrantStage::Pending), key, &Outcome::Failed(None), at(1));
    assert_eq!(failed.writes.len(), 1);
    let unknown = rules.report(AttemptRows::default(), key, &Outcome::Failed(None), at(1));
    assert!(unknown.writes.is_empty(), "an attempt that no grant belongs to");
}

#[test]
fn an_ended_session_is_ended_once() {
    let because = crate::domain::EndedBecause::TokenReplayed;
    let writes = sessions::end(&session_row(), because, at(1));
    assert!(matches!(writes[0], Write::EndSession { .. }));
    assert!(writes.iter().any(|write| matches!(write, Write::DeleteDeviceKey { .. })));
    let ended = SessionRow { ended: Some(EndedBecause::Revoked), ..session_row() };
    assert!(sessions::end(&ended, because, at(1)).is_empty());
}
