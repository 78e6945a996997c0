use super::*;
use crate::keychain::LARGEST;
use crate::session::items::tests::session;

fn left(n: u64) -> LeftSession {
    let mut session = session();
    session.session = Some(format!("session_{n:032x}"));
    session.key = Some("k".repeat(43));
    LeftSession::of(&session, Moment(n)).unwrap()
}

#[test]
fn only_names_are_kept_and_the_newest_of_them() {
    let all: Vec<_> = (0..9).map(left).collect();
    let kept = LeftSessions::default().with(&all[..8]).with(&all[8..]);
    let bytes = kept.to_bytes().unwrap();
    assert!(bytes.expose().len() <= LARGEST && kept.0.len() >= 4, "{kept:?}");
    assert_eq!(kept.0.last(), all.last());
    assert!(!String::from_utf8_lossy(bytes.expose()).contains("kpr_"), "no token");
    assert_eq!(LeftSessions::of_bytes(&bytes), Ok(kept.clone()));
    assert_eq!(kept.clone().with(&all[8..]), kept, "each once");
    assert!(kept.without(&all).is_empty());
}

#[test]
fn a_session_without_a_name_or_a_known_key_is_not_noted() {
    for clear in [|s: &mut KeptSession| s.session = None, |s: &mut KeptSession| s.key = None] {
        let mut session = session();
        clear(&mut session);
        assert_eq!(LeftSession::of(&session, Moment(7)), None);
    }
    assert!(!left(7).is_over(Moment(8)) && left(7).is_over(Moment(7).after(LONGEST_SESSION)));
}
