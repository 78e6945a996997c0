//! The end of the listener: the port is free at once, and answers on their way still arrive.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use keyport_client::receivers::loopback::BrowserReply;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::*;

#[tokio::test]
async fn after_closing_the_port_is_free() {
    let listener = listener().await;
    let host = host(&listener);
    listener.close().await;
    assert!(TcpStream::connect(&host).await.is_err());
    assert!(TcpListener::bind(&host).is_ok());
}

#[tokio::test]
async fn a_dropped_listener_stops_listening() {
    let listener = listener().await;
    let host = host(&listener);
    drop(listener);
    let refused = async {
        while TcpStream::connect(&host).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(WAIT_TIMEOUT, refused).await.expect("the port is given up");
}

#[tokio::test]
async fn idle_connections_do_not_hold_the_closing_up() {
    let listener = listener().await;
    let host = host(&listener);
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(connect(&host).await);
    }
    let begun = Instant::now();
    listener.close().await;
    assert!(begun.elapsed() < Duration::from_millis(900), "{:?}", begun.elapsed());
    for stream in &mut idle {
        assert_eq!(read_to_end(stream).await, "");
    }
}

#[tokio::test]
async fn a_callback_answered_right_before_closing_gets_its_page() {
    for _ in 0..20 {
        let mut listener = listener().await;
        let host = host(&listener);
        let mut tab = connect(&host).await;
        tab.write_all(get("/callback?state=s", &host, NAVIGATION).as_bytes()).await.unwrap();
        listener.next_callback().await.unwrap().answer(BrowserReply::Ignore);
        listener.close().await;
        assert_eq!(status(&read_to_end(&mut tab).await), "400");
    }
}

#[tokio::test]
async fn an_unanswered_callback_delays_closing_by_a_second_at_most() {
    let mut listener = listener().await;
    let host = host(&listener);
    let mut tab = connect(&host).await;
    tab.write_all(get(REAL, &host, NAVIGATION).as_bytes()).await.unwrap();
    let unanswered = listener.next_callback().await.unwrap();
    let begun = Instant::now();
    listener.close().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(read_to_end(&mut tab).await, "");
    drop(unanswered);
}
