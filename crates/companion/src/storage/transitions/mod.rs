//! The rules of storage, once for every engine: "these rows, this request, this time → this answer,
//! these writes". Nothing here waits, locks or knows a database. An engine reads the rows that a
//! transition asks for (`rows`), holds them against other writers until its commit, and writes what
//! the [`Decision`] says, in its order.

mod attempts;
mod audit;
mod clock;
mod codes;
mod events;
mod grants;
mod retention;
mod rotation;
mod rows;
mod sessions;
mod users;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(super) use audit::{AuditEntry, AuditPlace};
pub(super) use clock::judge_clock;
pub(super) use events::{EventRows, MatchKeys, PersonRow, SubjectChange, take_event};
pub(super) use grants::{cancel_one, fail};
pub(super) use retention::{FEED_HELD, MOST_PEOPLE, MOST_SUBJECTS, Over, Retention, SweepSchedule};
pub(super) use rows::{
    AttemptRows, BeginRows, EndRows, FamilyRow, FulfilRows, RedemptionRows, RotationRows,
    SessionRow, StageColumns, StoredGrant, UserRow, Write,
};
pub(super) use sessions::{alive, end_all, revoke};

use super::StorageError;
use crate::domain::{ClockPlausibility, Lifetimes, Limits, Random, SecretText};
use crate::keys::{Keys, Purpose, RefreshToken};

/// What the rules need beside rows, request and time; the same for every engine.
#[derive(Clone)]
pub struct StorageParts {
    /// Seals the client's state and the child of a refresh token.
    pub keys: Arc<Keys>,
    /// Draws ids, codes and tokens.
    pub random: Arc<dyn Random>,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// How many rows there may be.
    pub limits: Limits,
}

impl StorageParts {
    /// With the lifetimes and limits of the design.
    pub fn new(keys: Arc<Keys>, random: Arc<dyn Random>) -> Self {
        Self { keys, random, lifetimes: Lifetimes::default(), limits: Limits::default() }
    }

    /// A value that only the same key file opens; it is stored with the schema.
    pub(super) fn key_check(&self) -> String {
        self.keys.seal(Purpose::DatabaseCheck, "keyport", &*self.random)
    }

    /// Whether a database with this value belongs to this key file.
    pub(super) fn fits_key_check(&self, sealed: &str) -> bool {
        self.keys.open(Purpose::DatabaseCheck, sealed).is_ok()
    }
}

/// The rules, with the clock as it was judged when the database was opened.
pub(super) struct Rules {
    pub(super) parts: StorageParts,
    pub(super) clock: ClockPlausibility,
}

/// What a transition leads to.
#[derive(Debug)]
pub(super) struct Decision<T> {
    /// For the caller, after the commit.
    pub(super) answer: T,
    /// For the engine, in this order, in one commit.
    pub(super) writes: Vec<Write>,
}

/// A decision, or the reason why none can be taken: the rows make no sense, or the clock is in
/// doubt.
pub(super) type Decided<T> = Result<Decision<T>, StorageError>;

impl<T> Decision<T> {
    /// An answer that changes nothing.
    const fn only(answer: T) -> Self {
        Self { answer, writes: Vec::new() }
    }

    const fn with(answer: T, writes: Vec<Write>) -> Self {
        Self { answer, writes }
    }
}

impl Rules {
    /// Reads a refresh token as received; `None` if it is none of ours, and then nothing need be
    /// looked up.
    pub(super) fn read_token(&self, text: &SecretText) -> Option<RefreshToken> {
        self.keys().read_refresh_token(text).ok()
    }

    fn random(&self) -> &dyn Random {
        &*self.parts.random
    }

    fn keys(&self) -> &Keys {
        &self.parts.keys
    }

    pub(super) const fn lifetimes(&self) -> &Lifetimes {
        &self.parts.lifetimes
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.parts.limits
    }
}
