//! What can happen to a rotation, and what it asks for: plain data.

use std::time::Duration;

use super::{Access, KeptSession, RotationGoal, RotationId, RotationResult};
use crate::account::{AccountId, Stored, Tokens};
use crate::problem::Problem;
use crate::secret::RefreshToken;

/// Whose lock a rotation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockScope {
    /// The tasks of this process: the session is in its memory alone.
    Process,
    /// Every process that reads this keychain.
    Keychain,
}

/// Why a refresh gave no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshError {
    /// `invalid_grant`, RFC 6749 §5.2: the one answer that can end a session, with the problem that
    /// this is for the person ([`Problem::ends_session`]).
    GrantInvalid(Problem),
    /// The companion gave no tokens for another reason. Ends nothing.
    NotNow(Problem),
    /// The device key cannot be used, so the companion was not asked. Ends nothing.
    KeyMissing(Problem),
}

/// Everything that can happen to the rotations of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationEvent {
    /// A rotation begins; it has the id that [`Rotations::next_id`](super::Rotations::next_id)
    /// gave.
    Wanted {
        /// Whose session.
        account: AccountId,
        /// What for.
        goal: RotationGoal,
    },
    /// The pause is over.
    PauseEnded {
        /// Of this rotation.
        id: RotationId,
    },
    /// The lock is held, or why not.
    LockTaken {
        /// By this rotation.
        id: RotationId,
        /// Whether it is.
        result: Result<(), Problem>,
    },
    /// The item of the session was read under the lock.
    SessionRead {
        /// For this rotation.
        id: RotationId,
        /// `None` when there is no item, or one that cannot be read and was set aside.
        result: Result<Option<KeptSession>, Problem>,
    },
    /// The item of the access token was read.
    AccessRead {
        /// For this rotation.
        id: RotationId,
        /// Of the session that was read, with some life left.
        access: Option<Access>,
    },
    /// The companion answered, or did not.
    RefreshAnswered {
        /// For this rotation.
        id: RotationId,
        /// The child, or why there is none.
        result: Result<Tokens, RefreshError>,
        /// The thumbprint of the device key that signed, if the keychain holds it.
        key: Option<String>,
    },
    /// The child was written in its parent's place.
    ChildSaved {
        /// By this rotation.
        id: RotationId,
        /// False when the keychain did not say so: it may hold parent, child or neither.
        saved: bool,
    },
    /// The item of the session was removed.
    ItemRemoved {
        /// By this rotation.
        id: RotationId,
        /// False when it may still be there.
        removed: bool,
    },
    /// The task of the rotation has ended early.
    Abandoned {
        /// This rotation.
        id: RotationId,
    },
    /// A new session is held in memory.
    Held {
        /// The session.
        session: Box<KeptSession>,
        /// Its access token.
        access: Access,
    },
    /// A new session is on its way to the keychain; until that is answered, both may have one.
    SaveBegan {
        /// Whose.
        account: AccountId,
    },
    /// It is known again what the keychain holds.
    ItemSettled {
        /// Whose session.
        account: AccountId,
    },
    /// The session is over.
    Forgotten {
        /// Whose.
        account: AccountId,
    },
    /// An access token came from elsewhere: with a new session, or from the keychain.
    AccessLearned {
        /// Whose.
        account: AccountId,
        /// The token.
        access: Access,
    },
}

/// One thing to do for the rotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotationEffect {
    /// Wait; answer with [`RotationEvent::PauseEnded`].
    Pause {
        /// For this rotation.
        id: RotationId,
        /// How long.
        pause: Duration,
    },
    /// Take the lock and hold it; answer with [`RotationEvent::LockTaken`].
    TakeLock {
        /// For this rotation.
        id: RotationId,
        /// Whose session it is for.
        account: AccountId,
        /// Which one.
        scope: LockScope,
    },
    /// Release the lock if it is held.
    ReleaseLock {
        /// Of this rotation.
        id: RotationId,
    },
    /// Read the item of the session, and set it aside if it cannot be read; answer with
    /// [`RotationEvent::SessionRead`].
    ReadSession {
        /// For this rotation.
        id: RotationId,
        /// Whose.
        account: AccountId,
    },
    /// Read the kept access token; answer with [`RotationEvent::AccessRead`].
    ReadAccess {
        /// For this rotation.
        id: RotationId,
        /// The session that it must belong to.
        session: Box<KeptSession>,
    },
    /// Present the token; answer with [`RotationEvent::RefreshAnswered`].
    Refresh {
        /// For this rotation.
        id: RotationId,
        /// Its session.
        session: Box<KeptSession>,
        /// Where it is kept, which says which device key it is bound to.
        from: Stored,
    },
    /// Write the child in its parent's place; answer with [`RotationEvent::ChildSaved`].
    SaveChild {
        /// For this rotation.
        id: RotationId,
        /// The child.
        child: Box<KeptSession>,
    },
    /// Keep the access token beside the session that it came with.
    KeepAccess {
        /// The session, which the keychain holds.
        session: Box<KeptSession>,
        /// Its access token.
        access: Access,
    },
    /// Remove the item of the session; answer with [`RotationEvent::ItemRemoved`].
    RemoveItem {
        /// For this rotation.
        id: RotationId,
        /// Whose.
        account: AccountId,
    },
    /// Forget which device key the account's session in memory was bound to.
    ForgetKey {
        /// Whose.
        account: AccountId,
    },
    /// Remove kept access tokens whose session is gone.
    ForgetLostTokens {
        /// Whose session is known to be gone.
        account: AccountId,
    },
    /// Revoke a token that neither an item nor this memory holds.
    Revoke {
        /// The token.
        token: RefreshToken,
    },
    /// The rotation is over.
    Done {
        /// This rotation.
        id: RotationId,
        /// How it ended.
        result: RotationResult,
    },
}
