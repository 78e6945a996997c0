//! Connections below HTTP: some that say nothing, some that ask and never read, some that ask and
//! hang up. Each is opened again when the companion closes it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use keyport_tests::NativeClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

/// Between a connection that was closed and the next one.
const PAUSE: Duration = Duration::from_millis(250);
/// Receive buffer of a connection that does not read, in bytes: the smallest that Linux gives.
const SMALL_BUFFER: u32 = 2048;
/// Requests of a connection that does not read, before it waits: some MiB of answers.
const AT_ONCE: u64 = 500;
/// Between two looks whether a connection that does not read is still there.
const LOOK: Duration = Duration::from_millis(500);

/// Opens a connection and says nothing, again and again.
pub async fn idle(companion: SocketAddr, opened: Arc<AtomicU64>) {
    loop {
        if let Ok(mut connection) = TcpStream::connect(companion).await {
            opened.fetch_add(1, Ordering::Relaxed);
            let mut byte = [0];
            // Until the companion closes it.
            let _ = connection.read(&mut byte).await;
        }
        sleep(PAUSE).await;
    }
}

/// Asks for a page again and again and reads no answer.
pub async fn unread(companion: SocketAddr, opened: Arc<AtomicU64>) {
    let request = format!("GET / HTTP/1.1\r\nHost: {companion}\r\nAccept: text/html\r\n\r\n");
    loop {
        if let Ok(connection) = connect_with_small_buffer(companion).await {
            opened.fetch_add(1, Ordering::Relaxed);
            ask_while_open(connection, request.as_bytes()).await;
        }
        sleep(PAUSE).await;
    }
}

async fn connect_with_small_buffer(companion: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(SMALL_BUFFER)?;
    socket.connect(companion).await
}

/// Writes until an error says that the other side has gone. The first requests come at once, as
/// many as fill the buffers; after them one now and then, or this would be a flood of requests.
async fn ask_while_open(mut connection: TcpStream, request: &[u8]) {
    for number in 0_u64.. {
        if let Ok(Err(_)) = timeout(LOOK, connection.write_all(request)).await {
            return;
        }
        if number >= AT_ONCE {
            sleep(LOOK).await;
        }
    }
}

/// Asks for the state of an attempt with a good proof and hangs up at once.
pub async fn hang_up(
    companion: SocketAddr,
    device: Arc<NativeClient>,
    attempt: String,
    asked: Arc<AtomicU64>,
    pause: Duration,
) -> Result<()> {
    let path = format!("/oauth/attempt/{attempt}");
    loop {
        let proof = device.proof("GET", &path)?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {companion}\r\nDPoP: {proof}\r\n\r\n");
        if let Ok(mut connection) = TcpStream::connect(companion).await
            && connection.write_all(request.as_bytes()).await.is_ok()
        {
            asked.fetch_add(1, Ordering::Relaxed);
        }
        sleep(pause).await;
    }
}
