//! A browser of raw sockets, and an app that waits for its callback.

use std::time::Duration;

use keyport_client::receivers::loopback::{
    BrowserReply, ListenerLimits, ListenerMessages, LoopbackListener, PageText,
};
use keyport_core::secret::State;
use keyport_core::{AuthorizationResponse, Callback, CallbackReceiver};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

/// What Chromium sends when a link is opened (leaving out what does not matter here).
pub const NAVIGATION: &str = "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n\
     Sec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\nConnection: keep-alive\r\n\
     Upgrade-Insecure-Requests: 1\r\n";
pub const REAL: &str = "/callback?code=real-code&state=ours";
pub const PAGE: &str = "https://companion.test/handoff/abc";

/// Longer than anything here may take; reached only when something hangs.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

pub fn notices() -> ListenerMessages {
    let notice = |title: &str| PageText { title: title.into(), sentence: format!("{title}.") };
    ListenerMessages {
        language: "en".into(),
        right_to_left: false,
        not_waiting: notice("No sign-in waits"),
        finished: notice("Go back"),
        unanswered: notice("No answer"),
    }
}

pub async fn listener() -> LoopbackListener {
    LoopbackListener::bind(notices()).await.expect("a free port")
}

pub async fn listener_within(limits: ListenerLimits) -> LoopbackListener {
    LoopbackListener::bind_within(notices(), limits).await.expect("a free port")
}

/// `127.0.0.1:PORT`.
pub fn host(listener: &LoopbackListener) -> String {
    let uri = Url::parse(listener.redirect_uri()).expect("a URL");
    format!("127.0.0.1:{}", uri.port().expect("a port"))
}

/// Waits for the callback with state `ours`; everything else is ignored. The redeemed code and the
/// listener come back.
pub fn app_waits(mut listener: LoopbackListener) -> JoinHandle<(String, LoopbackListener)> {
    tokio::spawn(async move {
        loop {
            let callback = listener.next_callback().await.expect("an open listener");
            match Callback::parse(CallbackReceiver::Loopback, "/callback", &callback.raw) {
                Ok(Callback { state, response: AuthorizationResponse::Code(code), .. })
                    if state == State::new("ours") =>
                {
                    callback
                        .answer(BrowserReply::Accept { back_to: Some(Url::parse(PAGE).unwrap()) });
                    return (code.expose().to_owned(), listener);
                }
                _ => callback.answer(BrowserReply::Ignore),
            }
        }
    })
}

pub async fn finished<T>(app: JoinHandle<T>) -> T {
    timeout(WAIT_TIMEOUT, app).await.expect("the app has its callback").expect("no panic")
}

pub fn get(target: &str, host: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n")
}

pub async fn connect(host: &str) -> TcpStream {
    TcpStream::connect(host).await.expect("the listener accepts")
}

/// Everything up to the end of the connection; a reset ends it too.
pub async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(WAIT_TIMEOUT, stream.read_to_end(&mut bytes)).await;
    drop(read.expect("the listener ends the connection"));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends `bytes` over a connection of its own and gives the whole response.
pub async fn exchange(host: &str, bytes: &[u8]) -> String {
    let mut stream = connect(host).await;
    // The listener may refuse, and close, before all is sent.
    drop(stream.write_all(bytes).await);
    read_to_end(&mut stream).await
}

/// As a browser does: a navigation to `target`.
pub async fn navigate(host: &str, target: &str) -> String {
    exchange(host, get(target, host, NAVIGATION).as_bytes()).await
}

pub fn status(response: &str) -> &str {
    response.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or("none")
}

pub fn has_header(response: &str, line: &str) -> bool {
    response.split("\r\n").take_while(|l| !l.is_empty()).any(|l| l == line)
}

/// The real callback still signs in: whatever came before has changed nothing.
pub async fn assert_signs_in(
    host: &str,
    app: JoinHandle<(String, LoopbackListener)>,
) -> LoopbackListener {
    assert!(!app.is_finished(), "the attempt was ended by a foreign request");
    let response = navigate(host, REAL).await;
    assert_eq!(status(&response), "303", "{response}");
    let (code, listener) = finished(app).await;
    assert_eq!(code, "real-code");
    listener
}
