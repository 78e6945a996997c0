//! The client's attempts: what the device said, and what its grants say. Keyed on id and device key
//! together, so another key cannot see, finish or cancel the attempt.

use super::{AttemptRows, Decision, Rules, Write, audit, grants, sessions};
use crate::domain::{
    Attempt, AttemptKey, AttemptState, AuditEvent, AuditSubject, CancelledBy, EndedBecause, Grant,
    GrantStage, Outcome, Timestamp,
};

impl Rules {
    /// `grants`: those of the attempt, the newest first.
    pub(in crate::storage) fn attempt_state(
        &self,
        attempt: &Attempt,
        grants: Vec<Grant>,
        now: Timestamp,
    ) -> AttemptState {
        let as_of = |grant: Grant| grant.as_of(self.lifetimes(), now);
        let grants: Vec<Grant> = grants.into_iter().map(as_of).collect();
        AttemptState::of(attempt, &grants)
    }

    pub(in crate::storage) fn report(
        &self,
        rows: AttemptRows,
        key: AttemptKey,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Decision<()> {
        match rows.attempt.report(&rows.grants, outcome) {
            Some(attempt) => Decision::with((), vec![self.put(key, attempt, now)]),
            None => Decision::only(()),
        }
    }

    /// Leaves a mark even for an attempt that is not known yet: its upstream authorization may
    /// still come back from the provider.
    pub(in crate::storage) fn cancel_attempt(
        &self,
        rows: AttemptRows,
        key: AttemptKey,
        now: Timestamp,
    ) -> Decision<()> {
        let AttemptRows { attempt, grants, sessions } = rows;
        let Some(attempt) = attempt.cancel(now) else { return Decision::only(()) };
        let is_known = !grants.is_empty();
        let mut writes = Vec::new();
        for grant in grants {
            if let GrantStage::Exchanged { session, .. } = grant.stage {
                let given = sessions.iter().find(|row| row.session.id == session);
                let because = EndedBecause::AttemptCancelled;
                writes.extend(given.into_iter().flat_map(|row| sessions::end(row, because, now)));
            } else {
                let cancelled = grants::cancel(grant, CancelledBy::Client, now);
                writes.extend(cancelled.into_iter().flatten());
            }
        }
        writes.push(self.put(key, attempt, now));
        if is_known {
            let subject = AuditSubject { jkt: Some(key.jkt), ..AuditSubject::default() };
            writes.push(audit::entry(AuditEvent::AttemptCancelled, subject, now));
        }
        Decision::with((), writes)
    }

    fn put(&self, key: AttemptKey, attempt: Attempt, now: Timestamp) -> Write {
        Write::PutAttempt { key, attempt, sweep_at: now.plus(self.lifetimes().grant_retention) }
    }
}
