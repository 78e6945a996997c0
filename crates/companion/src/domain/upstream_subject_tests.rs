//! The rule over what was told: order and repetition do not matter, and who is concerned.

use super::*;

fn subject(kind: SubjectKind, state: SubjectState, at: i64) -> UpstreamSubject {
    UpstreamSubject {
        kind,
        id: "id_1".into(),
        state,
        updated_at: at,
        event: format!("event_{at}"),
        withdrawn_at: (state != SubjectState::Active).then_some(at),
        organization: Some("org_acme".into()),
        person: Some("ada-1".into()),
        email: Some("ada@acme.test".into()),
    }
}

fn directory(state: SubjectState, at: i64) -> UpstreamSubject {
    subject(SubjectKind::DirectoryUser, state, at)
}

fn ada() -> PersonKeys {
    PersonKeys::new("conn_acme", Some("org_acme"), "ada-1", "Ada@ACME.test")
}

const GRANTED: UpstreamAccess = UpstreamAccess::Granted { since: None };

/// A seeded generator (splitmix64): histories that failed can be run again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// Applies a history; what is known in the end, and which of two sessions are alive: one from
/// before the history, one of its middle.
fn run(history: &[UpstreamSubject]) -> (Vec<UpstreamSubject>, bool) {
    let mut known: Vec<UpstreamSubject> = Vec::new();
    let mut is_alive = true;
    for told in history {
        let place = known.iter().position(|it| (it.kind, &it.id) == (told.kind, &told.id));
        let latest = UpstreamSubject::latest(place.map(|place| &known[place]), told);
        match place {
            Some(place) => known[place] = latest,
            None => known.push(latest),
        }
        let ends_before = UpstreamAccess::of(&ada(), &known).ends_before();
        is_alive &= ends_before.is_none_or(|before| Timestamp::from_seconds(0) >= before);
    }
    known.sort_by(|one, two| (one.kind, &one.id).cmp(&(two.kind, &two.id)));
    (known, is_alive)
}

/// Reports about a few subjects; each subject is deleted at most once, and last.
fn history(dice: &mut Dice) -> Vec<UpstreamSubject> {
    let mut reports = Vec::new();
    for number in 0..1 + dice.below(3) {
        let kind = SubjectKind::ALL[usize::try_from(dice.below(6)).unwrap()];
        let id = match kind {
            SubjectKind::Connection => "conn_acme".to_owned(),
            SubjectKind::Organization => "org_acme".to_owned(),
            SubjectKind::User => "ada-1".to_owned(),
            _ => format!("{}_{number}", kind.as_str()),
        };
        let length = 1 + dice.below(5);
        for step in 0..length {
            let state = match dice.below(3) {
                0 => SubjectState::Suspended,
                1 if step + 1 == length => SubjectState::Deleted,
                _ => SubjectState::Active,
            };
            let at = i64::try_from(10_000 * step + 10 * number).unwrap() + 1000;
            reports.push(UpstreamSubject { id: id.clone(), ..subject(kind, state, at) });
        }
    }
    reports.sort_by_key(|report| report.updated_at);
    reports
}

#[test]
fn any_order_with_any_repetition_ends_as_the_sorted_history_does() {
    let mut ended = 0;
    for seed in 0..20_000 {
        let mut dice = Dice(seed);
        let sorted = history(&mut dice);
        let mut shuffled = sorted.clone();
        for _ in 0..dice.below(4) {
            let again = usize::try_from(dice.below(sorted.len() as u64)).unwrap();
            shuffled.push(sorted[again].clone());
        }
        for place in (1..shuffled.len()).rev() {
            shuffled.swap(place, usize::try_from(dice.below(place as u64 + 1)).unwrap());
        }
        let (one, two) = (run(&sorted), run(&shuffled));
        assert_eq!(one, two, "seed {seed}: {sorted:?} as {shuffled:?}");
        ended += u32::from(!one.1);
    }
    assert!((5_000..20_000).contains(&ended), "histories of both kinds: {ended}");
}

#[test]
fn a_deletion_is_final_and_the_newest_of_the_rest_wins() {
    use SubjectState::{Active, Deleted, Suspended};
    for (known, told, wins) in [
        (directory(Active, 5), directory(Suspended, 6), Suspended),
        (directory(Active, 6), directory(Suspended, 5), Active),
        (directory(Deleted, 5), directory(Active, 6), Deleted),
        (directory(Active, 6), directory(Deleted, 5), Deleted),
    ] {
        assert_eq!(UpstreamSubject::latest(Some(&known), &told).state, wins);
        assert_eq!(UpstreamSubject::latest(Some(&told), &known).state, wins);
    }
    let second = UpstreamSubject { event: "event_9".into(), ..directory(Suspended, 5) };
    let latest = UpstreamSubject::latest(Some(&directory(Active, 5)), &second);
    assert_eq!(latest.state, Suspended, "the event's id decides between two of one instant");
}

#[test]
fn each_kind_concerns_those_who_depend_on_it_and_no_others() {
    use SubjectKind::{Connection, DirectoryUser, Membership, Organization, Session, User};
    let with_id = |kind, id: &str| UpstreamSubject {
        id: id.into(),
        ..subject(kind, SubjectState::Suspended, 5)
    };
    let other = |change: fn(&mut UpstreamSubject)| {
        let mut subject = directory(SubjectState::Suspended, 5);
        change(&mut subject);
        subject
    };
    for (subject, is_withdrawn) in [
        (with_id(Connection, "conn_acme"), true),
        (with_id(Connection, "conn_beta"), false),
        (with_id(Organization, "org_acme"), true),
        (with_id(Organization, "org_beta"), false),
        (with_id(User, "ada-1"), true),
        (with_id(User, "ada-2"), false),
        (with_id(Membership, "om_1"), true),
        (with_id(Session, "session_1"), false),
        (with_id(DirectoryUser, "directory_user_1"), true),
        (other(|it| it.organization = Some("org_beta".into())), false),
        (other(|it| it.organization = None), false),
        (other(|it| it.person = Some("other".into())), true),
        (other(|it| it.person = None), true),
        (other(|it| it.email = Some("grace@acme.test".into())), true),
        (
            other(|it| {
                it.email = Some("grace@acme.test".into());
                it.person = Some("grace".into());
            }),
            false,
        ),
        (
            other(|it| {
                it.email = None;
                it.person = None;
            }),
            false,
        ),
    ] {
        let access = UpstreamAccess::of(&ada(), std::slice::from_ref(&subject));
        assert_eq!(access == UpstreamAccess::Withdrawn, is_withdrawn, "{subject:?}");
    }
    let without = PersonKeys { organization: None, ..ada() };
    let suspended = [directory(SubjectState::Suspended, 5)];
    assert_eq!(UpstreamAccess::of(&without, &suspended), GRANTED, "of no organization");
}

#[test]
fn a_person_who_comes_back_as_another_entry_may_sign_in() {
    use SubjectState::{Active, Deleted};
    let again = |at| UpstreamSubject { id: "id_2".into(), ..directory(Active, at) };
    let access = |subjects: &[_]| UpstreamAccess::of(&ada(), subjects);
    assert_eq!(access(&[directory(Deleted, 5000)]), UpstreamAccess::Withdrawn);
    let back = access(&[directory(Deleted, 5000), again(6000)]);
    assert_eq!(back, UpstreamAccess::Granted { since: Some(5000) });
    assert_eq!(back.ends_before(), Some(Timestamp::from_seconds(6)), "sessions of before end");
    assert_eq!(access(&[directory(Deleted, 5000), again(4000)]), UpstreamAccess::Withdrawn);
}

#[test]
fn an_email_that_another_person_has_now_does_not_end_that_person() {
    let gone = UpstreamSubject {
        person: Some("the-first-ada".into()),
        ..directory(SubjectState::Deleted, 9000)
    };
    let own = directory(SubjectState::Active, 5000);
    assert_eq!(UpstreamAccess::of(&ada(), &[gone, own]), GRANTED);
}

#[test]
fn every_word_reads_back() {
    for kind in SubjectKind::ALL {
        assert_eq!(SubjectKind::from_stored(kind.as_str()), Some(kind));
    }
    for state in SubjectState::ALL {
        assert_eq!(SubjectState::from_stored(state.as_str()), Some(state));
    }
    assert_eq!(SubjectKind::from_stored("x").map(|_| ()), None);
}
