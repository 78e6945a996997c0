//! No secret in any log line, whatever `RUST_LOG` says: a whole run at trace level, searched for
//! everything that was issued. And each line of a request can be found by its id.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[path = "http/support/mod.rs"]
#[allow(dead_code, reason = "shared with the other tests")]
mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use support::{API_KEY, Browser, Device, Service, parameter};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

#[tokio::test]
async fn trace_logs_of_a_full_run_hold_ids_and_no_secret() {
    let logs = Captured::default();
    tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(logs.clone())
        .init();
    let (service, device) = (Service::start().await, Device::new());
    let mut secrets: Vec<(&str, String)> = vec![
        ("API key", API_KEY.into()),
        ("upstream token", "upstream_planted".into()),
        ("raw attribute", "raw_attribute_planted".into()),
    ];

    let pushed = device.push(&service, &[("login_hint", "ada@acme.test")]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(&service, &pushed).await;
    let state = format!("keyport-state-{}", parameter(provider.as_str(), "state"));
    secrets.push(("state cookie", browser.cookies[&state].clone()));
    let handoff = browser.callback(&service, &provider, "upstream_code_planted").await;
    let handoff = format!("{}{}", service.url, handoff.header("location"));
    device.attempt_state(&service, &pushed.attempt).await;
    let csrf_token = browser.get(&handoff).await.hidden("csrf_token").unwrap();
    browser.press_with(&handoff, "continue", &csrf_token).await;
    secrets.push(("csrf token", csrf_token));
    let callback = browser.get(&format!("{handoff}/go")).await.header("refresh").to_owned();
    let code = parameter(&callback, "code");
    device.redeem(&service, &code, "a_wrong_verifier_planted_a_wrong_verifier_planted").await;
    let session = device.sign_in(&service).await;
    let refreshed =
        device.refresh(&service, session["refresh_token"].as_str().unwrap()).await.json();
    device.userinfo(&service, refreshed["access_token"].as_str().unwrap()).await;
    device.attempt(&service, "POST", &pushed.attempt, Some(json!({ "outcome": "stored" }))).await;
    let token = refreshed["refresh_token"].as_str().unwrap().to_owned();
    let form = [("client_id", "keyport-desktop"), ("token", &token)];
    device.http.post(format!("{}/oauth/revoke", service.url)).form(&form).send().await.unwrap();

    secrets.push((
        "request_uri",
        pushed.request_uri["urn:ietf:params:oauth:request_uri:".len()..].to_owned(),
    ));
    secrets.push(("client state", pushed.state));
    secrets.push(("verifier", pushed.verifier));
    secrets.push(("wrong verifier", "a_wrong_verifier_planted".into()));
    secrets.push(("upstream state", parameter(provider.as_str(), "state")));
    secrets.push(("upstream code", "upstream_code_planted".into()));
    secrets.push((
        "upstream verifier",
        service.provider.bodies.lock().unwrap()[0]["code_verifier"].as_str().unwrap().into(),
    ));
    secrets.push(("browser cookie", browser.cookies.values().next().unwrap().clone()));
    secrets.push(("code", code));
    for answer in [&session, &refreshed] {
        for name in ["access_token", "refresh_token"] {
            secrets.push((name, answer[name].as_str().unwrap().to_owned()));
        }
    }
    search(&logs.text(), &secrets);
    assert!(logs.text().contains(&pushed.attempt), "the attempt is what support asks for");
}

fn search(logs: &str, secrets: &[(&str, String)]) {
    assert!(logs.contains("\"level\":\"TRACE\""), "the search is over everything");
    for (name, secret) in secrets {
        assert!(secret.len() >= 10, "{name} is too short to look for");
        let line = logs.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{name} in {}", line.unwrap_or_default());
    }
    assert!(logs.contains("\"request_id\":\"req_"));
    assert!(!logs.contains("ada@acme.test"), "nor does a person's address belong there");
}
