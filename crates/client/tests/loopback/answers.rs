//! What a browser tab gets for a callback.

use std::time::Duration;

use keyport_client::receivers::loopback::{BrowserReply, ListenerLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

use crate::support::*;

#[tokio::test]
async fn an_accepted_callback_redirects_and_hides_the_code() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let response = navigate(&host, REAL).await;
    assert_eq!(status(&response), "303");
    for line in [
        format!("Location: {PAGE}").as_str(),
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "Connection: close",
        "Content-Length: 0",
    ] {
        assert!(has_header(&response, line), "{line} in {response}");
    }
    assert!(!response.contains("real-code"));
    finished(app).await;
}

#[tokio::test]
async fn without_a_page_the_tab_ends_without_the_code() {
    let mut listener = listener().await;
    let host = host(&listener);
    let app = tokio::spawn(async move {
        listener.next_callback().await.unwrap().answer(BrowserReply::Accept { back_to: None });
        listener.close().await;
    });
    let mut tab = connect(&host).await;
    tab.write_all(get(REAL, &host, NAVIGATION).as_bytes()).await.unwrap();
    let mut first = vec![0; 4096];
    let length = tab.read(&mut first).await.unwrap();
    let first = String::from_utf8_lossy(&first[..length]).into_owned();
    assert_eq!(status(&first), "303");
    assert!(has_header(&first, "Location: /done"));
    tab.write_all(get("/done", &host, NAVIGATION).as_bytes()).await.unwrap();
    let last = read_to_end(&mut tab).await;
    assert_eq!(status(&last), "200");
    assert!(last.contains("<h1>Go back</h1>") && !last.contains("real-code"));
    finished(app).await;
}

#[tokio::test]
async fn the_last_page_exists_only_once_a_callback_was_accepted() {
    let mut listener = listener().await;
    let host = host(&listener);
    assert_eq!(status(&navigate(&host, "/done").await), "404");
    let tab = tokio::spawn({
        let host = host.clone();
        async move { exchange(&host, get(REAL, &host, NAVIGATION).as_bytes()).await }
    });
    listener.next_callback().await.unwrap().answer(BrowserReply::Accept { back_to: None });
    assert_eq!(status(&finished(tab).await), "303");
    assert_eq!(status(&navigate(&host, "/done").await), "200");
}

#[tokio::test]
async fn a_page_that_is_not_of_the_web_is_never_gone_to() {
    for url in ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "dev.app:/x"] {
        // The connection is kept for the last page, which this tab never asks for.
        let limits =
            ListenerLimits { header: Duration::from_millis(100), ..ListenerLimits::default() };
        let mut listener = listener_within(limits).await;
        let host = host(&listener);
        let tab = tokio::spawn(async move { navigate(&host, REAL).await });
        let back_to = Some(Url::parse(url).unwrap());
        listener.next_callback().await.unwrap().answer(BrowserReply::Accept { back_to });
        let response = finished(tab).await;
        assert!(has_header(&response, "Location: /done"), "{url}: {response}");
    }
}

#[tokio::test]
async fn an_ignored_callback_gets_a_page_and_ends_nothing() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    for target in [
        "/callback?code=x&state=wrong",
        "/callback?code=x",
        "/callback?error=access_denied",
        "/callback?code=x&state=ours&state=ours",
        "/callback?code=x&state=other&state=ours",
        "/callback?state=ours",
        "/callback",
        "/callback?",
    ] {
        let response = navigate(&host, target).await;
        assert_eq!(status(&response), "400", "{target}");
        assert!(response.contains("<h1>No sign-in waits</h1>"), "{target}");
        assert!(has_header(&response, "Cache-Control: no-store"));
    }
    let listener = assert_signs_in(&host, app).await;
    assert_eq!(listener.counts().callbacks, 9);
}

#[tokio::test]
async fn an_unanswered_callback_ends_with_503_and_a_late_answer_is_ignored() {
    let limits = ListenerLimits { answer: Duration::from_millis(50), ..ListenerLimits::default() };
    let mut listener = listener_within(limits).await;
    let host = host(&listener);
    let tab = tokio::spawn({
        let host = host.clone();
        async move { navigate(&host, REAL).await }
    });
    let late = listener.next_callback().await.unwrap();
    let response = finished(tab).await;
    assert_eq!(status(&response), "503");
    assert!(response.contains("<h1>No answer</h1>"));
    late.answer(BrowserReply::Ignore);
    assert_eq!(listener.counts().unanswered, 1);
    assert_signs_in(&host, app_waits(listener)).await;
}

#[tokio::test]
async fn a_callback_that_the_app_lets_fall_is_answered_at_once() {
    let mut listener = listener().await;
    let host = host(&listener);
    let tab = tokio::spawn(async move { navigate(&host, REAL).await });
    drop(listener.next_callback().await.unwrap());
    assert_eq!(status(&finished(tab).await), "503");
}

#[tokio::test]
async fn a_tab_that_was_closed_after_its_request_still_signs_in() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let mut tab = connect(&host).await;
    tab.write_all(get(REAL, &host, NAVIGATION).as_bytes()).await.unwrap();
    drop(tab);
    assert_eq!(finished(app).await.0, "real-code");
}
