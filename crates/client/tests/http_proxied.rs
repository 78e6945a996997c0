//! Behind a company's proxy, which `HTTPS_PROXY` names: one that refuses, one that opens TLS with a
//! certificate that no store trusts, and one whose authority IT has put into the trust store. A
//! program without the test harness: the client reads the environment at its start, so this starts
//! itself again for each.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use keyport_client::config::DEFAULT_CLIENT_ID;
use keyport_client::http::{CompanionClient, DeviceKey, HttpError};
use keyport_client::{SystemClock, SystemRandomness};
use keyport_core::AttemptId;
use rcgen::CertifiedKey;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use url::Url;

const COMPANION: &str = "https://sign-in.acme.test";
const ASK: &str = "--ask";
const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == ASK) {
        println!("{}", ask().await);
        return;
    }
    let inspected = inspecting();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let mut file = tokio::fs::File::create(&authority).await.unwrap();
    file.write_all(inspected.authority.as_bytes()).await.unwrap();
    file.flush().await.unwrap();

    for refusal in ["407 Proxy Authentication Required", "403 Forbidden"] {
        let refuses = proxy(Kind::Refuses(refusal)).await;
        assert_eq!(behind(refuses, None).await, "proxy_refused", "{refusal}");
    }
    let inspects = proxy(Kind::Inspects(inspected.acceptor)).await;
    assert_eq!(behind(inspects, None).await, "tls_untrusted");
    // Through to the end: the other end says 503, and says it in TLS.
    assert_eq!(behind(inspects, Some(&authority)).await, "service_unavailable");
    println!("http_proxied: ok");
}

/// What a client says of the companion.
async fn ask() -> &'static str {
    let url = Url::parse(COMPANION).unwrap();
    let companion = CompanionClient::at(
        &url,
        DEFAULT_CLIENT_ID,
        Arc::new(SystemClock),
        Arc::new(SystemRandomness),
    );
    let key = DeviceKey::draw().unwrap();
    match companion.attempt_status(&key, &AttemptId("a".repeat(32))).await {
        Err(HttpError::Problem(problem)) => problem.code(),
        _ => "no problem",
    }
}

/// What a client in a process behind this proxy says.
async fn behind(proxy: SocketAddr, authority: Option<&Path>) -> String {
    let mut client = Command::new(std::env::current_exe().unwrap());
    client.arg(ASK).env("HTTPS_PROXY", format!("http://{proxy}")).stdin(Stdio::null());
    for name in ["https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_DIR"] {
        client.env_remove(name);
    }
    if let Some(authority) = authority {
        client.env("SSL_CERT_FILE", authority);
    }
    let output = timeout(WAIT_TIMEOUT, client.output()).await.expect("an answer").unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

struct Inspected {
    acceptor: TlsAcceptor,
    authority: String,
}

/// A certificate for the companion's name that no public authority has signed.
fn inspecting() -> Inspected {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["sign-in.acme.test".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    Inspected { acceptor: TlsAcceptor::from(Arc::new(config)), authority: cert.pem() }
}

#[derive(Clone)]
enum Kind {
    Refuses(&'static str),
    Inspects(TlsAcceptor),
}

async fn proxy(kind: Kind) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, kind.clone()));
        }
    });
    address
}

async fn serve(stream: TcpStream, kind: Kind) {
    let mut stream = BufReader::new(stream);
    let request = read_head(&mut stream).await;
    assert!(request.starts_with("CONNECT sign-in.acme.test:443 "), "{request}");
    let acceptor = match kind {
        Kind::Inspects(acceptor) => acceptor,
        Kind::Refuses(refusal) => {
            let refusal = format!("HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.write_all(refusal.as_bytes()).await;
            return;
        }
    };
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
    // A client that does not trust us says so here.
    if let Ok(inside) = acceptor.accept(stream).await {
        let mut inside = BufReader::new(inside);
        read_head(&mut inside).await;
        let _ = inside
            .write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            .await;
        let _ = inside.shutdown().await;
    }
}

async fn read_head(stream: &mut (impl AsyncBufReadExt + Unpin)) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.unwrap_or(0) == 0 {
            break;
        }
    }
    head
}
