//! Accepts connections and serves each in its own task: header, verdict, answer, end.
//! It does not judge a request (see [`super::request`]) nor write a page (see [`super::response`]).

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keyport_core::secret::RawCallback;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::debug;
use zeroize::Zeroizing;

use super::header_queue::Place;
use super::request::{RequestError, Verdict, judge};
use super::{BrowserReply, LoopbackCallback, Shared, one_more, response};

/// How long to wait when the system has no socket to give.
const BREATHER: Duration = Duration::from_millis(50);
/// How long, and how much, a refused request may go on sending before its connection is cut.
const LINGER: Duration = Duration::from_millis(200);
const LINGER_BYTES: usize = 64 * 1024;
/// How long a response may take to leave.
const WRITE: Duration = Duration::from_secs(1);

/// Accepts until the sender of `closing` is dropped, then lets answers on their way finish.
pub(super) async fn accept_until(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut closing: watch::Receiver<()>,
) {
    let slots = Arc::new(Semaphore::new(shared.limits.open));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = closing.changed() => break,
            Some(_) = connections.join_next() => {}
            (stream, slot) = accept(&listener, &slots) => {
                one_more(&shared.tally.connections);
                // Joining here and not in the task keeps the line in the order of arrival.
                let place = shared.waiting.join();
                let connection = Connection {
                    stream,
                    shared: shared.clone(),
                    received: Zeroizing::new(Vec::new()),
                    _slot: slot,
                };
                connections.spawn(connection.serve(place, closing.clone()));
            }
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    if timeout(shared.limits.finish, finish).await.is_err() {
        debug!("loopback connections cut at closing");
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // Never closed, so there is always a permit to wait for.
    let slot = slots.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) if peer.ip().is_loopback() => return (stream, slot),
            Ok(_) => debug!("loopback connection from elsewhere dropped"),
            Err(error) => {
                debug!(kind = ?error.kind(), "loopback accept failed");
                sleep(BREATHER).await;
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    shared: Arc<Shared>,
    // What was received and not yet judged; holds the code.
    received: Zeroizing<Vec<u8>>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Connection {
    async fn serve(mut self, mut place: Place, mut closing: watch::Receiver<()>) {
        let shared = self.shared.clone();
        let verdict = tokio::select! {
            // Reading first: a header that has arrived counts, even if the place was just lost.
            biased;
            verdict = self.read_header() => verdict,
            () = place.lost() => None,
            () = sleep(shared.limits.header) => None,
            _ = closing.changed() => None,
        };
        shared.waiting.leave(&place);
        match verdict {
            None => one_more(&shared.tally.without_request),
            Some(Verdict::Refused(error)) => self.refuse(error).await,
            Some(Verdict::Finished) => self.show_finished().await,
            Some(Verdict::ShortLink(url)) => self.send(&response::go_to(url.expose())).await,
            Some(Verdict::Callback(raw)) => self.hand_over(raw).await,
        }
    }

    /// `None` when the peer goes away first.
    async fn read_header(&mut self) -> Option<Verdict> {
        let most = self.shared.limits.header_bytes;
        // Reserved once, so that no reallocation leaves a copy of the code behind.
        let missing = most.saturating_sub(self.received.len());
        self.received.reserve_exact(missing);
        loop {
            if let Some(verdict) =
                judge(&self.received, &self.shared.host, self.shared.short_link.get())
            {
                self.received.clear();
                return Some(verdict);
            }
            let room = most.saturating_sub(self.received.len());
            if room == 0 {
                return Some(Verdict::Refused(RequestError::HeaderTooLarge));
            }
            let mut limited = (&mut self.stream).take(room as u64);
            if limited.read_buf(&mut *self.received).await.ok()? == 0 {
                return None;
            }
        }
    }

    async fn hand_over(mut self, raw: RawCallback) {
        let shared = self.shared.clone();
        match timeout(shared.limits.answer, self.ask(raw)).await.ok().flatten() {
            Some(BrowserReply::Accept { back_to: Some(url) })
                if matches!(url.scheme(), "http" | "https") =>
            {
                self.send(&response::go_to(url.as_str())).await;
            }
            Some(BrowserReply::Accept { .. }) => self.lead_to_finished().await,
            Some(BrowserReply::Ignore) => self.send(&response::ignored(&shared.notices)).await,
            None => {
                one_more(&shared.tally.unanswered);
                self.send(&response::unanswered(&shared.notices)).await;
            }
        }
    }

    /// `None` when the caller let the callback fall.
    async fn ask(&self, raw: RawCallback) -> Option<BrowserReply> {
        let (answer, answered) = oneshot::channel();
        let callback = LoopbackCallback { raw, answer };
        one_more(&self.shared.tally.callbacks);
        self.shared.callbacks.send(callback).await.ok()?;
        answered.await.ok()
    }

    async fn lead_to_finished(mut self) {
        self.shared.finished.store(true, Ordering::Relaxed);
        if self.write(&response::go_to_finished()).await.is_err() {
            return;
        }
        let header = self.shared.limits.header;
        match timeout(header, self.read_header()).await.ok().flatten() {
            Some(Verdict::Finished) => self.show_finished().await,
            // One callback per connection: a pipelined second one has no claim to an answer.
            Some(_) => self.refuse(RequestError::WrongPath).await,
            None => {}
        }
    }

    async fn show_finished(mut self) {
        if self.shared.finished.load(Ordering::Relaxed) {
            let shared = self.shared.clone();
            self.send(&response::finished(&shared.notices)).await;
        } else {
            self.refuse(RequestError::WrongPath).await;
        }
    }

    async fn refuse(mut self, error: RequestError) {
        one_more(&self.shared.tally.refused);
        debug!(?error, "loopback request refused");
        self.send(&response::refused(error)).await;
        // Closing with bytes unread resets the connection and can take the response with it.
        let mut unread = (&mut self.stream).take(LINGER_BYTES as u64);
        let _ = timeout(LINGER, tokio::io::copy(&mut unread, &mut tokio::io::sink())).await;
    }

    /// Sends a last response. A peer that went away meanwhile is no error.
    async fn send(&mut self, response: &[u8]) {
        if self.write(response).await.is_ok() {
            let _ = self.stream.shutdown().await;
        }
    }

    async fn write(&mut self, response: &[u8]) -> io::Result<()> {
        timeout(WRITE, self.stream.write_all(response)).await?
    }
}
