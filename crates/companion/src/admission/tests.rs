use super::*;

mod authkit;

fn policy() -> AdmissionPolicy {
    AdmissionPolicy::new(
        vec!["org_acme".into(), "org_globex".into()],
        vec!["GoogleOAuth".into()],
        Some("org_acme".into()),
    )
}

fn everybody() -> AdmissionPolicy {
    AdmissionPolicy::new(vec!["*".into()], Vec::new(), None)
}

fn connection(id: &str, organization: Option<&str>, active: bool) -> ListedConnection {
    ListedConnection { id: id.into(), organization: organization.map(str::to_owned), active }
}

fn asked(selector: &str, value: &str) -> SelectorHints {
    let mut hints = SelectorHints::default();
    let slot = match selector {
        "organization" => &mut hints.organization,
        "connection" => &mut hints.connection,
        "provider" => &mut hints.provider,
        _ => &mut hints.login_hint,
    };
    *slot = Some(value.into());
    hints
}

fn organization(id: &str) -> UpstreamSelector {
    UpstreamSelector::Organization(id.into())
}

#[test]
fn by_default_no_person_enters() {
    let closed = AdmissionPolicy::new(Vec::new(), Vec::new(), None);
    assert!(closed.admits_no_one());
    assert_eq!(closed.judge(&SelectorHints::default()), Err(Problem::NoSelector));
    assert_eq!(
        closed.judge(&asked("organization", "org_acme")),
        Err(Problem::OrganizationNotAllowed)
    );
    assert_eq!(closed.judge(&asked("provider", "GoogleOAuth")), Err(Problem::ProviderNotAllowed));
    let listed = [connection("conn_1", Some("org_acme"), true), connection("conn_2", None, true)];
    assert_eq!(closed.choose_by_domain(&listed), Err(Problem::DomainUnknown));
    assert_eq!(closed.admit_connection(Some(&listed[0])), Err(Problem::ConnectionNotAllowed));
    assert_eq!(closed.admit_connection(Some(&listed[1])), Err(Problem::ConnectionNotAllowed));
    let providers = AdmissionPolicy::new(Vec::new(), vec!["GoogleOAuth".into()], None);
    assert!(providers.admits_no_one(), "an account of no organization needs a setting of its own");
    assert_eq!(
        providers.judge(&asked("provider", "GoogleOAuth")),
        Err(Problem::WithoutOrganization)
    );
}

#[test]
fn a_request_chooses_among_what_is_allowed_and_never_widens_it() {
    let policy = policy();
    let settled = |selector| Ok(PendingAdmission::Settled(selector));
    assert_eq!(
        policy.judge(&asked("organization", "org_globex")),
        settled(organization("org_globex"))
    );
    assert_eq!(
        policy.judge(&asked("organization", "org_evil")),
        Err(Problem::OrganizationNotAllowed)
    );
    assert_eq!(policy.judge(&asked("organization", "*")), Err(Problem::OrganizationNotAllowed));
    assert_eq!(
        policy.judge(&asked("provider", "GoogleOAuth")),
        settled(UpstreamSelector::Provider("GoogleOAuth".into()))
    );
    assert_eq!(policy.judge(&asked("provider", "authkit")), Err(Problem::ProviderNotAllowed));
    assert_eq!(
        policy.judge(&asked("connection", "conn_1")),
        Ok(PendingAdmission::Connection("conn_1".into()))
    );
    assert_eq!(policy.judge(&SelectorHints::default()), settled(organization("org_acme")));
}

#[test]
fn an_email_is_only_good_for_its_domain() {
    let policy = policy();
    let domain = |email| policy.judge(&asked("login_hint", email));
    assert_eq!(domain("Ada@ACME.test"), Ok(PendingAdmission::Domain("acme.test".into())));
    assert_eq!(domain("a@b@acme.test"), Ok(PendingAdmission::Domain("acme.test".into())));
    for bad in [
        "ada",
        "@acme.test",
        "ada@",
        "ada@acme",
        "ada@acme..test",
        "ada@acme.test/",
        "ada@a b.test",
        "ada@ä.test",
    ] {
        assert_eq!(domain(bad), Err(Problem::DomainUnknown), "{bad}");
    }
    let both = SelectorHints {
        login_hint: Some("eve@evil.test".into()),
        ..asked("organization", "org_acme")
    };
    assert_eq!(policy.judge(&both), Ok(PendingAdmission::Settled(organization("org_acme"))));
}

#[test]
fn a_domain_leads_to_its_one_active_connection() {
    let policy = policy();
    let acme = connection("conn_1", Some("org_acme"), true);
    let off = connection("conn_2", Some("org_acme"), false);
    let evil = connection("conn_3", Some("org_evil"), true);
    let orphan = connection("conn_4", None, true);
    let chosen = |listed: &[ListedConnection]| policy.choose_by_domain(listed);
    let wanted =
        UpstreamSelector::Connection { id: "conn_1".into(), organization: Some("org_acme".into()) };
    assert_eq!(chosen(&[acme.clone(), off.clone(), evil.clone(), orphan.clone()]), Ok(wanted));
    assert_eq!(chosen(&[]), Err(Problem::DomainUnknown));
    assert_eq!(chosen(&[evil]), Err(Problem::DomainUnknown));
    assert_eq!(chosen(std::slice::from_ref(&orphan)), Err(Problem::DomainUnknown));
    assert_eq!(chosen(&[off]), Err(Problem::ConnectionOff));
    assert_eq!(chosen(&[acme.clone(), acme]), Err(Problem::AmbiguousConnection));
    assert_eq!(
        everybody().choose_by_domain(std::slice::from_ref(&orphan)),
        Err(Problem::DomainUnknown)
    );
    let open = everybody().with_people_without_organization(true);
    assert!(open.choose_by_domain(&[orphan]).is_ok());
}

#[test]
fn a_missing_connection_and_a_forbidden_one_look_alike() {
    let policy = policy();
    let evil = connection("conn_3", Some("org_evil"), true);
    assert_eq!(policy.admit_connection(None), policy.admit_connection(Some(&evil)));
    let off = connection("conn_3", Some("org_acme"), false);
    assert_eq!(policy.admit_connection(Some(&off)), Err(Problem::ConnectionOff));
}

#[test]
fn what_comes_back_is_what_was_asked_for_or_nothing() {
    let came = |connection, organization| ReturnedProfile {
        connection: Some(connection),
        method: "OktaSAML",
        is_social: false,
        organization,
    };
    let by_connection =
        UpstreamSelector::Connection { id: "conn_1".into(), organization: Some("org_acme".into()) };
    let without_organization =
        UpstreamSelector::Connection { id: "conn_1".into(), organization: None };
    let wrong = Err(Problem::WrongOrganization);
    let table = [
        (policy(), organization("org_acme"), came("conn_1", Some("org_acme")), Ok(())),
        (policy(), organization("org_acme"), came("conn_9", Some("org_globex")), wrong),
        (policy(), organization("org_acme"), came("conn_9", None), wrong),
        (policy(), by_connection.clone(), came("conn_1", Some("org_acme")), Ok(())),
        (policy(), by_connection.clone(), came("conn_2", Some("org_acme")), wrong),
        (policy(), by_connection.clone(), came("conn_1", Some("org_globex")), wrong),
        (policy(), by_connection, came("conn_1", None), wrong),
        (
            policy(),
            without_organization.clone(),
            came("conn_1", None),
            Err(Problem::WithoutOrganization),
        ),
        (
            policy(),
            without_organization.clone(),
            came("conn_1", Some("org_evil")),
            Err(Problem::OrganizationNotAllowed),
        ),
        (
            everybody(),
            without_organization,
            came("conn_1", None),
            Err(Problem::WithoutOrganization),
        ),
        // The rule was tightened while the person signed in.
        (
            policy(),
            organization("org_evil"),
            came("conn_1", Some("org_evil")),
            Err(Problem::OrganizationNotAllowed),
        ),
    ];
    for (policy, asked, came, wanted) in table {
        assert_eq!(policy.admit_profile(&asked, &came), wanted, "{asked:?} {came:?}");
    }
}

#[test]
fn a_social_sign_in_is_of_its_provider_and_admitted_organization() {
    let google = UpstreamSelector::Provider("GoogleOAuth".into());
    let came = |method: &'static str, organization| ReturnedProfile {
        connection: Some("conn_1"),
        method,
        is_social: method.ends_with("OAuth"),
        organization,
    };
    for policy in [policy(), policy().with_people_without_organization(true)] {
        let of_acme = came("GoogleOAuth", Some("org_acme"));
        assert_eq!(policy.admit_profile(&google, &of_acme), Ok(()));
        assert_eq!(
            policy.admit_profile(&google, &came("OktaSAML", None)),
            Err(Problem::WrongOrganization)
        );
        let evil = came("GoogleOAuth", Some("org_evil"));
        assert_eq!(policy.admit_profile(&google, &evil), Err(Problem::OrganizationNotAllowed));
    }
    assert_eq!(
        everybody().admit_profile(&google, &came("GoogleOAuth", None)),
        Err(Problem::ProviderNotAllowed)
    );
}

/// Every combination of the three settings, for an account of no organization.
#[test]
fn a_person_without_an_organization_needs_the_setting() {
    let google = UpstreamSelector::Provider("GoogleOAuth".into());
    let by_connection = UpstreamSelector::Connection { id: "conn_1".into(), organization: None };
    let came = |method: &'static str| ReturnedProfile {
        connection: Some("conn_1"),
        method,
        is_social: method.ends_with("OAuth"),
        organization: None,
    };
    let organizations = [vec![], vec!["org_acme".to_owned()], vec!["*".to_owned()]];
    for ids in organizations {
        for providers in [vec![], vec!["GoogleOAuth".to_owned()]] {
            let policy = AdmissionPolicy::new(ids.clone(), providers.clone(), None);
            let label = format!("{ids:?} {providers:?}");
            for asked in [&google, &by_connection] {
                for kind in ["GoogleOAuth", "OktaSAML"] {
                    let judged = policy.admit_profile(asked, &came(kind));
                    assert!(judged.is_err(), "{label} {asked:?} {kind}");
                }
            }
            if !providers.is_empty() {
                let judged = policy.admit_profile(&google, &came("GoogleOAuth"));
                assert_eq!(judged, Err(Problem::WithoutOrganization), "{label}");
            }
            let open = policy.with_people_without_organization(true);
            let is_listed = !providers.is_empty();
            let social = if is_listed { Ok(()) } else { Err(Problem::ProviderNotAllowed) };
            assert_eq!(open.admit_profile(&google, &came("GoogleOAuth")), social, "{label}");
            let by_id = open.admit_profile(&by_connection, &came("GoogleOAuth"));
            assert_eq!(by_id, social, "{label}: the list of providers holds by any selector");
            let company = open.admit_profile(&by_connection, &came("OktaSAML"));
            assert_eq!(company.is_ok(), ids == ["*"], "{label}");
        }
    }
}

#[test]
fn what_the_settings_admit_together_is_said_at_the_start() {
    let said = |ids: &[&str], providers: &[&str], open: bool| {
        let owned = |list: &[&str]| list.iter().map(|item| (*item).to_owned()).collect();
        let policy = AdmissionPolicy::new(owned(ids), owned(providers), None);
        let lines = policy.with_people_without_organization(open).summary();
        let warns = lines.iter().any(|line| line.is_warning);
        (lines.into_iter().map(|line| line.text).collect::<Vec<_>>().join("; "), warns)
    };
    let google = ["GoogleOAuth"];
    for (ids, providers, open, part, warns) in [
        (&[][..], &[][..], false, "no person may sign in", true),
        (&[], &google, false, "no person may sign in", true),
        (&[], &google, true, "ANY account of GoogleOAuth may sign in", true),
        (&["org_1"], &[], false, "people of org_1 may sign in", false),
        (&["org_1"], &google, false, "an account of no organization is refused", true),
        (&["org_1"], &google, true, "ANY account of GoogleOAuth may sign in", true),
        (&["org_1"], &[], true, "has no effect", true),
        (&["*"], &[], false, "people of every organization", false),
        (&["*"], &[], true, "connections that belong to no organization", false),
    ] {
        let (text, is_warning) = said(ids, providers, open);
        assert!(text.contains(part), "{ids:?} {providers:?} {open}: {text}");
        assert_eq!(is_warning, warns, "{ids:?} {providers:?} {open}: {text}");
    }
}
