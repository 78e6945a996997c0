//! The loopback receiver: receives the callback on `http://127.0.0.1:PORT/callback` (RFC 8252
//! §7.3).
//!
//! It judges requests, not callbacks: whether a callback belongs to a sign-in that is waiting is
//! for the caller to say. It is not a web server: one path (and a short link to the companion,
//! where one is wanted), one method, no keep-alive, no sentence of its own. Nothing an
//! unauthenticated caller sends can end it or hold the real callback up.

mod connection;
mod header_queue;
mod receiver;
mod request;
mod response;
mod short_link;

use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use url::Url;

use header_queue::HeaderQueue;
use keyport_core::secret::RawCallback;
use keyport_messages::Messages;

pub(super) use receiver::Loopback;
pub use short_link::{SHORT_LINK_BYTES, ShortLink};

/// What the listener puts up with. The defaults are the product's; tests shorten the waits.
#[derive(Clone, Copy, Debug)]
pub struct ListenerLimits {
    /// From accepting a connection to the end of its request header.
    pub header: Duration,
    /// The longest request header, in bytes.
    pub header_bytes: usize,
    /// Connections that may wait for their header at once; one more closes the oldest.
    pub without_header: usize,
    /// Connections open at once, whatever they do; one more waits to be accepted.
    pub open: usize,
    /// From handing a callback over to the caller's answer.
    pub answer: Duration,
    /// What connections that are being answered get when the listener closes.
    pub finish: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(2),
            header_bytes: 8 * 1024,
            without_header: 64,
            open: 128,
            answer: Duration::from_secs(10),
            finish: Duration::from_secs(1),
        }
    }
}

/// A short page: its title, which is also its heading, and one sentence. Plain text, escaped here.
#[derive(Clone, Debug)]
pub struct PageText {
    /// The heading, and the title of the tab.
    pub title: String,
    /// The one paragraph under it.
    pub sentence: String,
}

/// The words of the few pages this listener can show, in the person's language.
#[derive(Clone, Debug)]
pub struct ListenerMessages {
    /// The language of the words, as a BCP 47 tag.
    pub language: String,
    /// Whether that language is written from right to left.
    pub right_to_left: bool,
    /// For a callback that was ignored (400).
    pub not_waiting: PageText,
    /// For a callback that was accepted, where there is no page of the companion to go back to.
    pub finished: PageText,
    /// For a callback that was not answered in time (503).
    pub unanswered: PageText,
}

impl ListenerMessages {
    /// Those of `words`: the messages `listener-…`.
    #[must_use]
    pub fn of(words: &Messages) -> Self {
        let page = |name: &str| PageText {
            title: words.text(&format!("listener-{name}-title"), &[]),
            sentence: words.text(&format!("listener-{name}-text"), &[]),
        };
        Self {
            language: words.language(),
            right_to_left: words.is_right_to_left(),
            not_waiting: page("not-waiting"),
            finished: page("finished"),
            unanswered: page("unanswered"),
        }
    }
}

/// What becomes of the browser tab that brought a callback.
#[derive(Clone, Debug)]
pub enum BrowserReply {
    /// The callback is ours. The tab goes on to `back_to` (http or https), or to a page of the
    /// listener's own; either way the code leaves the address bar.
    Accept {
        /// The companion's page; `None`: the listener's own page.
        back_to: Option<Url>,
    },
    /// The callback belongs to no sign-in that is waiting. The tab says so and nothing changes.
    Ignore,
}

/// A request for the callback path that a browser may have sent, waiting for an [`BrowserReply`].
#[derive(Debug)]
pub struct LoopbackCallback {
    /// The request target exactly as received, `/callback?…`.
    pub raw: RawCallback,
    answer: oneshot::Sender<BrowserReply>,
}

impl LoopbackCallback {
    /// Tells the tab how it went. A tab that has gone away is no error: the callback still counts.
    pub fn answer(self, answer: BrowserReply) {
        // The connection may have ended meanwhile; then no browser reads it.
        let _ = self.answer.send(answer);
    }
}

/// How much came in since the listener was bound, for logs and `doctor`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections accepted.
    pub connections: u64,
    /// Connections closed without a request: idle, slow, gone, or evicted for a newer one.
    pub without_request: u64,
    /// Requests refused by this listener itself.
    pub refused: u64,
    /// Callbacks handed to the caller.
    pub callbacks: u64,
    /// Callbacks that the caller did not answer in time.
    pub unanswered: u64,
}

/// A bound listener. Dropping it closes it; [`close`](Self::close) also waits for that.
#[derive(Debug)]
pub struct LoopbackListener {
    redirect_uri: String,
    callbacks: mpsc::Receiver<LoopbackCallback>,
    shared: Arc<Shared>,
    // Dropped to close: every connection watches it.
    open: Option<watch::Sender<()>>,
    accepting: Option<JoinHandle<()>>,
}

impl LoopbackListener {
    /// Listens on a free port of 127.0.0.1, and nowhere else.
    ///
    /// # Errors
    /// What the operating system says when there is no port to be had.
    pub async fn bind(notices: ListenerMessages) -> io::Result<Self> {
        Self::bind_within(notices, ListenerLimits::default()).await
    }

    /// As [`bind`](Self::bind), with other limits.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_within(
        notices: ListenerMessages,
        limits: ListenerLimits,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        if address.ip() != Ipv4Addr::LOCALHOST {
            return Err(io::Error::other("the listener is not bound to 127.0.0.1"));
        }
        let (sender, callbacks) = mpsc::channel(limits.without_header);
        let shared = Arc::new(Shared {
            host: address.to_string(),
            notices,
            limits,
            tally: Tally::default(),
            waiting: HeaderQueue::up_to(limits.without_header),
            callbacks: sender,
            finished: AtomicBool::new(false),
            short_link: OnceLock::new(),
        });
        let (open, closing) = watch::channel(());
        let accepting = tokio::spawn(connection::accept_until(listener, shared.clone(), closing));
        Ok(Self {
            redirect_uri: format!("http://{address}{}", request::CALLBACK),
            callbacks,
            shared,
            open: Some(open),
            accepting: Some(accepting),
        })
    }

    /// `http://127.0.0.1:PORT/callback`, to be pushed with the authorization request.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The short link of this listener; its path is drawn from `random` at the first call. It is
    /// not answered before it was told where it leads.
    pub fn short_link(&self, random: [u8; SHORT_LINK_BYTES]) -> ShortLink {
        let link = || ShortLink::at(&self.shared.host, random);
        self.shared.short_link.get_or_init(link).clone()
    }

    /// The next request that may be the callback. Waits for ever; the deadline is the caller's.
    /// Cancel safe.
    pub async fn next_callback(&mut self) -> Option<LoopbackCallback> {
        self.callbacks.recv().await
    }

    /// What came in so far.
    pub fn counts(&self) -> Counts {
        self.shared.tally.counts()
    }

    /// Stops listening at once; returns when the port is free and the answers on their way are out,
    /// or [`ListenerLimits::finish`] later.
    pub async fn close(mut self) {
        self.open = None;
        if let Some(accepting) = self.accepting.take() {
            // Its only other end would be a panic, which has been reported where it happened.
            let _ = accepting.await;
        }
    }
}

/// What every connection of one listener needs.
#[derive(Debug)]
struct Shared {
    host: String,
    notices: ListenerMessages,
    limits: ListenerLimits,
    tally: Tally,
    waiting: HeaderQueue,
    callbacks: mpsc::Sender<LoopbackCallback>,
    finished: AtomicBool,
    short_link: OnceLock<ShortLink>,
}

#[derive(Debug, Default)]
struct Tally {
    connections: AtomicU64,
    without_request: AtomicU64,
    refused: AtomicU64,
    callbacks: AtomicU64,
    unanswered: AtomicU64,
}

impl Tally {
    fn counts(&self) -> Counts {
        Counts {
            connections: self.connections.load(Ordering::Relaxed),
            without_request: self.without_request.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            callbacks: self.callbacks.load(Ordering::Relaxed),
            unanswered: self.unanswered.load(Ordering::Relaxed),
        }
    }
}

fn one_more(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}
