//! Access that ends while a session lives: what the token endpoint says to its device.

use keyport_companion::admission::AdmissionPolicy;
use keyport_companion::clients::ClientRecord;
use keyport_companion::domain::{EndedBecause, SessionSelector};
use serde_json::Value;

use crate::support::{Answer, Browser, Device, Service, parameter};

/// Takes the organization out of the rules.
fn close_acme(service: &Service) {
    let rules = AdmissionPolicy::new(vec!["org_other".into()], Vec::new(), None);
    service.app.reload(rules, vec![ClientRecord::keyport_desktop()]);
}

async fn end(service: &Service, because: EndedBecause) -> usize {
    let now = service.app.now();
    service.app.storage.end_sessions(SessionSelector::All, because, now).await.unwrap()
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap().to_owned()
}

fn ended_with(answer: &Answer, problem: &str) {
    assert_eq!(answer.error(), (400, "invalid_grant".into()), "{}", answer.body);
    assert_eq!(answer.json()["keyport_problem"], problem, "{}", answer.body);
}

#[tokio::test]
async fn an_organization_taken_off_the_rules_is_out_at_its_next_refresh() {
    let (service, device) = (Service::start().await, Device::new());
    let session = device.sign_in(&service).await;
    close_acme(&service);
    ended_with(&device.refresh(&service, &text(&session, "refresh_token")).await, "access_ended");
    let userinfo = device.userinfo(&service, &text(&session, "access_token")).await;
    assert_eq!(userinfo.error(), (401, "invalid_token".into()));
    // A lost answer: the same words again.
    ended_with(&device.refresh(&service, &text(&session, "refresh_token")).await, "access_ended");
}

#[tokio::test]
async fn a_code_is_worth_nothing_once_its_organization_is_off_the_rules() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let callback = Browser::new().come_back(&service, &pushed).await;
    close_acme(&service);
    let code = parameter(&callback, "code");
    ended_with(&device.redeem(&service, &code, &pushed.verifier).await, "access_ended");
}

#[tokio::test]
async fn each_end_from_outside_has_words_for_its_device() {
    for (because, problem) in [
        (EndedBecause::RevokedByOperator, "access_ended"),
        (EndedBecause::AccessWithdrawn, "access_ended"),
        (EndedBecause::SignedOutElsewhere, "signed_out_elsewhere"),
    ] {
        let (service, device) = (Service::start().await, Device::new());
        let session = device.sign_in(&service).await;
        assert_eq!(end(&service, because).await, 1);
        let token = text(&session, "refresh_token");
        ended_with(&device.refresh(&service, &token).await, problem);
        let thief = Device::new().refresh(&service, &token).await;
        assert_eq!(thief.json().get("keyport_problem"), None, "{}", thief.body);
    }
}

#[tokio::test]
async fn a_sign_in_that_was_ended_says_so_on_its_page() {
    let (service, device) = (Service::start().await, Device::new());
    let pushed = device.push(&service, &[]).await;
    let mut browser = Browser::new();
    let page = browser.arrive(&service, &pushed, "code-1").await;
    assert_eq!(end(&service, EndedBecause::RevokedByOperator).await, 0);
    let shown = browser.get(&page).await;
    assert_eq!(shown.problem(), "access_ended", "{}", shown.body);
}
