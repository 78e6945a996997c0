//! What the keychain did not take when it was asked: sign-outs, and attempts that are over and
//! still kept. This process remembers it and does it when the keychain is next read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use keyport_core::{AccountId, AttemptId, Moment};

use super::Sessions;
use super::lock::SessionLock;
use crate::keychain::KeychainError;

/// Gone when the process ends.
#[derive(Default)]
pub(super) struct Unfinished(Mutex<Left>);

#[derive(Clone, Default)]
pub(crate) struct Left {
    /// When each sign-out was asked for.
    pub sign_outs: BTreeMap<AccountId, Moment>,
    /// There is one item for them, so one of them at most is kept.
    pub attempts: BTreeSet<AttemptId>,
}

impl Unfinished {
    pub(super) fn left(&self) -> MutexGuard<'_, Left> {
        // Every change is one insertion or removal.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is left of an earlier sign-out, or nothing more is to be done for it.
    pub(super) fn sign_out_is_over(&self, account: &AccountId) {
        self.left().sign_outs.remove(account);
    }
}

impl Sessions {
    /// Does what is left, once and as far as the keychain and its lock can be had now. Gives what
    /// is still left.
    pub(crate) async fn finish(&self) -> Left {
        let unfinished = &self.shared.unfinished;
        let left = unfinished.left().clone();
        if left.sign_outs.is_empty() && left.attempts.is_empty() {
            return left;
        }
        if let Ok(lock) = self.locks.take_if_free().await {
            for (account, asked) in &left.sign_outs {
                self.finish_sign_out(&lock, account, *asked).await;
            }
            for attempt in &left.attempts {
                if self.shared.items.forget_attempt(&lock, attempt).await.is_ok() {
                    unfinished.left().attempts.remove(attempt);
                }
            }
        }
        let left = unfinished.left();
        left.clone()
    }

    /// A session that another program has begun since is not the one that was to end. One that the
    /// keychain does not give up is listed again: the person has heard of it.
    async fn finish_sign_out(&self, lock: &SessionLock, account: &AccountId, asked: Moment) {
        let unfinished = &self.shared.unfinished;
        let kept = match self.shared.items.session(account).await {
            Ok(Some(kept)) if kept.account.signed_in_at > asked => {
                return unfinished.sign_out_is_over(account);
            }
            Ok(kept) => kept,
            Err(KeychainError::Corrupt | KeychainError::Newer) => {
                return unfinished.sign_out_is_over(account);
            }
            Err(_) => return,
        };
        match self.take_out(lock, account).await {
            Ok(()) => {
                tracing::info!("an earlier sign-out is finished");
                kept.into_iter().for_each(|kept| self.shared.companion.abandon(kept.refresh));
            }
            Err(problem) => {
                tracing::warn!(problem = problem.code(), "a sign-out could not be finished");
                unfinished.sign_out_is_over(account);
            }
        }
    }
}
