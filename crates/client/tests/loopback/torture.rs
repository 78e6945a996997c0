//! Idle, slow, hostile and very many connections: the real callback is answered at once all the
//! same.

use std::io::Write as _;
use std::time::{Duration, Instant};

use keyport_client::receivers::loopback::ListenerLimits;
use tokio::io::AsyncWriteExt;

use crate::support::*;

/// What the product promises with 500 idle connections open.
const PROMISE: Duration = Duration::from_millis(200);
/// Where a slow or idle connection would first be let go: nothing may have to wait for that.
const HEADER_DEADLINE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn answers_the_callback_beside_500_idle_connections() {
    let mut took = Vec::new();
    for _ in 0..5 {
        let listener = listener().await;
        let host = host(&listener);
        let app = app_waits(listener);
        let mut idle = Vec::new();
        for _ in 0..500 {
            idle.push(connect(&host).await);
        }
        let begun = Instant::now();
        let listener = assert_signs_in(&host, app).await;
        took.push(begun.elapsed());
        assert_eq!(listener.counts().callbacks, 1);
        drop(idle);
    }
    took.sort();
    println!("callback answered with 500 idle connections open, sorted: {took:?}");
    assert!(took[0] <= PROMISE, "{took:?}");
    assert!(took[4] < HEADER_DEADLINE, "{took:?}");
}

#[tokio::test]
async fn new_connections_do_not_evict_a_callback_that_arrived() {
    // Few places, so that all are taken over before any connection is looked at.
    let limits = ListenerLimits { without_header: 8, ..ListenerLimits::default() };
    let listener = listener_within(limits).await;
    let host = host(&listener);
    let app = app_waits(listener);
    // Without an await in between, all of it has arrived before the listener looks for the first
    // time.
    let mut tab = std::net::TcpStream::connect(&host).unwrap();
    tab.write_all(get(REAL, &host, NAVIGATION).as_bytes()).unwrap();
    let storm: Vec<_> = (0..100).map(|_| std::net::TcpStream::connect(&host).unwrap()).collect();
    let (code, listener) = finished(app).await;
    assert_eq!(code, "real-code");
    let counts = listener.counts();
    assert!(counts.connections > 8, "the storm was there: {counts:?}");
    drop(storm);
}

#[tokio::test]
async fn a_slow_header_is_read_and_an_endless_one_cut_off() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let begun = Instant::now();
    let mut slow = connect(&host).await;
    let drip = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        // Ends with an error once the listener has closed the connection.
        while slow.write_all(b"G").await.is_ok() {
            tick.tick().await;
        }
        begun.elapsed()
    });
    let mut patient = connect(&host).await;
    for byte in get("/callback?code=x&state=wrong", &host, "").bytes() {
        patient.write_all(&[byte]).await.unwrap();
    }
    assert_eq!(status(&read_to_end(&mut patient).await), "400");
    let cut_after = finished(drip).await;
    assert!(cut_after >= Duration::from_millis(1900), "{cut_after:?}");
    assert_signs_in(&host, app).await;
}

#[tokio::test]
async fn two_hundred_slow_readers_and_writers_delay_nothing() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let mut slow = Vec::new();
    for number in 0..200 {
        let mut stream = connect(&host).await;
        let request = get("/callback?code=x&state=wrong", &host, NAVIGATION);
        // Half of them stop in the middle of the header, the others never read their response.
        let end = if number % 2 == 0 { request.len() / 2 } else { request.len() };
        drop(stream.write_all(&request.as_bytes()[..end]).await);
        slow.push(stream);
    }
    let begun = Instant::now();
    assert_signs_in(&host, app).await;
    let took = begun.elapsed();
    println!("callback answered beside 200 slow connections: {took:?}");
    assert!(took < HEADER_DEADLINE, "{took:?}");
}

#[tokio::test]
async fn after_1000_wrong_callbacks_the_real_one_signs_in() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let mut guesses = tokio::task::JoinSet::new();
    for lane in 0..10 {
        let host = host.clone();
        guesses.spawn(async move {
            for guess in 0..100 {
                let target = format!("/callback?code=evil&state=guess-{lane}-{guess}");
                assert_eq!(status(&navigate(&host, &target).await), "400");
            }
        });
    }
    guesses.join_all().await;
    let listener = assert_signs_in(&host, app).await;
    assert_eq!(listener.counts().callbacks, 1001);
}

#[tokio::test]
async fn a_pipelined_second_request_is_not_served() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let wrong = get("/callback?code=x&state=wrong", &host, NAVIGATION);
    let real = get(REAL, &host, NAVIGATION);
    let response = exchange(&host, format!("{wrong}{real}").as_bytes()).await;
    assert_eq!(response.matches("HTTP/1.1 ").count(), 1);
    let listener = assert_signs_in(&host, app).await;
    assert_eq!(listener.counts().callbacks, 2);
}

#[tokio::test]
async fn a_connection_serves_one_request_despite_keep_alive() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let mut tab = connect(&host).await;
    tab.write_all(get("/favicon.ico", &host, NAVIGATION).as_bytes()).await.unwrap();
    assert_eq!(status(&read_to_end(&mut tab).await), "404");
    drop(tab.write_all(get(REAL, &host, NAVIGATION).as_bytes()).await);
    assert_eq!(read_to_end(&mut tab).await, "");
    assert_signs_in(&host, app).await;
}

#[tokio::test]
async fn half_closed_connections_get_their_answer_or_their_end() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let mut whole = connect(&host).await;
    whole.write_all(get("/callback?state=wrong", &host, "").as_bytes()).await.unwrap();
    whole.shutdown().await.unwrap();
    assert_eq!(status(&read_to_end(&mut whole).await), "400");
    let mut part = connect(&host).await;
    part.write_all(b"GET /callback?state=ours HTTP/1.1\r\n").await.unwrap();
    part.shutdown().await.unwrap();
    assert_eq!(read_to_end(&mut part).await, "");
    let listener = assert_signs_in(&host, app).await;
    assert_eq!(listener.counts().without_request, 1);
}

#[tokio::test]
async fn at_the_cap_the_oldest_connection_without_a_header_goes_first() {
    let listener = listener().await;
    let host = host(&listener);
    let app = app_waits(listener);
    let mut oldest = connect(&host).await;
    oldest.write_all(b"GET /callback?code=real-code").await.unwrap();
    let mut second = connect(&host).await;
    let mut others = Vec::new();
    for _ in 0..63 {
        others.push(connect(&host).await);
    }
    let begun = Instant::now();
    assert_eq!(read_to_end(&mut oldest).await, "");
    assert!(begun.elapsed() < HEADER_DEADLINE, "evicted, not timed out");
    second.write_all(get(REAL, &host, NAVIGATION).as_bytes()).await.unwrap();
    assert_eq!(status(&read_to_end(&mut second).await), "303");
    finished(app).await;
}
