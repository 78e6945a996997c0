//! Exchanges with the provider: bounded, once for each state, and none for a caller who has gone.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::support::{Browser, Device, Service, parameter};

/// The address of the provider's answer and the cookies that go with it.
async fn ready(service: &Service, device: &Device, code: &str) -> (String, String) {
    let pushed = device.push(service, &[]).await;
    let mut browser = Browser::new();
    let provider = browser.authorize(service, &pushed).await;
    let state = parameter(provider.as_str(), "state");
    (format!("{}/callback?code={code}&state={state}", service.url), browser.cookie_header())
}

/// Whether a callback has led to its hand-off.
fn has_led_on(answer: &reqwest::Response) -> bool {
    let location = answer.headers().get("location");
    location.is_some_and(|location| location.as_bytes().starts_with(b"/handoff/"))
}

fn hold(service: &Service) -> Arc<Semaphore> {
    let hold = Arc::new(Semaphore::new(0));
    *service.provider.hold.lock().unwrap() = Some(Arc::clone(&hold));
    hold
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !done().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn at_most_64_exchanges_run_and_waiting_ones_are_served() {
    let (service, device) = (Service::start().await, Device::new());
    let mut calls = Vec::new();
    for _ in 0..80 {
        calls.push(ready(&service, &device, "x").await);
    }
    let held = hold(&service);
    let http = Browser::new().http;
    let tasks: Vec<_> = calls
        .into_iter()
        .map(|(url, cookie)| tokio::spawn(http.get(url).header("cookie", cookie).send()))
        .collect();
    until("the provider is asked", async || service.exchanges() >= 64).await;
    // Every callback has arrived when the service has answered a request that came after them.
    until("all have arrived", async || service.waiting().await >= 16).await;
    assert_eq!(service.exchanges(), 64, "the others wait");
    held.add_permits(80);
    for answer in join_all(tasks).await {
        assert!(has_led_on(&answer.unwrap().unwrap()));
    }
    assert_eq!(service.exchanges(), 80);
}

#[tokio::test]
async fn a_caller_that_hangs_up_in_the_queue_costs_no_exchange() {
    let (service, device) = (Service::start().await, Device::new());
    let mut calls = Vec::new();
    for _ in 0..64 {
        calls.push(ready(&service, &device, "x").await);
    }
    let (late, cookie) = ready(&service, &device, "late").await;
    let held = hold(&service);
    let http = Browser::new().http;
    let tasks: Vec<_> = calls
        .into_iter()
        .map(|(url, cookie)| tokio::spawn(http.get(url).header("cookie", cookie).send()))
        .collect();
    until("all slots are taken", async || service.exchanges() == 64).await;
    let gone = tokio::spawn(http.get(&late).header("cookie", &cookie).send());
    until("it waits", async || service.waiting().await == 1).await;
    gone.abort();
    until("it is dropped", async || service.waiting().await == 0).await;
    held.add_permits(65);
    for answer in join_all(tasks).await {
        assert!(has_led_on(&answer.unwrap().unwrap()));
    }
    assert_eq!(service.exchanges(), 64, "the code of the caller that has gone was not sent");
    let again = http.get(&late).header("cookie", &cookie).send().await.unwrap();
    assert!(has_led_on(&again), "its state was not used");
    assert_eq!(service.exchanges(), 65);
}

#[tokio::test]
async fn a_device_with_refused_codes_waits_behind_a_new_device() {
    let (service, guessing, honest) = (Service::start().await, Device::new(), Device::new());
    let mut guesses = Vec::new();
    for _ in 0..71 {
        guesses.push(ready(&service, &guessing, "made-up").await);
    }
    let (url, cookie) = ready(&service, &honest, "honest").await;
    let http = Browser::new().http;
    let call = |(url, cookie): (String, String)| {
        tokio::spawn(http.get(url).header("cookie", cookie).send())
    };
    let refusal = (400, json!({ "error": "invalid_grant" }));
    *service.provider.refuse_with.lock().unwrap() = Some(refusal);
    call(guesses.remove(0)).await.unwrap().unwrap();
    *service.provider.refuse_with.lock().unwrap() = None;
    let held = hold(&service);
    // It may not take the last places: they are kept for who has not failed.
    let mut tasks: Vec<_> = guesses.into_iter().map(call).collect();
    until("they wait", async || service.waiting().await == 70 - 48).await;
    until("the others are sent", async || service.exchanges() == 1 + 48).await;
    tasks.push(call((url, cookie)));
    until("one more is sent", async || service.exchanges() > 1 + 48).await;
    let last = service.provider.bodies.lock().unwrap().last().unwrap()["code"].clone();
    assert_eq!(last, "honest");
    held.add_permits(80);
    join_all(tasks).await;
}

#[tokio::test]
async fn after_a_429_the_next_code_waits_for_the_pause() {
    let (service, device) = (Service::start().await, Device::new());
    let refusal = (429, json!({ "message": "slow down" }));
    *service.provider.refuse_with.lock().unwrap() = Some(refusal);
    let (url, cookie) = ready(&service, &device, "x").await;
    let http = Browser::new().http;
    http.get(url).header("cookie", cookie).send().await.unwrap();
    *service.provider.refuse_with.lock().unwrap() = None;
    let (url, cookie) = ready(&service, &device, "y").await;
    let next = tokio::spawn(http.get(&url).header("cookie", &cookie).send());
    until("it waits", async || service.waiting().await == 1).await;
    assert_eq!(service.exchanges(), 1);
    assert!(has_led_on(&next.await.unwrap().unwrap()));
    assert_eq!(service.exchanges(), 2);
}

#[tokio::test]
async fn shutdown_finishes_begun_exchanges_and_refuses_others() {
    let (service, device) = (Service::start().await, Device::new());
    let held = hold(&service);
    let (url, cookie) = ready(&service, &device, "x").await;
    let http = Browser::new().http;
    let begun = tokio::spawn(http.get(url).header("cookie", cookie).send());
    until("it is sent", async || service.exchanges() == 1).await;
    begun.abort();
    service.app.exchanges.close();
    let (url, cookie) = ready(&service, &device, "y").await;
    let refused = http.get(&url).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    let app = Arc::clone(&service.app);
    let ending = tokio::spawn(async move { app.exchanges.finish().await });
    tokio::task::yield_now().await;
    assert!(!ending.is_finished());
    held.add_permits(1);
    ending.await.unwrap();
    assert_eq!(service.exchanges(), 1);
}

#[tokio::test]
async fn once_told_to_end_a_request_that_was_half_there_sends_no_code() {
    let (mut service, device) = (Service::start().await, Device::new());
    let (url, cookie) = ready(&service, &device, "x").await;
    let url = url::Url::parse(&url).unwrap();
    let address = url.socket_addrs(|| None).unwrap()[0];
    let mut half = TcpStream::connect(address).await.unwrap();
    let target = &url[url::Position::BeforePath..];
    let head = format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\n");
    half.write_all(head.as_bytes()).await.unwrap();
    service.stop.take().unwrap().send(()).unwrap();
    until("it takes no connection", async || TcpStream::connect(address).await.is_err()).await;
    // Refused, or closed if nothing of it had been read when the end came: both are right.
    let mut answer = String::new();
    if half.write_all(b"\r\n").await.is_ok() && half.read_to_string(&mut answer).await.is_ok() {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 503"), "{answer}");
    }
    service.ended.await.unwrap();
    assert_eq!(service.provider.bodies.lock().unwrap().len(), 0, "no code was sent");
}

#[tokio::test]
async fn a_callback_that_cannot_be_stored_uses_nothing_and_retries() {
    let (service, device) = (Service::start().await, Device::new());
    let (url, cookie) = ready(&service, &device, "x").await;
    let file = service.folder.path().join("companion.sqlite");
    let other = rusqlite::Connection::open(file).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let http = Browser::new().http;
    let busy = http.get(&url).header("cookie", &cookie).send().await.unwrap();
    assert_eq!((busy.status().as_u16(), &busy.headers()["refresh"]), (503, &"5".parse().unwrap()));
    assert_eq!(service.exchanges(), 0);
    other.execute_batch("ROLLBACK").unwrap();
    let answer = http.get(&url).header("cookie", with_set_cookie(&cookie, &busy)).send().await;
    assert!(
        has_led_on(&answer.unwrap()),
        "the same address works, with the place that it was given"
    );
}

/// The cookies of a browser after an answer that replaced the cookie of its state.
fn with_set_cookie(cookies: &str, answer: &reqwest::Response) -> String {
    let set = answer.headers()["set-cookie"].to_str().unwrap();
    let (name, value) = set.split_once("; ").unwrap().0.split_once('=').unwrap();
    assert!(!value.is_empty() && cookies.contains(name), "{set}");
    let others = cookies.split("; ").filter(|cookie| !cookie.starts_with(name));
    others.map(str::to_owned).chain([format!("{name}={value}")]).collect::<Vec<_>>().join("; ")
}
