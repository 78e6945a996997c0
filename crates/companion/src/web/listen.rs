//! Accepting connections with limits that `axum::serve` does not have: deadlines for the header,
//! for idling and for reading the answer; a cap on connections that is shared between sites; a
//! graceful end with a deadline of its own.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;

use super::connections::{Connections, Slot};
use super::peer::peer_of;
use crate::config::TrustedProxies;
use crate::domain::PeerAddress;

/// Largest header that is read, in bytes. Cookies of other services on the same host are in it.
const LARGEST_HEADER: usize = 16 * 1024;

/// The limits of a listener.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Connections at once.
    pub connections: usize,
    /// Longest that a header may take, and a connection may be idle.
    pub header: Duration,
    /// Longest that a peer may leave an answer unread.
    pub unread: Duration,
    /// How long open requests may take once the service was told to end.
    pub shutdown: Duration,
    /// The proxies whose forwarded addresses count.
    pub proxies: TrustedProxies,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            // One on which nothing was received costs 2 KiB; buffers have a bound of their own.
            connections: 8192,
            header: Duration::from_secs(20),
            unread: Duration::from_secs(20),
            // As long as an exchange with the provider may take: its caller gets the answer.
            shutdown: Duration::from_secs(13),
            proxies: TrustedProxies::default(),
        }
    }
}

/// Serves until `stop`, then lets open requests end. Every request gets its [`PeerAddress`].
pub async fn serve_until(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    stop: impl Future<Output = ()>,
) {
    let graceful = GracefulShutdown::new();
    let connections = Connections::new(limits.connections);
    let (stopping, stopped) = watch::channel(());
    let (limits, router) = (Arc::new(limits), TowerToHyperService::new(router));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, remote)) => {
                let remote = remote.ip().to_canonical();
                let Some(slot) = connections.take(PeerAddress(remote)) else { continue };
                let service =
                    Service { router: router.clone(), remote, slot, limits: Arc::clone(&limits) };
                let slot = service.slot.clone();
                let serving = serve(stream, service, stopped.clone(), graceful.watcher());
                slot.belongs_to(tokio::spawn(serving).abort_handle());
            }
            Err(error) => {
                // Out of files or memory: one that waits makes room, or a request ends.
                let closed = connections.close_one();
                tracing::error!(%error, closed, "cannot accept connections");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    drop((listener, stopping));
    tracing::info!("stopping");
    if tokio::time::timeout(limits.shutdown, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

async fn serve(
    stream: TcpStream,
    service: Service,
    mut stopped: watch::Receiver<()>,
    watcher: Watcher,
) {
    let limits = Arc::clone(&service.limits);
    // A connection on which nothing was ever sent costs no buffer. Not `readable`, which may also
    // say so when there is nothing.
    let mut first = [0];
    tokio::select! {
        // In this order: a request that was there when the service was told to end is answered.
        biased;
        begun = tokio::time::timeout(limits.header, stream.peek(&mut first)) => {
            if !matches!(begun, Ok(Ok(1))) {
                return;
            }
        }
        _ = stopped.changed() => return,
    }
    service.slot.receives();
    // Small answers go out at once.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.unread));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_buf_size(LARGEST_HEADER)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The service as one connection sees it.
struct Service {
    router: TowerToHyperService<Router>,
    remote: IpAddr,
    slot: Slot,
    limits: Arc<ServerLimits>,
}

type Answer = Result<Response, std::convert::Infallible>;

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let peer = peer_of(self.remote, request.headers(), &self.limits.proxies);
        self.slot.move_to(peer);
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(self.slot.clone());
        let (answer, slot) = (self.router.call(request), self.slot.clone());
        Box::pin(async move {
            let mut answer = answer.await;
            if !slot.answered()
                && let Ok(answer) = &mut answer
            {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(header::CONNECTION, close);
            }
            answer
        })
    }
}

#[cfg(test)]
mod tests;
