//! What may be set of the SQLite engine.

use std::time::Duration;

/// What may be set. The defaults are those of the design.
#[derive(Clone, Copy, Debug)]
pub struct SqliteSettings {
    /// The longest wait for another program's lock on the file: 2 s.
    pub busy_timeout: Duration,
    /// How many calls may queue for the writer, and as many for the readers; one more is answered
    /// [`StorageError::Unavailable`](crate::storage::StorageError::Unavailable) at once: 4,096.
    pub queue: usize,
    /// How many threads read: 4.
    pub readers: usize,
    /// How many calls share one commit at most.
    pub group: usize,
}

impl Default for SqliteSettings {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(2), queue: 4096, readers: 4, group: 256 }
    }
}
