use std::net::SocketAddr;

use axum::Extension;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::oneshot;

use super::*;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
/// Far more than anything here takes by itself.
const LONG: Duration = Duration::from_secs(30);

struct Serving {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: tokio::task::JoinHandle<()>,
}

async fn start(limits: ServerLimits, router: Router) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let told = async move { drop(stopped.await) };
    let ended = tokio::spawn(serve_until(listener, router, limits, told));
    Serving { address, stop: Some(stop), ended }
}

impl Serving {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection from another address of the loopback network.
    async fn connect_from(&self, address: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
        socket.connect(self.address).await.unwrap()
    }
}

async fn is_answered(stream: &mut TcpStream) -> bool {
    if stream.write_all(REQUEST).await.is_err() {
        return false;
    }
    let mut bytes = [0; 4096];
    let read = tokio::time::timeout(LONG, stream.read(&mut bytes)).await.unwrap();
    read.is_ok_and(|read| bytes[..read].starts_with(b"HTTP/1.1 200"))
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let read = tokio::time::timeout(LONG, stream.read(&mut [0; 4096])).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}

#[tokio::test]
async fn it_stops_when_told_to_even_while_every_slot_is_taken() {
    let limits = ServerLimits { connections: 2, ..ServerLimits::default() };
    let mut serving = start(limits, hello()).await;
    let silent = serving.connect().await;
    let mut kept = serving.connect().await;
    assert!(is_answered(&mut kept).await);
    serving.stop.take().unwrap().send(()).unwrap();
    tokio::time::timeout(LONG, serving.ended).await.unwrap().unwrap();
    drop(silent);
}

#[tokio::test]
async fn idle_connections_beyond_all_slots_do_not_keep_a_request_out() {
    let serving = start(ServerLimits { connections: 20, ..ServerLimits::default() }, hello()).await;
    let mut idle = Vec::new();
    for round in 0..100 {
        let mut stream = serving.connect().await;
        if round % 3 == 0 {
            stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        }
        idle.push(stream);
    }
    assert!(is_answered(&mut serving.connect().await).await);
}

#[tokio::test]
async fn the_greedy_peer_loses_its_slots_first() {
    let serving = start(ServerLimits { connections: 20, ..ServerLimits::default() }, hello()).await;
    let mut company = serving.connect_from("127.0.0.2").await;
    assert!(is_answered(&mut company).await);
    let mut busy = Vec::new();
    for _ in 0..100 {
        busy.push(serving.connect_from("127.0.0.3").await);
    }
    assert!(is_answered(&mut serving.connect_from("127.0.0.4").await).await);
    assert!(is_closed(&mut busy[0]).await, "the longest idle one of the busy peer");
    assert!(is_answered(&mut company).await, "an idle connection of another peer stays");
}

#[tokio::test]
async fn with_scarce_slots_an_answer_ends_its_connection() {
    let serving = start(ServerLimits { connections: 8, ..ServerLimits::default() }, hello()).await;
    let mut kept = serving.connect().await;
    assert!(is_answered(&mut kept).await && is_answered(&mut kept).await, "slots are plenty");
    let others = [serving.connect().await, serving.connect().await];
    let mut last = serving.connect().await;
    last.write_all(REQUEST).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(LONG, last.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    drop(others);
}

#[tokio::test]
async fn answers_that_are_not_read_free_their_slot() {
    let limits = ServerLimits { unread: Duration::from_millis(300), ..ServerLimits::default() };
    let large = "x".repeat(1_000_000);
    let serving = start(limits, Router::new().route("/", get(move || async { large }))).await;
    let (mut reader, mut writer) = serving.connect().await.into_split();
    // Requests are sent until the service, which cannot send its answers, closes the connection.
    let closed = async { while writer.write_all(REQUEST).await.is_ok() {} };
    tokio::time::timeout(LONG, closed).await.unwrap();
    drop(reader.read(&mut [0; 1]).await);
}

#[tokio::test]
async fn idle_and_unfinished_connections_are_closed_in_time() {
    let limits = ServerLimits { header: Duration::from_millis(200), ..ServerLimits::default() };
    let serving = start(limits, hello()).await;
    let mut silent = serving.connect().await;
    let mut unfinished = serving.connect().await;
    unfinished.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut idle = serving.connect().await;
    assert!(is_answered(&mut idle).await);
    assert!(is_closed(&mut silent).await);
    assert!(is_closed(&mut unfinished).await || is_closed(&mut unfinished).await, "a 408 at most");
    assert!(is_closed(&mut idle).await);
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_the_callers_fault() {
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;

    let layer = from_fn_with_state(Duration::from_millis(200), crate::web::body::read_body);
    let router = Router::new().route("/", post(async || "read").layer(layer));
    let serving = start(ServerLimits::default(), router).await;
    let mut stream = serving.connect().await;
    let request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    tokio::time::timeout(LONG, read).await.expect("the connection ends").unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.to_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_request_knows_its_peer() {
    let proxies = TrustedProxies::parse(&["127.0.0.9".into()]).unwrap();
    let told = async |Extension(peer): Extension<PeerAddress>| peer.0.to_string();
    let limits = ServerLimits { proxies, ..ServerLimits::default() };
    let serving = start(limits, Router::new().route("/", get(told))).await;
    for (from, expected) in [("127.0.0.9", "203.0.113.7"), ("127.0.0.8", "127.0.0.8")] {
        let mut stream = serving.connect_from(from).await;
        let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                       X-Forwarded-For: 203.0.113.7\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with(expected), "{answer}");
    }
}

#[tokio::test]
async fn behind_a_proxy_the_greedy_forwarded_address_loses_its_slots_first() {
    use axum::middleware::from_fn_with_state;
    use tokio::sync::mpsc;

    let (began, mut begun) = mpsc::unbounded_channel();
    let handler = async move || {
        began.send(()).unwrap();
        std::future::pending::<()>().await;
    };
    let layer = from_fn_with_state(LONG, crate::web::body::read_body);
    let proxies = TrustedProxies::parse(&["127.0.0.9".into()]).unwrap();
    let limits = ServerLimits { connections: 4, proxies, ..ServerLimits::default() };
    let serving = start(limits, Router::new().route("/", get(handler).layer(layer))).await;
    let mut held = Vec::new();
    for client in ["198.51.100.1", "203.0.113.7", "203.0.113.7", "203.0.113.7"] {
        let mut stream = serving.connect_from("127.0.0.9").await;
        let request = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        tokio::time::timeout(LONG, begun.recv()).await.unwrap().unwrap();
        held.push(stream);
    }
    let _newcomer = serving.connect_from("127.0.0.4").await;
    assert!(is_closed(&mut held[1]).await, "the oldest one of the greedy forwarded address");
}
