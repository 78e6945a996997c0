//! A lock as a name on the session bus (D-Bus Specification, "Message Bus Names"). The bus that
//! carries the Secret Service is the same for every process that reads the keychain, whatever its
//! environment variables, home folder or sandbox say, and it takes the name away when a process
//! ends. The name is below the app's own id, which Flatpak lets an app own without being asked.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::{Mutex, OwnedMutexGuard};
use zbus::fdo::{RequestNameFlags, RequestNameReply};
use zbus::message::Flags;
use zbus::{Connection, Message};

use super::LockError;

const BUS: &str = "org.freedesktop.DBus";
const PATH: &str = "/org/freedesktop/DBus";
const ACCESS_DENIED: &str = "org.freedesktop.DBus.Error.AccessDenied";

/// The name, and the one connection of this process that asks for it.
#[derive(Clone, Debug)]
pub(super) struct Name {
    name: Arc<str>,
    /// Locked by whoever owns the name or asks for it: the bus tells connections apart, not tasks.
    pub(super) connection: Arc<Mutex<Option<Connection>>>,
}

impl Name {
    pub(super) fn of(service: &str) -> Self {
        Self { name: format!("{service}.Sessions").into(), connection: Arc::default() }
    }

    pub(super) fn owner(&self, connection: OwnedMutexGuard<Option<Connection>>) -> Owner {
        Owner { name: self.name.clone(), connection }
    }
}

/// Owns the name, or asks for it. Dropping it releases the name, also when a request that was
/// given up is granted later: messages of one connection keep their order.
#[derive(Debug)]
pub(super) struct Owner {
    name: Arc<str>,
    connection: OwnedMutexGuard<Option<Connection>>,
}

impl Owner {
    /// Asks once. False if another process owns the name.
    pub(super) async fn request(&mut self) -> Result<bool, LockError> {
        if let Some(connection) = self.connection.clone() {
            match ask(connection, &self.name).await {
                // The bus may be another one by now.
                Err(LockError::Absent) => *self.connection = None,
                answer => return answer,
            }
        }
        let connection = Connection::session().await.map_err(|error| of_bus(&error))?;
        *self.connection = Some(connection.clone());
        ask(connection, &self.name).await
    }
}

async fn ask(connection: Connection, name: &str) -> Result<bool, LockError> {
    let body = (name, RequestNameFlags::DoNotQueue as u32);
    let reply = connection.call_method(Some(BUS), PATH, Some(BUS), "RequestName", &body).await;
    let reply = reply.and_then(|reply| reply.body().deserialize::<RequestNameReply>());
    match reply.map_err(|error| of_bus(&error))? {
        RequestNameReply::PrimaryOwner | RequestNameReply::AlreadyOwner => Ok(true),
        RequestNameReply::Exists | RequestNameReply::InQueue => Ok(false),
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let released = self.connection.as_ref().is_some_and(|c| release(c, &self.name));
        if !released {
            // The name ends with the connection.
            *self.connection = None;
        }
    }
}

/// Sends the release without waiting for its answer: dropping cannot wait. The next request of
/// this process goes over the same connection, and so reaches the bus after it. False if the
/// message could not be sent at once.
fn release(connection: &Connection, name: &str) -> bool {
    let message = Message::method_call(PATH, "ReleaseName")
        .and_then(|message| message.destination(BUS))
        .and_then(|message| message.interface(BUS))
        .and_then(|message| message.with_flags(Flags::NoReplyExpected))
        .and_then(|message| message.build(&name));
    let Ok(message) = message else { return false };
    let sending = pin!(connection.send(&message));
    matches!(sending.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())))
}

fn of_bus(error: &zbus::Error) -> LockError {
    match error {
        zbus::Error::MethodError(name, ..) if name.as_str() == ACCESS_DENIED => LockError::Refused,
        cause => {
            tracing::debug!(%cause, "no lock on the session bus");
            LockError::Absent
        }
    }
}
