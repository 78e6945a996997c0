//! What every transaction asks together with its first question, in the same packet: whether the
//! tables are still those that belong to our key file, and whether our clock agrees with that of
//! the database, which is the one clock that all instances share. The answer locks the table
//! against being dropped until the commit, so that rows which are missing are missing from our
//! tables, and not from those that were made in their place.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::GenericClient;

use super::failure::Done;
use super::statement::one;
use crate::domain::Timestamp;
use crate::storage::{StorageError, StorageParts};

const ASK: &str = "SELECT key_check, extract(epoch FROM clock_timestamp())::bigint FROM binding";

/// What does not fit; nothing is decided while it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Misfit {
    /// The tables were emptied, or made anew with another key file.
    Tables,
    /// The clocks differ by more than is allowed.
    Clock,
}

impl Misfit {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Tables => {
                "the tables of the database were made anew with another key file: nothing is read \
                 or written. Restore the database, or restart this instance with the other key file"
            }
            Self::Clock => {
                "the clock of this machine does not agree with the clock of the database: nothing \
                 is read or written until it does"
            }
        }
    }
}

/// See the module.
pub(super) struct Guard {
    /// The value of the tables that were found to be ours.
    ours: Mutex<String>,
    /// What was told last, so that it is told once.
    told: Mutex<Option<Misfit>>,
    /// How far the clocks may differ.
    most: Duration,
}

impl Guard {
    pub(super) fn new(ours: String, most: Duration) -> Self {
        Self { ours: Mutex::new(ours), told: Mutex::new(None), most }
    }

    /// Asks.
    ///
    /// # Errors
    /// [`StorageError::Unfit`], and the failures of a question.
    pub(super) async fn ask(
        &self,
        db: &impl GenericClient,
        parts: &StorageParts,
        now: Timestamp,
    ) -> Done<()> {
        let (misfit, difference) = match one(db, ASK, &[]).await? {
            None => (Some(Misfit::Tables), 0),
            Some(row) => {
                let (key_check, there): (&str, Timestamp) = (row.try_get(0)?, row.try_get(1)?);
                let difference = now.seconds().saturating_sub(there.seconds());
                let misfit = match (self.is_ours(key_check, parts), agree(now, there, self.most)) {
                    (false, _) => Some(Misfit::Tables),
                    (true, false) => Some(Misfit::Clock),
                    (true, true) => None,
                };
                (misfit, difference)
            }
        };
        self.tell(misfit, difference);
        misfit.map_or(Ok(()), |misfit| Err(StorageError::Unfit(misfit.sentence()).into()))
    }

    /// Tables that were made anew with our key file are ours too.
    fn is_ours(&self, key_check: &str, parts: &StorageParts) -> bool {
        let mut ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner);
        if *ours == key_check {
            return true;
        }
        let fits = parts.fits_key_check(key_check);
        if fits {
            key_check.clone_into(&mut ours);
        }
        fits
    }

    fn tell(&self, misfit: Option<Misfit>, difference_seconds: i64) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if *told == misfit {
            return;
        }
        *told = misfit;
        match misfit {
            Some(Misfit::Clock) => {
                tracing::error!(difference_seconds, "{}", Misfit::Clock.sentence());
            }
            Some(Misfit::Tables) => tracing::error!("{}", Misfit::Tables.sentence()),
            None => tracing::info!("the database fits this instance again"),
        }
    }
}

/// Whether the two clocks are close enough to each other.
pub(super) fn agree(here: Timestamp, there: Timestamp, most: Duration) -> bool {
    here.seconds().abs_diff(there.seconds()) <= most.as_secs()
}
