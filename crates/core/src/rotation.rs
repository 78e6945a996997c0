//! Rotation of refresh tokens (RFC 9700 §4.14.2), sans-IO: what this process knows of each
//! account's session beside the keychain, and every decision of a rotation. One rotation runs under
//! a lock; it reads the keychain again, presents one token, and saves the child before the child is
//! used. The companion gives the same child for the same parent until the child is presented
//! (`docs/protocol.md` "Token"). Takes no lock and sends nothing: the shell runs the effects.

mod decisions;
mod effects;
mod memory;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::account::{Account, AccountId, Stored};
use crate::moment::Moment;
use crate::problem::Problem;
use crate::secret::{AccessToken, RefreshToken};

pub use effects::{LockScope, RefreshError, RotationEffect, RotationEvent};
use memory::AccountMemory;

/// An access token with less than this left is not handed out, and a session is refreshed this long
/// before.
pub const REFRESH_MARGIN: Duration = Duration::from_secs(30);
/// The pauses before the first, second and third try.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(250), Duration::from_secs(1)];
/// No further try begins after this long: a companion that does not answer is reported.
const LAST_TRY: Duration = Duration::from_secs(8);

/// When a session or token with this deadline is renewed.
#[must_use]
pub fn refresh_at(deadline: Moment) -> Moment {
    deadline.before(REFRESH_MARGIN)
}

/// One session as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSession {
    /// Whose it is.
    pub account: Account,
    /// Its newest token that is known here.
    pub refresh: RefreshToken,
    /// When the access token that came with this refresh token stops working.
    pub fresh_until: Moment,
    /// The thumbprint of the device key that it is bound to (RFC 7638).
    pub key: Option<String>,
    /// The companion's name of the session, if it was said.
    pub session: Option<String>,
}

/// An access token and when it stops working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Bound to the device key.
    pub token: AccessToken,
    /// When it stops working.
    pub deadline: Moment,
}

/// What a rotation is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationGoal {
    /// An access token with some life left, whichever process renewed the session.
    AccessToken,
    /// A rotation, unless the keychain holds another token than this one under the lock: then
    /// another process was faster.
    Rotation {
        /// The token in the keychain before the lock was taken.
        known: Option<RefreshToken>,
    },
}

/// How a rotation ended: when the new access token stops working and where the session is kept, or
/// why not. The session is over if the problem [ends it](Problem::ends_session); no other does.
pub type RotationResult = Result<(Moment, Stored), Problem>;

/// Names one rotation under way.
pub type RotationId = u64;

/// One rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rotation {
    account: AccountId,
    goal: RotationGoal,
    /// Tries that have begun.
    tries: usize,
    last_try: Moment,
    step: RotationStep,
}

/// What a rotation waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RotationStep {
    Pause,
    Lock(LockScope),
    /// An item that may be older than the session in memory is being removed.
    StaleItemRemoved,
    Session,
    Access(KeptSession),
    Refresh {
        presented: KeptSession,
        from: Stored,
    },
    Save {
        parent: RefreshToken,
        child: KeptSession,
        access: Access,
    },
    /// The companion refused this token: whether it is the current one is read again.
    SessionAfterRefusal {
        presented: KeptSession,
        from: Stored,
        why: Problem,
    },
    EndedItemRemoved {
        why: Problem,
    },
}

/// Every rotation of one client, and what this process alone knows of the sessions. Gone when it
/// ends, and wiped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotations {
    issuer: String,
    accounts: BTreeMap<AccountId, AccountMemory>,
    under_way: BTreeMap<RotationId, Rotation>,
    next: RotationId,
}

type Step = (Rotations, Vec<RotationEffect>);

impl Rotations {
    /// For the sessions of the companion with this issuer; nothing is known yet.
    #[must_use]
    pub fn of(issuer: String) -> Self {
        Self { issuer, accounts: BTreeMap::new(), under_way: BTreeMap::new(), next: 0 }
    }

    /// The id of the rotation that the next [`RotationEvent::Wanted`] begins.
    #[must_use]
    pub const fn next_id(&self) -> RotationId {
        self.next
    }

    /// Takes one event at `now`. Total: an event that does not belong changes nothing.
    #[must_use]
    pub fn step(mut self, event: RotationEvent, now: Moment) -> Step {
        use RotationEvent as E;
        match event {
            E::Wanted { account, goal } => return self.wanted(account, goal, now),
            E::Held { session, access } => return self.held_in_memory(*session, access),
            E::SaveBegan { account } => return self.save_began(&account),
            E::ItemSettled { account } => {
                self.memory(&account).may_be_kept_too = false;
            }
            E::Forgotten { account } => {
                self.memory(&account).forget();
            }
            E::AccessLearned { account, access } => {
                self.memory(&account).access = Some(access);
            }
            E::Abandoned { id } => {
                self.under_way.remove(&id);
            }
            E::PauseEnded { id }
            | E::LockTaken { id, .. }
            | E::SessionRead { id, .. }
            | E::AccessRead { id, .. }
            | E::RefreshAnswered { id, .. }
            | E::ChildSaved { id, .. }
            | E::ItemRemoved { id, .. } => return self.answered(id, event, now),
        }
        (self, Vec::new())
    }

    /// What a rotation waited for has come.
    fn answered(mut self, id: RotationId, event: RotationEvent, now: Moment) -> Step {
        use RotationEvent as E;
        let Some(rotation) = self.under_way.remove(&id) else {
            return (self, Vec::new());
        };
        let Rotation { step, .. } = &rotation;
        match (step.clone(), event) {
            (RotationStep::Pause, E::PauseEnded { .. }) => self.take_lock(id, rotation),
            (RotationStep::Lock(scope), E::LockTaken { result: Ok(()), .. }) => {
                self.lock_taken(id, rotation, scope)
            }
            (RotationStep::Lock(_), E::LockTaken { result: Err(problem), .. }) => {
                self.finish(id, Err(problem))
            }
            (RotationStep::StaleItemRemoved, E::ItemRemoved { removed, .. }) => {
                let memory = self.memory(&rotation.account);
                memory.may_be_kept_too &= !removed;
                self.rotate_held(id, rotation)
            }
            (RotationStep::Session, E::SessionRead { result, .. }) => match result {
                Ok(session) => self.session_read(id, rotation, session, now),
                Err(problem) => self.finish(id, Err(problem)),
            },
            (RotationStep::Access(session), E::AccessRead { access, .. }) => match access {
                Some(access) => {
                    self.memory(&rotation.account).access = Some(access);
                    self.finish(id, Ok((session.fresh_until, Stored::Keychain)))
                }
                None => self.refresh(id, rotation, session, Stored::Keychain),
            },
            (RotationStep::Refresh { presented, from }, E::RefreshAnswered { result, key, .. }) => {
                self.refresh_answered(id, rotation, (presented, from), (result, key), now)
            }
            (RotationStep::Save { parent, child, access }, E::ChildSaved { saved, .. }) => {
                self.child_saved(id, rotation, (parent, child, access), saved, now)
            }
            (
                RotationStep::SessionAfterRefusal { presented, from, why },
                E::SessionRead { result, .. },
            ) => self.read_after_refusal(id, rotation, (presented, from, why), result, now),
            (RotationStep::EndedItemRemoved { why }, E::ItemRemoved { .. }) => {
                self.ended_item_removed(id, rotation, why, now)
            }
            _ => {
                self.under_way.insert(id, rotation);
                (self, Vec::new())
            }
        }
    }

    fn wanted(mut self, account: AccountId, goal: RotationGoal, now: Moment) -> Step {
        let (id, last_try) = (self.next, now.after(LAST_TRY));
        self.next = self.next.wrapping_add(1);
        let rotation = Rotation { account, goal, tries: 1, last_try, step: RotationStep::Pause };
        self.take_lock(id, rotation)
    }
}
