//! The operator's requests against a provider whose every answer can be planted: what `check`
//! finds, and what each refusal of the provider means. The commands themselves are run in
//! `tests/operator.rs` of the workspace.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod log;
mod stub;

use std::os::unix::fs::PermissionsExt as _;

use keyport_companion::admin::{
    AdminError, CheckLine, CheckVerdict, ConnectionTarget, DeleteConnection, ListCertificates,
    ListConnections, MakePortalLink, Request, RunCheck, ShowConnection, ShowOrganization,
    WriteConnection,
};
use keyport_companion::upstream::ConnectionSettings;
use serde_json::json;
use stub::{ISSUER, Office, Plan, certificate, connection, list, redirect, webhook};

async fn check(office: &Office) -> Vec<CheckLine> {
    let lines = RunCheck {}.carry_out(&office.administration).await.unwrap();
    let printed = serde_json::to_string(&lines).unwrap();
    for secret in ["sk_test_planted", "planted_webhook_secret"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    lines
}

fn subjects(lines: &[CheckLine], verdict: CheckVerdict) -> Vec<&str> {
    let found = lines.iter().filter(|line| line.verdict == verdict);
    found.map(|line| line.subject.as_str()).collect()
}

fn certificates(until: &str) -> (u16, serde_json::Value) {
    (200, json!({ "object": "list", "data": [certificate(until)] }))
}

#[tokio::test]
async fn a_service_that_is_set_up_right_has_no_wrong_line() {
    let office = Office::open(Plan::default()).await;
    let lines = check(&office).await;
    assert_eq!(subjects(&lines, CheckVerdict::Wrong), [""; 0], "{lines:#?}");
    assert_eq!(
        subjects(&lines, CheckVerdict::Ok),
        [
            "public address",
            "API key and client id",
            "redirect URI",
            "default redirect URI",
            "webhook endpoint",
            "clock",
            "organization org_acme",
            "certificates of conn_acme",
            "key file",
            "database",
        ]
    );
}

/// The one line that is wrong.
async fn names_only(planted: Plan, wrong: &str) {
    let office = Office::open(planted).await;
    let lines = check(&office).await;
    assert_eq!(subjects(&lines, CheckVerdict::Wrong), [wrong], "{lines:#?}");
}

#[tokio::test]
async fn each_single_fault_is_named_and_no_other() {
    let refused = (401, json!({ "message": "Unauthorized" }));
    let callback = format!("{ISSUER}/callback");
    let redirects = "GET /user_management/redirect_uris";
    let plan = Plan::default;
    let http = "http://sign-in.acme.test";
    for (planted, wrong) in [
        (Plan { api_key: "planted", ..plan() }, "WORKOS_API_KEY"),
        (
            Plan { api_key: "planted", ..plan() }.answering("GET /connections", refused.clone()),
            "WORKOS_API_KEY",
        ),
        (Plan { client_id: "planted", ..plan() }, "WORKOS_CLIENT_ID"),
        (plan().answering("GET /connections", refused), "API key and client id"),
        (
            plan().answering("POST /sso/token", (400, json!({ "error": "invalid_client" }))),
            "API key and client id",
        ),
        (
            Plan { issuer: http, ..plan() }
                .answering(redirects, list(&[redirect(&format!("{http}/callback"), true)]))
                .answering("GET /webhook_endpoints", (404, json!({ "message": "m" }))),
            "public address",
        ),
        (
            plan().answering(redirects, list(&[redirect("https://other.test/callback", true)])),
            "redirect URI",
        ),
        (plan().answering(redirects, list(&[redirect(&callback, false)])), "default redirect URI"),
        (
            plan().answering("GET /webhook_endpoints", list(&[webhook("disabled")])),
            "webhook endpoint",
        ),
        (Plan { date: "Fri, 15 Jan 2027 07:00:00 GMT", ..plan() }, "clock"),
    ] {
        names_only(planted, wrong).await;
    }
}

#[tokio::test]
async fn each_fault_of_an_organization_is_named_and_no_other() {
    let plan = Plan::default;
    for (planted, wrong) in [
        (
            plan().answering("GET /organizations/org_acme", (404, json!({ "message": "m" }))),
            "organization org_acme",
        ),
        (
            plan().answering("GET /connections", list(&[connection("inactive")])),
            "organization org_acme",
        ),
        (Plan { organizations: Vec::new(), ..plan() }, "organizations"),
        (
            plan().answering(
                "GET /connections/conn_acme/saml_idp_signing_certs",
                certificates("2027-01-25T00:00:00.000Z"),
            ),
            "certificates of conn_acme",
        ),
        (
            plan().answering(
                "GET /connections/conn_acme/saml_idp_signing_certs",
                certificates("2026-12-31T00:00:00.000Z"),
            ),
            "certificates of conn_acme",
        ),
    ] {
        names_only(planted, wrong).await;
    }
}

#[tokio::test]
async fn a_fault_of_the_machine_is_named_and_no_other() {
    let office = Office::open(Plan::default()).await;
    let open = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(&office.administration.key_file, open).unwrap();
    let lines = check(&office).await;
    assert_eq!(subjects(&lines, CheckVerdict::Wrong), ["key file"], "{lines:#?}");

    let office = Office::open(Plan::default()).await;
    std::fs::remove_file(office.folder.path().join("companion.sqlite")).unwrap();
    let lines = check(&office).await;
    assert_eq!(subjects(&lines, CheckVerdict::Wrong), ["database"], "{lines:#?}");
}

#[tokio::test]
async fn what_an_account_has_no_api_for_is_not_wrong() {
    let absent = (404, json!({ "message": "Not Found" }));
    let plan = Plan::default()
        .answering("GET /user_management/redirect_uris", (403, json!({ "message": "m" })))
        .answering("GET /webhook_endpoints", absent.clone())
        .answering("GET /connections/conn_acme/saml_idp_signing_certs", absent);
    let office = Office::open(plan).await;
    let lines = check(&office).await;
    let unknown = subjects(&lines, CheckVerdict::NotKnowable);
    for subject in ["default redirect URI", "webhook endpoint", "certificates of conn_acme"] {
        assert!(unknown.contains(&subject), "{subject}: {lines:#?}");
    }
    // Without a list, a sign-in without a selector shows it: this provider sends it nowhere.
    assert_eq!(subjects(&lines, CheckVerdict::Wrong), ["redirect URI"]);
}

async fn refusal<R: Request>(plan: Plan, request: R) -> AdminError {
    let office = Office::open(plan).await;
    request.carry_out(&office.administration).await.err().unwrap()
}

#[tokio::test]
async fn each_refusal_of_the_provider_says_what_it_means() {
    let words = json!({ "message": "planted words", "code": "planted_code" });
    let fields = json!({ "message": "planted words", "code": "invalid_request_parameters",
        "errors": [{ "field": "domain", "code": "domain_in_use", "message": "planted words" }] });
    for (status, body, exit_code, said) in [
        (401, &words, 1, "WORKOS_API_KEY (401)"),
        (403, &words, 3, "may not do this (403)"),
        (404, &words, 4, "no connection conn_acme (404)"),
        (409, &words, 1, "conflicts with what the provider has (409)"),
        (422, &words, 1, "does not accept the values (422): planted_code"),
        (422, &fields, 1, "does not accept the values (422): domain: domain_in_use"),
        (429, &words, 5, "fewer requests (429): try again in 7 seconds"),
        (503, &words, 5, "the provider failed (503)"),
    ] {
        let answer = (status, body.clone());
        let retry_after = (status == 429).then_some("7");
        let plan = || Plan { retry_after, ..Plan::default() };
        let id = "conn_acme".to_owned();
        let shown = plan().answering("GET /connections/conn_acme", answer.clone());
        let deleted = plan().answering("DELETE /connections/conn_acme", answer.clone());
        let settings = ConnectionSettings { name: Some("A".into()), ..Default::default() };
        let changed = plan().answering("PATCH /connections/conn_acme", answer);
        let write = WriteConnection {
            target: ConnectionTarget::Existing(id.clone()),
            settings,
            client_secret: None,
        };
        for error in [
            refusal(shown, ShowConnection { id: id.clone() }).await,
            refusal(deleted, DeleteConnection { id }).await,
            refusal(changed, write).await,
        ] {
            assert_eq!(error.exit_code(), exit_code, "{status}: {error}");
            assert!(error.sentence.contains(said), "{status}: {error}");
            assert!(!error.sentence.contains("planted words"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_page_of_a_proxy_is_not_the_word_of_the_provider() {
    for status in [401, 403, 404] {
        let plan =
            Plan::default().answering("GET /connections/conn_acme", (status, json!("a page")));
        let error = refusal(plan, ShowConnection { id: "conn_acme".into() }).await;
        assert_eq!(error.exit_code(), 5, "{status}: {error}");
    }
}

#[tokio::test]
async fn connections_organizations_and_links_are_read_and_made() {
    let link = json!({ "link": "https://setup.test/planted" });
    let plan = Plan::default()
        .answering("POST /portal/generate_link", (201, link))
        .answering("POST /connections", (201, connection("draft")))
        .answering("DELETE /connections/conn_acme", (204, json!({})));
    let office = Office::open(plan).await;
    let administration = &office.administration;
    let all = ListConnections { organization: None, after: None };
    let listed = all.carry_out(administration).await.unwrap();
    assert_eq!((listed.items[0].id.as_str(), listed.next), ("conn_acme", None));
    let of_connection = ListCertificates { connection: "conn_acme".into() };
    assert_eq!(of_connection.carry_out(administration).await.unwrap().len(), 2);
    let organization = ShowOrganization { id: "org_acme".into() };
    assert!(organization.carry_out(administration).await.unwrap().is_admitted);
    let link = MakePortalLink { organization: "org_acme".into(), intent: "sso".into() };
    assert_eq!(link.carry_out(administration).await.unwrap().link, "https://setup.test/planted");
    let new = WriteConnection {
        target: ConnectionTarget::New { organization: "org_acme".into(), kind: None },
        settings: ConnectionSettings {
            metadata_url: Some("https://idp.acme.test/metadata".into()),
            ..Default::default()
        },
        client_secret: None,
    };
    assert_eq!(new.carry_out(administration).await.unwrap().state, "draft");
    DeleteConnection { id: "conn_acme".into() }.carry_out(administration).await.unwrap();
}
