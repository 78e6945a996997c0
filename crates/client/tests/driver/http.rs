//! Answers that no companion should give.

use std::sync::Arc;

use keyport_client::config::DEFAULT_CLIENT_ID;
use keyport_client::http::{CompanionClient, DeviceKey, HttpError};
use keyport_client::{SystemClock, SystemRandomness};
use keyport_core::{AttemptId, Problem};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

/// A server that answers every request with these bytes.
async fn answering(answer: &'static [u8]) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
        }
    });
    Url::parse(&url).unwrap()
}

async fn error(url: &Url) -> Problem {
    let companion = CompanionClient::at(
        url,
        DEFAULT_CLIENT_ID,
        Arc::new(SystemClock),
        Arc::new(SystemRandomness),
    );
    let key = DeviceKey::draw().unwrap();
    match companion.attempt_status(&key, &AttemptId("a".repeat(32))).await {
        Err(HttpError::Problem(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn foreign_answers_are_sorted_and_never_followed() {
    for (answer, problem) in [
        (
            &b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\
               Content-Length: 0\r\n\r\n"[..],
            Problem::UnexpectedAnswer,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", Problem::UnexpectedAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<!doctype", Problem::UnexpectedAnswer),
        (
            b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            Problem::ProxyRefused,
        ),
        (b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", Problem::TooManyRequests),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", Problem::ServiceUnavailable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", Problem::Offline),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Problem::Offline),
    ] {
        let url = answering(answer).await;
        assert_eq!(error(&url).await, problem, "{}", String::from_utf8_lossy(answer));
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while stream.write_all(&[b' '; 4096]).await.is_ok() {}
    });
    assert_eq!(error(&url).await, Problem::UnexpectedAnswer);
}

#[tokio::test]
async fn a_closed_port_is_offline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    assert_eq!(error(&url).await, Problem::Offline);
}
