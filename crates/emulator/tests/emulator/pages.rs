//! The sign-in page as a person or a script meets it.

use crate::support::Service;

#[tokio::test]
async fn what_comes_from_outside_is_escaped() {
    let service = Service::start().await;
    let hostile = "\"><script>alert(1)</script>";
    for url in [
        service.authorize_url(&[("login_hint", hostile)]),
        service.authorize_url(&[("redirect_uri", hostile)]),
        service.authorize_url(&[("connection", "conn_globex_1")]),
    ] {
        let page = service.open(&url).await.text().await.unwrap();
        assert!(!page.contains("<script") && !page.contains("<&>"), "{page}");
    }
    let again = service
        .submit(&service.authorize_url(&[]), &format!("{hostile}@acme.test"), "keyport")
        .await;
    assert!(!again.text().await.unwrap().contains("<script"));
}

#[tokio::test]
async fn a_wrong_password_or_unknown_person_gets_the_page_again() {
    let service = Service::start().await;
    for (email, password, words) in [
        ("ada@acme.test", "Keyport", "That password is not right"),
        ("ada@acme.test", "", "That password is not right"),
        ("error+server_error@acme.test", "wrong", "That password is not right"),
        ("unknown@acme.test", "keyport", "No person here has the address"),
    ] {
        let again = service.submit(&service.authorize_url(&[]), email, password).await;
        assert_eq!(again.status(), 422);
        let page = again.text().await.unwrap();
        assert!(page.contains(words) && page.contains(&format!("value=\"{email}\"")), "{page}");
    }
    assert_eq!(service.calls().await["codes"]["issued"], 0);
}

#[tokio::test]
async fn it_says_what_it_is_and_is_kept_nowhere() {
    let service = Service::start().await;
    let answer = service.open(&service.authorize_url(&[("login_hint", "ada@acme.test")])).await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("form-action"), "{policy}");
    let page = answer.text().await.unwrap();
    for part in [
        "Emulator – development only",
        "Sign in to Acme",
        "name=\"email\"",
        "name=\"password\"",
        "value=\"ada@acme.test\"",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}
