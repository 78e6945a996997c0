//! A listener whose connections can be cut from inside a handler: the peer gets a TCP reset instead
//! of an answer. axum has no such thing, because it is of use in tests only.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug)]
pub struct CuttableListener(pub TcpListener);

#[derive(Debug)]
pub struct CuttableStream {
    stream: TcpStream,
    cut: Wire,
}

/// The handle of one connection, for handlers.
#[derive(Debug, Clone, Default)]
pub struct Wire(Arc<AtomicBool>);

impl Wire {
    /// From now on nothing is written; the next attempt resets the connection.
    pub fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        (CuttableStream { stream, cut: Wire::default() }, peer)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Wire {
    fn connect_info(incoming: IncomingStream<'_, CuttableListener>) -> Self {
        incoming.io().cut.clone()
    }
}

impl CuttableStream {
    fn whole(self: Pin<&mut Self>) -> io::Result<Pin<&mut TcpStream>> {
        let this = self.get_mut();
        if this.cut.is_cut() {
            this.stream.set_zero_linger()?;
            return Err(ErrorKind::ConnectionReset.into());
        }
        Ok(Pin::new(&mut this.stream))
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.whole() {
            Ok(stream) => stream.poll_read(cx, buf),
            Err(cut) => Poll::Ready(Err(cut)),
        }
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.whole() {
            Ok(stream) => stream.poll_write(cx, bytes),
            Err(cut) => Poll::Ready(Err(cut)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.whole() {
            Ok(stream) => stream.poll_flush(cx),
            Err(cut) => Poll::Ready(Err(cut)),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.whole() {
            Ok(stream) => stream.poll_shutdown(cx),
            Err(cut) => Poll::Ready(Err(cut)),
        }
    }
}
