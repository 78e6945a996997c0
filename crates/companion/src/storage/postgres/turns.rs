//! One connection for each row: operations that lock the same row wait for each other here, without
//! a connection, and not in the database with one each. Otherwise one caller that repeats itself
//! would take every connection of the pool, and all others would be answered 503. It costs no
//! order or speed: the lock of the row lets one operation through at a time in any case.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::{AttemptKey, FamilyId, GrantId, RequestId, SessionId};

/// What an operation locks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Row {
    Request(RequestId),
    Attempt(AttemptKey),
    Grant(GrantId),
    /// By the hash of its code.
    GrantOfCode([u8; 32]),
    Family(FamilyId),
    Session(SessionId),
    /// Sessions of a selector: many rows, so one such operation at a time.
    Selected,
    /// What is known of the provider's subjects, and the way through its list.
    Events,
    Feed,
}

/// The rows that operations of this instance want now.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<Row, Line>>);

#[derive(Default)]
struct Line {
    /// Operations that have or want the turn.
    operations: usize,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// A place in the line of a row; dropping it gives it up.
pub(super) struct Place<'a> {
    turns: &'a Turns,
    row: Row,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Turns {
    /// Takes a place in the line of this row.
    pub(super) fn place(&self, row: Row) -> Place<'_> {
        let mut lines = self.lines();
        let line = lines.entry(row).or_default();
        line.operations += 1;
        Place { turns: self, row, turn: Arc::clone(&line.turn) }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Row, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Waits for the turn and has it until the guard is dropped.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut lines = self.turns.lines();
        if let Some(line) = lines.get_mut(&self.row) {
            line.operations -= 1;
            if line.operations == 0 {
                lines.remove(&self.row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_row_has_one_turn_and_is_forgotten_after_the_last() {
        let turns = Turns::default();
        let [one, other] = [1, 2].map(|n| Row::Family(FamilyId::from_bytes([n; 16])));
        let (first, second, third) = (turns.place(one), turns.place(one), turns.place(other));
        let turn = first.turn().await;
        assert!(futures_util::poll!(Box::pin(second.turn())).is_pending());
        drop(third.turn().await);
        drop(turn);
        drop(second.turn().await);
        drop((first, second, third));
        assert!(turns.lines().is_empty());
    }
}
