//! Rotation that survives a lost answer: which presentation of a refresh token rotates, repeats, is
//! refused or ends the family. A pure rule over one row; no timer. RFC 9700 §4.14, FAPI 2.0 on lost
//! refresh answers.
//!
//! A family has one current generation and remembers its immediate parent only. Presenting the
//! current one always rotates, so a parent whose child was presented is, by arithmetic, older than
//! the parent.

use super::{EndedBecause, Lifetimes, Thumbprint, Timestamp};

/// The row of a family, as far as the rule needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The generation that rotates.
    pub generation: u32,
    /// The device key that it is bound to.
    pub jkt: Thumbprint,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When a token of it was last accepted.
    pub used_at: Timestamp,
    /// Why it was ended before its time, if it was.
    pub ended: Option<EndedBecause>,
}

/// A refresh token that has passed its MAC, as far as the rule needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Its generation.
    pub generation: u32,
    /// The device key that signed the proof beside it.
    pub jkt: Thumbprint,
}

/// Why a refresh is refused. Each is `invalid_grant` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRefusal {
    /// Not a token of ours: malformed or a wrong MAC. Nothing was looked up.
    Forged,
    /// No such family (any more).
    Unknown,
    /// Another client than the one that it was issued to.
    WrongClient,
    /// Another device key. The family lives on.
    WrongDeviceKey,
    /// The family was ended before.
    Ended(EndedBecause),
    /// Idle or absolute lifetime is over.
    Expired,
    /// Older than the parent, or a parent whose child was presented. The family is dead now.
    Replayed,
}

/// What to do with a presented token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the current one: make its child current.
    Rotate,
    /// It is the parent of a child that was never presented: answer with the same child.
    Repeat,
    /// Refuse; nothing changes.
    Refuse(RefreshRefusal),
    /// Refuse, and end the family.
    End,
}

impl Family {
    /// First instant at which the family is over if it is not refreshed before.
    pub fn deadline(&self, lifetimes: &Lifetimes) -> Timestamp {
        lifetimes.session_deadline(self.created_at, self.used_at)
    }

    /// The rule of rotation.
    pub fn judge(&self, presented: Presented, lifetimes: &Lifetimes, now: Timestamp) -> Verdict {
        // The key comes first: a stolen token without the key must not be able to end anything.
        if presented.jkt != self.jkt {
            return Verdict::Refuse(RefreshRefusal::WrongDeviceKey);
        }
        if let Some(because) = self.ended {
            return Verdict::Refuse(RefreshRefusal::Ended(because));
        }
        if now.has_reached(self.deadline(lifetimes)) {
            return Verdict::Refuse(RefreshRefusal::Expired);
        }
        match self.generation.checked_sub(presented.generation) {
            Some(0) => Verdict::Rotate,
            Some(1) => Verdict::Repeat,
            Some(_) => Verdict::End,
            // Issued by us, yet from a future that this database does not know: it was restored
            // from a copy.
            None => Verdict::Refuse(RefreshRefusal::Unknown),
        }
    }
}
