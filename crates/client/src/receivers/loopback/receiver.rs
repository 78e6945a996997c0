//! The loopback listener as a callback receiver: one listener for each attempt, in the process that
//! asked, with a short link of its own.

use keyport_core::{CallbackReceiver, Problem};
use keyport_messages::Messages;
use tokio::sync::watch;
use url::Url;

use super::request::CALLBACK;
use super::{ListenerMessages, LoopbackCallback, LoopbackListener, SHORT_LINK_BYTES};
use crate::config::Config;
use crate::platform::Random;
use crate::receivers::{ArrivedCallback, Deliver, OpenReceiver, Opening, Receiver, until_closed};

pub(in crate::receivers) struct Loopback {
    words: Messages,
}

impl Loopback {
    pub(in crate::receivers) fn of(config: &Config) -> Self {
        Self { words: config.words.clone() }
    }
}

impl Receiver for Loopback {
    fn kind(&self) -> CallbackReceiver {
        CallbackReceiver::Loopback
    }

    /// A request target, RFC 9112 §3.2.1.
    fn address(&self) -> &str {
        CALLBACK
    }

    fn open<'a>(
        &'a self,
        random: &'a dyn Random,
        deliver: Deliver,
        closing: watch::Receiver<bool>,
    ) -> Opening<'a> {
        Box::pin(async move {
            let listener = LoopbackListener::bind(ListenerMessages::of(&self.words))
                .await
                .map_err(|_| Problem::ReceiverBlocked)?;
            let redirect_uri =
                Url::parse(listener.redirect_uri()).map_err(|_| Problem::Internal)?;
            let mut path = [0; SHORT_LINK_BYTES];
            random.fill(&mut path);
            let short_link = Some(listener.short_link(path));
            let serving = Some(tokio::spawn(serve(listener, deliver, closing)));
            Ok(OpenReceiver { kind: self.kind(), redirect_uri, short_link, serving })
        })
    }
}

async fn serve(mut listener: LoopbackListener, deliver: Deliver, closing: watch::Receiver<bool>) {
    let closed = until_closed(closing);
    tokio::pin!(closed);
    loop {
        tokio::select! {
            () = &mut closed => break,
            callback = listener.next_callback() => match callback {
                Some(callback) => deliver(arrived(callback)),
                None => break,
            },
        }
    }
    // Lets the answer to the callback that closed it out.
    listener.close().await;
}

fn arrived(callback: LoopbackCallback) -> ArrivedCallback {
    let LoopbackCallback { raw, answer } = callback;
    // The connection may have ended meanwhile; then no browser reads it.
    let reply = |reply| drop(answer.send(reply));
    ArrivedCallback { receiver: CallbackReceiver::Loopback, raw, reply: Some(Box::new(reply)) }
}
