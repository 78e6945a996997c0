//! Hears that something in the Secret Service has changed: its signals on the session bus
//! (Secret Service API, "Signals" of `Collection` and `Service`). It reads no item, opens no
//! session and never unlocks; that a signal is of one of our items is not known here.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::watch;
use tokio::time::sleep;
use zbus::message::Type;
use zbus::{Connection, MatchRule, MessageStream};

const SERVICE: &str = "org.freedesktop.secrets";
const OBJECTS: &str = "/org/freedesktop/secrets";
/// A bus that is not there is looked for again this often.
const RETRY: Duration = Duration::from_secs(30);
/// Signals that are not taken yet. More of them say nothing more.
const QUEUE: usize = 16;

/// Changes with every signal of the Secret Service, until the receiver is dropped.
///
/// # Panics
/// Outside a tokio runtime.
pub(super) fn changes() -> Option<watch::Receiver<()>> {
    let (sender, receiver) = watch::channel(());
    tokio::spawn(async move {
        tokio::select! {
            () = sender.closed() => {}
            () = listen(&sender) => {}
        }
    });
    Some(receiver)
}

async fn listen(sender: &watch::Sender<()>) {
    loop {
        match signals().await {
            Ok([mut signals, mut owners]) => {
                // What changed before the subscription was not heard.
                sender.send_replace(());
                // Both end with the connection.
                while let Some(Ok(_)) = tokio::select! {
                    signal = signals.next() => signal,
                    owner = owners.next() => owner,
                } {
                    sender.send_replace(());
                }
            }
            Err(error) => tracing::debug!(%error, "no signals of the keychain"),
        }
        sleep(RETRY).await;
    }
}

/// What the service says of its collections and items, and that another program provides it.
async fn signals() -> zbus::Result<[MessageStream; 2]> {
    let bus = Connection::session().await?;
    // The sender, so that the bus passes on what the service itself says and nothing else.
    let signals = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender(SERVICE)?
        .path_namespace(OBJECTS)?
        .build();
    let owners = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender("org.freedesktop.DBus")?
        .member("NameOwnerChanged")?
        .add_arg(SERVICE)?
        .build();
    let signals = MessageStream::for_match_rule(signals, &bus, Some(QUEUE)).await?;
    let owners = MessageStream::for_match_rule(owners, &bus, Some(QUEUE)).await?;
    Ok([signals, owners])
}
