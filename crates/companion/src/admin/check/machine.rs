//! What is looked at on this machine: the key file and the database.

use std::path::Path;

use super::CheckLine;
use crate::domain::{ClockDoubt, Timestamp};
use crate::storage::Storage;

pub(super) fn key_file(path: &Path) -> CheckLine {
    let name = path.display();
    match std::fs::metadata(path) {
        Ok(metadata) => match open_to_others(&metadata) {
            None => CheckLine::ok("key file", format!("{name} is for its owner alone")),
            Some(mode) => CheckLine::wrong(
                "key file",
                format!("others may read {name} (mode {mode:o}): run chmod 600 on it"),
            ),
        },
        Err(error) => CheckLine::wrong(
            "key file",
            format!(
                "{name} cannot be looked at ({}): restore it from a copy, the next start needs it",
                error.kind()
            ),
        ),
    }
}

#[cfg(unix)]
fn open_to_others(metadata: &std::fs::Metadata) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &std::fs::Metadata) -> Option<u32> {
    None
}

pub(super) async fn database(storage: &dyn Storage, now: Timestamp) -> CheckLine {
    let ready = storage.ready(now).await.and_then(|()| storage.check_files());
    match (ready, storage.clock_doubt(now)) {
        (Err(error), _) => CheckLine::wrong("database", format!("{error}: see docs/operations.md")),
        (Ok(()), Some(ClockDoubt::Behind)) => CheckLine::wrong(
            "database",
            "the clock of this machine is behind the latest time in it: set it by NTP",
        ),
        (Ok(()), Some(ClockDoubt::Ahead)) => CheckLine::not_knowable(
            "database",
            "the clock of this machine is more than 7 days ahead of the latest time in it, which \
             is right if no service ran for that long",
        ),
        (Ok(()), None) => CheckLine::ok("database", "it takes writes, and its schema is current"),
    }
}
