use super::*;

fn policy() -> Policy {
    Policy::new(
        vec!["org_acme".into(), "org_globex".into()],
        vec!["GoogleOAuth".into()],
        Some("org_acme".into()),
    )
}

fn everybody() -> Policy {
    Policy::new(vec!["*".into()], Vec::new(), None)
}

fn connection(id: &str, organization: Option<&str>, active: bool) -> ListedConnection {
    ListedConnection { id: id.into(), organization: organization.map(str::to_owned), active }
}

fn asked(selector: &str, value: &str) -> Hints {
    let mut hints = Hints::default();
    let slot = match selector {
        "organization" => &mut hints.organization,
        "connection" => &mut hints.connection,
        "provider" => &mut hints.provider,
        _ => &mut hints.login_hint,
    };
    *slot = Some(value.into());
    hints
}

fn organization(id: &str) -> Selector {
    Selector::Organization(id.into())
}

#[test]
fn by_default_nobody_enters() {
    let nobody = Policy::new(Vec::new(), Vec::new(), None);
    assert!(nobody.admits_nobody());
    assert_eq!(nobody.judge(&Hints::default()), Err(Problem::NoSelector));
    assert_eq!(
        nobody.judge(&asked("organization", "org_acme")),
        Err(Problem::OrganizationNotAllowed)
    );
    assert_eq!(nobody.judge(&asked("provider", "GoogleOAuth")), Err(Problem::ProviderNotAllowed));
    let listed = [connection("conn_1", Some("org_acme"), true), connection("conn_2", None, true)];
    assert_eq!(nobody.choose_by_domain(&listed), Err(Problem::DomainUnknown));
    assert_eq!(nobody.admit_connection(Some(&listed[0])), Err(Problem::ConnectionNotAllowed));
    assert_eq!(nobody.admit_connection(Some(&listed[1])), Err(Problem::ConnectionNotAllowed));
}

#[test]
fn a_request_chooses_among_what_is_allowed_and_never_widens_it() {
    let policy = policy();
    let settled = |selector| Ok(Question::Settled(selector));
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
        settled(Selector::Provider("GoogleOAuth".into()))
    );
    assert_eq!(policy.judge(&asked("provider", "authkit")), Err(Problem::ProviderNotAllowed));
    assert_eq!(
        policy.judge(&asked("connection", "conn_1")),
        Ok(Question::Connection("conn_1".into()))
    );
    assert_eq!(policy.judge(&Hints::default()), settled(organization("org_acme")));
}

#[test]
fn an_email_is_only_good_for_its_domain() {
    let policy = policy();
    let domain = |email| policy.judge(&asked("login_hint", email));
    assert_eq!(domain("Ada@ACME.test"), Ok(Question::Domain("acme.test".into())));
    assert_eq!(domain("a@b@acme.test"), Ok(Question::Domain("acme.test".into())));
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
    let both =
        Hints { login_hint: Some("eve@evil.test".into()), ..asked("organization", "org_acme") };
    assert_eq!(policy.judge(&both), Ok(Question::Settled(organization("org_acme"))));
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
        Selector::Connection { id: "conn_1".into(), organization: Some("org_acme".into()) };
    assert_eq!(chosen(&[acme.clone(), off.clone(), evil.clone(), orphan.clone()]), Ok(wanted));
    assert_eq!(chosen(&[]), Err(Problem::DomainUnknown));
    assert_eq!(chosen(&[evil]), Err(Problem::DomainUnknown));
    assert_eq!(chosen(std::slice::from_ref(&orphan)), Err(Problem::DomainUnknown));
    assert_eq!(chosen(&[off]), Err(Problem::ConnectionOff));
    assert_eq!(chosen(&[acme.clone(), acme]), Err(Problem::AmbiguousConnection));
    assert!(everybody().choose_by_domain(&[orphan]).is_ok());
}

#[test]
fn a_connection_that_is_not_there_and_one_that_is_not_allowed_look_alike() {
    let policy = policy();
    let evil = connection("conn_3", Some("org_evil"), true);
    assert_eq!(policy.admit_connection(None), policy.admit_connection(Some(&evil)));
    let off = connection("conn_3", Some("org_acme"), false);
    assert_eq!(policy.admit_connection(Some(&off)), Err(Problem::ConnectionOff));
}

#[test]
fn what_comes_back_is_what_was_asked_for_or_nothing() {
    let came =
        |connection, organization| Came { connection, connection_type: "OktaSAML", organization };
    let by_connection =
        Selector::Connection { id: "conn_1".into(), organization: Some("org_acme".into()) };
    let of_nobody = Selector::Connection { id: "conn_1".into(), organization: None };
    let wrong = Err(Problem::WrongOrganization);
    let table = [
        (policy(), organization("org_acme"), came("conn_1", Some("org_acme")), Ok(())),
        (policy(), organization("org_acme"), came("conn_9", Some("org_globex")), wrong),
        (policy(), organization("org_acme"), came("conn_9", None), wrong),
        (policy(), by_connection.clone(), came("conn_1", Some("org_acme")), Ok(())),
        (policy(), by_connection.clone(), came("conn_2", Some("org_acme")), wrong),
        (policy(), by_connection.clone(), came("conn_1", Some("org_globex")), wrong),
        (policy(), by_connection, came("conn_1", None), wrong),
        (policy(), of_nobody.clone(), came("conn_1", None), Err(Problem::OrganizationNotAllowed)),
        (
            policy(),
            of_nobody.clone(),
            came("conn_1", Some("org_evil")),
            Err(Problem::OrganizationNotAllowed),
        ),
        (everybody(), of_nobody, came("conn_1", None), Ok(())),
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
fn a_social_sign_in_is_of_that_provider_and_of_no_forbidden_organization() {
    let google = Selector::Provider("GoogleOAuth".into());
    let came = |connection_type, organization| Came {
        connection: "conn_1",
        connection_type,
        organization,
    };
    let policy = policy();
    assert_eq!(policy.admit_profile(&google, &came("GoogleOAuth", None)), Ok(()));
    assert_eq!(policy.admit_profile(&google, &came("GoogleOAuth", Some("org_acme"))), Ok(()));
    assert_eq!(
        policy.admit_profile(&google, &came("OktaSAML", None)),
        Err(Problem::WrongOrganization)
    );
    let evil = came("GoogleOAuth", Some("org_evil"));
    assert_eq!(policy.admit_profile(&google, &evil), Err(Problem::OrganizationNotAllowed));
    assert_eq!(
        everybody().admit_profile(&google, &came("GoogleOAuth", None)),
        Err(Problem::ProviderNotAllowed)
    );
}
