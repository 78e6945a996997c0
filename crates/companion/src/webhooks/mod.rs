//! The provider's events: as webhooks, and read from its list as the way to repair what was missed.
//! Both go through `take`.

mod feed;
pub mod receive;
mod signature;

pub use feed::{FeedError, FeedRead, follow_events, read_events};

use crate::app::App;
use crate::domain::Told;
use crate::storage::StorageError;
use crate::upstream::{Meaning, ReceivedEvent};

/// Does what an event says, and answers after the commit.
async fn take(app: &App, received: ReceivedEvent) -> Result<(), StorageError> {
    let ReceivedEvent { id, name, meaning } = received;
    let event = match meaning {
        Meaning::Event(event) => event,
        Meaning::Nothing => {
            tracing::debug!(event = id, kind = name, "an event that means nothing here");
            return Ok(());
        }
        Meaning::Unreadable => {
            tracing::error!(event = id, kind = name, "an event that counts cannot be read");
            return Ok(());
        }
    };
    let is_of_directory = event.told == Told::DirectoryDeleted;
    let taken = app.storage.take_event(event, app.now()).await?;
    match (taken.is_new, is_of_directory) {
        (false, _) => tracing::debug!(event = id, kind = name, "an event came again"),
        (true, true) => tracing::error!(
            event = id,
            "a directory was deleted at the provider: no session is ended by that. If its people \
             shall be signed out, revoke the sessions of their organization"
        ),
        (true, false) => {
            tracing::info!(event = id, kind = name, ended = taken.ended, "an event was taken");
        }
    }
    Ok(())
}
