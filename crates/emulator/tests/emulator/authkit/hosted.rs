//! The hosted page as a browser walks it: it does every step itself, and only then there is a code.

use reqwest::Response;

use super::{SECRET, totp};
use crate::support::{Callback, Service};

/// The value of a hidden field or the text after a marker.
fn value<'a>(page: &'a str, before: &str) -> &'a str {
    let start = page.find(before).unwrap_or_else(|| panic!("{before} is not in {page}"));
    page[start + before.len()..].split(['"', '<']).next().unwrap()
}

fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    value(page, &format!("name=\"{name}\" value=\""))
}

/// What the page shows, and its form filled with `fields`.
async fn submit(service: &Service, url: &str, page: &str, fields: &[(&str, &str)]) -> Response {
    let mut form: Vec<(&str, &str)> = Vec::new();
    for name in ["pending_authentication_token", "authentication_challenge_id", "step"] {
        if page.contains(&format!("name=\"{name}\"")) {
            form.push((name, hidden(page, name)));
        }
    }
    form.extend(fields);
    service.post_form(url, &form).await
}

async fn shown(answer: Response, status: u16) -> String {
    assert_eq!(answer.status().as_u16(), status);
    assert_eq!(answer.headers().get("location"), None);
    answer.text().await.unwrap()
}

async fn start(service: &Service, email: &str) -> (String, Response) {
    let url = service.page_of(&service.authkit_url(&[])).await;
    let answer = service.post_form(&url, &[("email", email), ("password", "keyport")]).await;
    (url, answer)
}

#[tokio::test]
async fn a_wrong_password_or_an_unknown_user_gets_the_page_again() {
    let service = Service::authkit().await;
    let url = service.page_of(&service.authkit_url(&[])).await;
    for (email, password, words) in [
        ("ada@acme.test", "wrong", "That password is not right"),
        ("<b>@acme.test", "keyport", "No user here has the address"),
    ] {
        let answer = service.post_form(&url, &[("email", email), ("password", password)]).await;
        let page = shown(answer, 422).await;
        assert!(page.contains(words) && !page.contains("<b>"), "{page}");
    }
    let declined = service.post_form(&url, &[("decline", "yes")]).await;
    assert_eq!(Callback::of(&declined).value("error"), Some("access_denied"));
    let provoked = service
        .post_form(&url, &[("email", "error+server_error@a.test"), ("password", "keyport")])
        .await;
    assert_eq!(Callback::of(&provoked).value("error"), Some("server_error"));
    assert_eq!(service.calls().await["user_management_codes"]["issued"], 0);
}

#[tokio::test]
async fn every_step_is_done_on_the_page_with_wrong_and_late_codes_on_the_way() {
    let service = Service::authkit().await;
    let (url, answer) = start(&service, "all@acme.test").await;
    let page = shown(answer, 200).await;
    assert!(page.contains("Verify your email"), "{page}");
    let page = shown(submit(&service, &url, &page, &[("code", "wrong")]).await, 422).await;
    assert!(page.contains("The one-time code is incorrect."), "{page}");
    service.advance(599).await;
    let late = shown(submit(&service, &url, &page, &[("again", "yes")]).await, 200).await;
    let code = value(&late, "the code is <code>");
    let page = shown(submit(&service, &url, &late, &[("code", code)]).await, 200).await;
    assert!(page.contains("Set up your authenticator") && page.contains("data:image/"), "{page}");
    let page = shown(submit(&service, &url, &page, &[("code", "000000")]).await, 422).await;
    let code = totp(value(&page, "<code id=\"secret\">"), 599);
    let page = shown(submit(&service, &url, &page, &[("code", &code)]).await, 200).await;
    assert!(page.contains("Choose an organization") && page.contains(">Hooli<"), "{page}");
    let done = submit(&service, &url, &page, &[("organization_id", "org_hooli")]).await;
    let callback = Callback::of(&done);
    assert_eq!(callback.value("state"), Some("st&te=?"));
    let (status, session) = service.code_grant(callback.code()).await;
    assert_eq!((status, session["organization_id"].as_str()), (200, Some("org_hooli")));
}

#[tokio::test]
async fn an_enrolled_factor_is_asked_for_and_a_made_up_token_starts_again() {
    let service = Service::authkit().await;
    let (url, answer) = start(&service, "totp@hooli.test").await;
    let page = shown(answer, 200).await;
    assert_eq!(value(&page, "the code is <code>"), totp(SECRET, 0));
    let made_up = [("step", "mfa-totp"), ("pending_authentication_token", "x"), ("code", "1")];
    let start_page = shown(service.post_form(&url, &made_up).await, 422).await;
    assert!(start_page.contains("name=\"password\""), "{start_page}");
    let done = submit(&service, &url, &page, &[("code", &totp(SECRET, 0))]).await;
    assert_eq!(service.code_grant(Callback::of(&done).code()).await.0, 200);
}

#[tokio::test]
async fn an_organization_with_its_own_sso_leads_to_its_provider() {
    let service = Service::authkit().await;
    let (_, answer) = start(&service, "strict@strict.test").await;
    assert_eq!(answer.status(), 303);
    let target = answer.headers()["location"].to_str().unwrap();
    let url = format!("{}{target}", service.url);
    let done = service.submit(&url, "strict@strict.test", "keyport").await;
    let callback = Callback::of(&done);
    assert_eq!(callback.value("state"), Some("st&te=?"));
    let (status, session) = service.code_grant(callback.code()).await;
    assert_eq!((status, session["authentication_method"].as_str()), (200, Some("SSO")));
}

#[tokio::test]
async fn who_signs_up_verifies_the_address() {
    let service = Service::authkit().await;
    let url = service.page_of(&service.authkit_url(&[("screen_hint", "sign-up")])).await;
    let form = [("email", "fresh@nowhere.test"), ("password", "keyport")];
    let page = shown(service.post_form(&url, &form).await, 200).await;
    let code = value(&page, "the code is <code>").to_owned();
    let done = submit(&service, &url, &page, &[("code", &code)]).await;
    let (status, session) = service.code_grant(Callback::of(&done).code()).await;
    assert_eq!((status, &session["organization_id"]), (200, &serde_json::Value::Null));
}

#[tokio::test]
async fn a_kept_browser_session_is_asked_again_only_on_request() {
    let service = Service::authkit().await;
    let keep = service.http.post(format!("{}/_emulator/sessions", service.url));
    assert_eq!(keep.send().await.unwrap().status(), 204);
    let (url, answer) = start(&service, "ada@acme.test").await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    let silent = service.http.get(&url).header("cookie", cookie).send().await.unwrap();
    assert_eq!(service.code_grant(Callback::of(&silent).code()).await.0, 200);
    for again in ["&prompt=login", "&max_age=0"] {
        let asked = service.http.get(format!("{url}{again}")).header("cookie", cookie);
        assert_eq!(asked.send().await.unwrap().status(), 200, "{again}");
    }
}
