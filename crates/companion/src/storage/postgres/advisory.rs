//! The advisory locks of the service. PostgreSQL keeps them by number and not by name, so each kind
//! has a space of its own (the first of two numbers): an id that a caller chooses is never the lock
//! of something else. Statements that take one stand here and nowhere else.

use deadpool_postgres::GenericClient;
use sha2::{Digest as _, Sha256};

use super::failure::Done;
use super::statement::one;
use crate::domain::{AttemptKey, RequestId};

/// What is held until the end of the transaction.
#[derive(Clone, Copy, Debug)]
pub(super) enum AdvisoryLock {
    /// Bringing the schema up to date.
    Schema,
    /// Deleting what is over.
    Sweep,
    /// Taking an event of the provider; shared by those who finish a sign-in.
    Events,
    /// The grants of a pushed request, known or not.
    Request(RequestId),
    /// An attempt of one device key, known or not.
    Attempt(AttemptKey),
}

impl AdvisoryLock {
    /// Waits for it.
    pub(super) async fn hold(self, db: &impl GenericClient) -> Done<()> {
        let (kind, number) = self.numbers();
        one(db, "SELECT pg_advisory_xact_lock($1, $2)", &[&kind, &number]).await.map(drop)
    }

    /// Waits for those who hold it alone, and not for those who share it.
    pub(super) async fn share(self, db: &impl GenericClient) -> Done<()> {
        let (kind, number) = self.numbers();
        let sql = "SELECT pg_advisory_xact_lock_shared($1, $2)";
        one(db, sql, &[&kind, &number]).await.map(drop)
    }

    /// False if another transaction holds it.
    pub(super) async fn try_hold(self, db: &impl GenericClient) -> Done<bool> {
        let (kind, number) = self.numbers();
        let row = one(db, "SELECT pg_try_advisory_xact_lock($1, $2)", &[&kind, &number]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(false))
    }

    /// Two ids of one kind may share a number: then one waits for the other, and no more. An
    /// attempt is hashed with its device key: to share another's, one would have to know both.
    fn numbers(self) -> (i32, i32) {
        match self {
            Self::Schema => (i32::from_be_bytes(*b"KPsc"), 0),
            Self::Sweep => (i32::from_be_bytes(*b"KPsw"), 0),
            Self::Events => (i32::from_be_bytes(*b"KPev"), 0),
            Self::Request(id) => (i32::from_be_bytes(*b"KPrq"), number_of(id.as_bytes(), &[])),
            Self::Attempt(AttemptKey { attempt, jkt }) => {
                (i32::from_be_bytes(*b"KPat"), number_of(attempt.as_bytes(), jkt.as_bytes()))
            }
        }
    }
}

fn number_of(id: &[u8], of: &[u8]) -> i32 {
    let [a, b, c, d, ..] =
        <[u8; 32]>::from(Sha256::new().chain_update(id).chain_update(of).finalize());
    i32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AttemptId, Thumbprint};

    #[test]
    fn each_kind_of_lock_has_a_space_of_its_own() {
        let attempt = |first| {
            AdvisoryLock::Attempt(AttemptKey {
                attempt: AttemptId::from_bytes([first; 16]),
                jkt: Thumbprint::from_bytes([1; 32]),
            })
        };
        let request = AdvisoryLock::Request(RequestId::from_bytes([0; 16]));
        let locks =
            [AdvisoryLock::Schema, AdvisoryLock::Sweep, AdvisoryLock::Events, request, attempt(0)];
        let mut kinds = locks.map(|lock| lock.numbers().0);
        kinds.sort_unstable();
        assert!(kinds.windows(2).all(|two| two[0] != two[1]), "{kinds:?}");
        assert_ne!(attempt(0).numbers(), attempt(1).numbers());
    }
}
