//! What AuthKit is for.

use super::*;

#[test]
fn authkit_takes_who_has_no_connection_or_everyone() {
    let no_hints = SelectorHints::default();
    let hosted = Ok(PendingAdmission::Settled(UpstreamSelector::Hosted));
    let rules = |authkit| {
        AdmissionPolicy::new(vec!["org_acme".into()], Vec::new(), None).with_authkit(authkit)
    };
    let email = asked("login_hint", "ada@acme.test");
    let by_domain = Ok(PendingAdmission::Domain("acme.test".into()));
    for (authkit, with_email, without) in [
        (AuthKitUse::Never, by_domain.clone(), Err(Problem::NoSelector)),
        (AuthKitUse::WithoutConnection, by_domain, hosted.clone()),
        (AuthKitUse::Always, hosted.clone(), hosted.clone()),
    ] {
        assert_eq!(rules(authkit).judge(&email), with_email, "{authkit:?}");
        assert_eq!(rules(authkit).judge(&no_hints), without, "{authkit:?}");
    }
    let evil = [connection("conn_1", Some("org_evil"), true)];
    let off = [connection("conn_1", Some("org_acme"), false)];
    let both = rules(AuthKitUse::WithoutConnection);
    assert_eq!(both.choose_by_domain(&[]), Ok(UpstreamSelector::Hosted));
    assert_eq!(both.choose_by_domain(&evil), Ok(UpstreamSelector::Hosted), "as if there was none");
    assert_eq!(both.choose_by_domain(&off), Err(Problem::ConnectionOff));
    let closed = AdmissionPolicy::new(Vec::new(), Vec::new(), None);
    let closed = closed.with_authkit(AuthKitUse::Always);
    assert!(closed.admits_no_one());
    assert_eq!(closed.judge(&no_hints), Err(Problem::WithoutOrganization));
    let open = closed.with_people_without_organization(true);
    assert!(!open.admits_no_one());
    assert_eq!(open.judge(&no_hints), hosted);
}
