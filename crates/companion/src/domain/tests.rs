//! Every transition from every stage, and the rule of rotation at its edges.

use std::time::Duration;

use super::{
    BrowserHash, CancelledBy, ConfirmationNumber, EndedBecause, Family, Grant, GrantId, GrantStage,
    Lifetimes, Presented, ProblemCode, RefreshRefusal, RequestId, Scope, SessionId, Thumbprint,
    Timestamp, UpstreamAuthorizationId, UserId, Verdict,
};
use crate::domain::SystemRandom;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const USER: UserId = UserId::from_bytes([1; 16]);
const SESSION: SessionId = SessionId::from_bytes([2; 16]);

fn number() -> ConfirmationNumber {
    ConfirmationNumber::from_stored(42).unwrap()
}

fn fulfilled(device_known: bool, confirmed: bool) -> GrantStage {
    GrantStage::Fulfilled { user: USER, device_known, number: number(), confirmed }
}

fn stages() -> [GrantStage; 7] {
    [
        GrantStage::Pending,
        fulfilled(false, false),
        fulfilled(false, true),
        GrantStage::Minted { user: USER, deadline: NOW },
        GrantStage::Exchanged { user: USER, session: SESSION },
        GrantStage::Failed { problem: ProblemCode::interrupted() },
        GrantStage::Cancelled { by: CancelledBy::Person },
    ]
}

fn at(stage: GrantStage) -> Grant {
    Grant {
        id: GrantId::from_bytes([0; 16]),
        upstream_authorization: UpstreamAuthorizationId::from_bytes([0; 16]),
        request: RequestId::from_bytes([0; 16]),
        attempt: None,
        jkt: Thumbprint::from_bytes([0; 32]),
        browser: BrowserHash::from_bytes([0; 32]),
        client_id: String::new(),
        redirect_uri: String::new(),
        code_challenge: String::new(),
        scope: Scope::parse(""),
        device_name: None,
        started_at: NOW,
        fulfilled_at: None,
        upstream_session: None,
        stage,
    }
}

/// One letter per stage of `stages`: y where the transition is allowed.
fn allowed(transition: impl Fn(Grant) -> bool) -> String {
    stages().map(|stage| if transition(at(stage)) { 'y' } else { '-' }).iter().collect()
}

#[test]
fn each_transition_starts_from_its_own_stages_only() {
    //                                    Pending, Fulfilled, confirmed, Minted, Exchanged, Failed,
    // Cancelled
    assert_eq!(allowed(|g| g.fulfil(USER, false, number(), NOW).is_ok()), "y------");
    assert_eq!(allowed(|g| g.confirm().is_ok()), "-yy----");
    assert_eq!(allowed(|g| g.mint(NOW).is_ok()), "--y----");
    assert_eq!(allowed(|g| g.exchange(SESSION).is_ok()), "---y---");
    assert_eq!(allowed(|g| g.fail(ProblemCode::interrupted()).is_ok()), "y------");
    assert_eq!(allowed(|g| g.cancel(CancelledBy::Client).is_ok()), "yyyy---");
}

#[test]
fn a_known_device_needs_no_confirmation() {
    assert!(at(fulfilled(true, false)).mint(NOW).is_ok());
}

#[test]
fn numbers_have_two_digits_and_all_of_them_come() {
    let mut seen = [false; 100];
    for _ in 0..20_000 {
        seen[usize::from(ConfirmationNumber::draw(&SystemRandom).value())] = true;
    }
    assert!(seen[..10].iter().all(|number| !number));
    assert!(seen[10..].iter().all(|number| *number));
}

#[test]
fn ids_read_back_and_nothing_else_does() {
    let user = UserId::draw(&SystemRandom);
    assert_eq!(user.to_string().parse(), Ok(user));
    let hex = "0123456789abcdef0123456789abcdef";
    assert!(hex.parse::<super::AttemptId>().is_ok());
    for wrong in
        ["", &hex[1..], &hex.to_uppercase(), &format!("{hex}0"), "é123456789abcdef0123456789abcde"]
    {
        assert!(wrong.parse::<super::AttemptId>().is_err(), "{wrong}");
    }
    assert!(hex.parse::<UserId>().is_err(), "without its prefix");
}

#[test]
fn scopes_keep_what_is_known_once() {
    let scope = Scope::parse("email admin  openid email offline_access");
    assert_eq!(scope.as_str(), "email openid offline_access");
    assert!(scope.has("openid") && !scope.has("admin") && !scope.has("profile"));
    assert!(!Scope::parse("").has(""), "nothing is not a word");
}

#[test]
fn a_problem_code_is_a_code_and_not_a_sentence() {
    assert!(ProblemCode::new("keychain_locked").is_some());
    for wrong in ["", "A sentence.", "<script>", &"x".repeat(65)] {
        assert!(ProblemCode::new(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn the_rule_of_rotation_at_its_edges() {
    let own = Thumbprint::from_bytes([1; 32]);
    let foreign = Thumbprint::from_bytes([2; 32]);
    let limits = Lifetimes::default();
    let alive = Family { generation: 5, jkt: own, created_at: NOW, used_at: NOW, ended: None };
    let ended = Family { ended: Some(EndedBecause::Revoked), ..alive };
    let judge = |family: Family, generation, jkt, later| {
        let now = NOW.plus(Duration::from_secs(later));
        family.judge(Presented { generation, jkt }, &limits, now)
    };
    let day = 24 * 60 * 60;
    for (family, generation, jkt, later, verdict) in [
        (alive, 5, own, 0, Verdict::Rotate),
        (alive, 4, own, 0, Verdict::Repeat),
        (alive, 3, own, 0, Verdict::End),
        (alive, 0, own, 0, Verdict::End),
        (alive, 6, own, 0, Verdict::Refuse(RefreshRefusal::Unknown)),
        (alive, 5, foreign, 0, Verdict::Refuse(RefreshRefusal::WrongDeviceKey)),
        (alive, 0, foreign, 0, Verdict::Refuse(RefreshRefusal::WrongDeviceKey)),
        (ended, 5, own, 0, Verdict::Refuse(RefreshRefusal::Ended(EndedBecause::Revoked))),
        (ended, 0, own, 0, Verdict::Refuse(RefreshRefusal::Ended(EndedBecause::Revoked))),
        (alive, 5, own, 30 * day - 1, Verdict::Rotate),
        (alive, 5, own, 30 * day, Verdict::Refuse(RefreshRefusal::Expired)),
        (alive, 0, own, 30 * day, Verdict::Refuse(RefreshRefusal::Expired)),
    ] {
        assert_eq!(judge(family, generation, jkt, later), verdict, "{generation} {later}");
    }
}

#[test]
fn a_theft_and_an_operator_make_a_device_unknown_and_a_sign_out_does_not() {
    for (because, forgets) in [
        (EndedBecause::TokenReplayed, true),
        (EndedBecause::CodeReplayed, true),
        (EndedBecause::RevokedByOperator, true),
        (EndedBecause::Revoked, false),
        (EndedBecause::SignedInAgain, false),
        (EndedBecause::AttemptCancelled, false),
    ] {
        assert_eq!(because.forgets_device_key(), forgets, "{because:?}");
    }
}

#[test]
fn a_device_key_is_trusted_for_as_long_as_a_session_may_live() {
    let limits = Lifetimes::default();
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    assert!(limits.trusts_device_key(NOW, NOW.plus(days(180)).minus(Duration::from_secs(1))));
    assert!(!limits.trusts_device_key(NOW, NOW.plus(days(180))));
}
