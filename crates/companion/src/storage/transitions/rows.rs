//! What engines read for a transition, and what they write after it.

use std::net::IpAddr;

use super::audit::AuditEntry;
use crate::domain::{
    Attempt, AttemptKey, CancelledBy, ConfirmationNumber, EndedBecause, Family, FamilyId, Grant,
    GrantId, GrantStage, ProblemCode, Session, SessionId, Thumbprint, Timestamp, UpstreamIdentity,
    UpstreamSubject, User, UserId,
};

/// A grant, and the client's state that is kept sealed beside it until the code is minted.
#[derive(Debug)]
pub(in crate::storage) struct StoredGrant {
    pub(in crate::storage) grant: Grant,
    pub(in crate::storage) sealed_state: Option<String>,
}

/// For the start of an exchange.
#[derive(Debug, Default)]
pub(in crate::storage) struct BeginRows {
    /// The grant of the same upstream authorization.
    pub(in crate::storage) same: Option<GrantId>,
    /// The fulfilled grant of the same request.
    pub(in crate::storage) winner: Option<GrantId>,
    pub(in crate::storage) attempt: Attempt,
    /// Grants of the request, counted up to the limit.
    pub(in crate::storage) of_request: usize,
    /// Grants of the attempt, counted up to the limit.
    pub(in crate::storage) of_attempt: usize,
}

/// For the provider's answer to an exchange.
#[derive(Debug)]
pub(in crate::storage) struct FulfilRows {
    pub(in crate::storage) grant: Grant,
    /// The fulfilled grant of the same request.
    pub(in crate::storage) winner: Option<GrantId>,
    /// The user of the identity, if there is one.
    pub(in crate::storage) user: Option<User>,
    /// What the provider told of all that concern the person.
    pub(in crate::storage) subjects: Vec<UpstreamSubject>,
    /// When the device key signed this user in last.
    pub(in crate::storage) key_seen: Option<Timestamp>,
}

/// A session, alive or not.
#[derive(Clone, Debug)]
pub(in crate::storage) struct SessionRow {
    pub(in crate::storage) session: Session,
    pub(in crate::storage) created_at: Timestamp,
    /// Why it was ended before its time, if it was.
    pub(in crate::storage) ended: Option<EndedBecause>,
    /// Whether its device key is one of its user's known keys.
    pub(in crate::storage) key_is_known: bool,
}

/// For a code that was presented.
#[derive(Debug)]
pub(in crate::storage) struct RedemptionRows {
    pub(in crate::storage) grant: Grant,
    /// Who signed in.
    pub(in crate::storage) user: Option<User>,
    /// The session that ends when another begins: of the same user, client and device key, and not
    /// ended.
    pub(in crate::storage) older: Option<SessionRow>,
    /// The session that the code has given.
    pub(in crate::storage) issued: Option<SessionRow>,
}

/// A family of refresh tokens: one row, so there is never a second live child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::storage) struct FamilyRow {
    pub(in crate::storage) id: FamilyId,
    pub(in crate::storage) generation: u32,
    /// Of the current token.
    pub(in crate::storage) token_hash: [u8; 32],
    /// The secret of the current token, sealed under its parent.
    pub(in crate::storage) sealed_child: Option<Vec<u8>>,
    pub(in crate::storage) used_at: Timestamp,
}

/// For a refresh token that was presented.
#[derive(Debug)]
pub(in crate::storage) struct RotationRows {
    pub(in crate::storage) family: FamilyRow,
    pub(in crate::storage) session: SessionRow,
}

impl RotationRows {
    /// The family as the rule of rotation sees it.
    pub(in crate::storage) const fn family(&self) -> Family {
        Family {
            generation: self.family.generation,
            jkt: self.session.session.jkt,
            created_at: self.session.created_at,
            used_at: self.family.used_at,
            ended: self.session.ended,
        }
    }
}

/// For what concerns an attempt as a whole.
#[derive(Debug, Default)]
pub(in crate::storage) struct AttemptRows {
    pub(in crate::storage) attempt: Attempt,
    /// Its grants, the newest first; no more than the limit.
    pub(in crate::storage) grants: Vec<Grant>,
    /// The sessions that these have given, in any order.
    pub(in crate::storage) sessions: Vec<SessionRow>,
}

/// What ends together: some of the sessions that a selector means, and grants of the same users or
/// device key that could still become sessions. Each no more than [`Self::MOST`].
#[derive(Debug, Default)]
pub(in crate::storage) struct EndRows {
    pub(in crate::storage) sessions: Vec<SessionRow>,
    pub(in crate::storage) grants: Vec<Grant>,
}

impl EndRows {
    /// How many rows of each kind are ended in one transaction. Each costs a few statements, and a
    /// slow server must not be given more of them than it does in time.
    pub(in crate::storage) const MOST: usize = 64;
}

/// A user with everything that is stored.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::storage) struct UserRow {
    pub(in crate::storage) user: User,
    pub(in crate::storage) identity: UpstreamIdentity,
    /// Names, role, groups and custom attributes, as JSON.
    pub(in crate::storage) attributes: String,
    pub(in crate::storage) updated_at: Timestamp,
}

/// A stage as columns; what a stage does not have is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::storage) struct StageColumns {
    pub(in crate::storage) stage: String,
    pub(in crate::storage) user: Option<UserId>,
    pub(in crate::storage) device_known: Option<bool>,
    pub(in crate::storage) number: Option<ConfirmationNumber>,
    pub(in crate::storage) confirmed: Option<bool>,
    pub(in crate::storage) code_deadline: Option<Timestamp>,
    pub(in crate::storage) session: Option<SessionId>,
    pub(in crate::storage) problem: Option<ProblemCode>,
    pub(in crate::storage) cancelled_by: Option<CancelledBy>,
}

impl From<&GrantStage> for StageColumns {
    fn from(stage: &GrantStage) -> Self {
        let (user, none) = (stage.user(), Self::default());
        match stage {
            GrantStage::Pending => Self { stage: "pending".into(), ..none },
            GrantStage::Fulfilled { device_known, number, confirmed, .. } => Self {
                stage: "fulfilled".into(),
                user,
                device_known: Some(*device_known),
                number: Some(*number),
                confirmed: Some(*confirmed),
                ..none
            },
            GrantStage::Minted { deadline, .. } => {
                Self { stage: "minted".into(), user, code_deadline: Some(*deadline), ..none }
            }
            GrantStage::Exchanged { session, .. } => {
                Self { stage: "exchanged".into(), user, session: Some(*session), ..none }
            }
            GrantStage::Failed { problem } => {
                Self { stage: "failed".into(), problem: Some(problem.clone()), ..none }
            }
            GrantStage::Cancelled { by } => {
                Self { stage: "cancelled".into(), cancelled_by: Some(*by), ..none }
            }
        }
    }
}

impl StageColumns {
    /// The stage; `None` if the columns make none, which is damage.
    pub(in crate::storage) fn stage(self) -> Option<GrantStage> {
        let (user, session) = (self.user, self.session);
        Some(match self.stage.as_str() {
            "pending" => GrantStage::Pending,
            "fulfilled" => GrantStage::Fulfilled {
                user: user?,
                device_known: self.device_known?,
                number: self.number?,
                confirmed: self.confirmed?,
            },
            "minted" => GrantStage::Minted { user: user?, deadline: self.code_deadline? },
            "exchanged" => GrantStage::Exchanged { user: user?, session: session? },
            "failed" => GrantStage::Failed { problem: self.problem? },
            "cancelled" => GrantStage::Cancelled { by: self.cancelled_by? },
            _ => return None,
        })
    }
}

/// One row to write.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::storage) enum Write {
    InsertGrant {
        grant: Box<Grant>,
        sealed_state: String,
        sweep_at: Timestamp,
    },
    /// Stage and `fulfilled_at`. `code_hash`: of the code that was minted now. The sealed state is
    /// deleted unless `keeps_state`.
    UpdateGrant {
        grant: Box<Grant>,
        code_hash: Option<[u8; 32]>,
        keeps_state: bool,
    },
    /// A new user, or everything but id, identity and creation of a known one.
    PutUser(Box<UserRow>),
    /// The device key is known for its user from now on.
    PutDeviceKey {
        jkt: Thumbprint,
        user: UserId,
        device_name: Option<String>,
        seen_at: Timestamp,
    },
    /// The device key is not known any more, and fulfilled grants of user and key ask for
    /// *Continue*.
    DeleteDeviceKey {
        jkt: Thumbprint,
        user: UserId,
    },
    InsertSession {
        session: Box<Session>,
        /// The upstream's own session.
        upstream_session: Option<String>,
        created_at: Timestamp,
        address: Option<IpAddr>,
    },
    /// The session was used: its new deadline, and where the request came from.
    UseSession {
        session: SessionId,
        deadline: Timestamp,
        address: Option<IpAddr>,
    },
    /// The session is over, and its family holds nothing that opens any more. The family's row
    /// stays, so that a late presentation is recognised.
    EndSession {
        session: SessionId,
        because: EndedBecause,
        at: Timestamp,
    },
    InsertFamily {
        family: FamilyRow,
        session: SessionId,
    },
    /// Everything but its id. Overwriting the seal wipes the one that held the presented token.
    UpdateFamily(FamilyRow),
    PutAttempt {
        key: AttemptKey,
        attempt: Attempt,
        sweep_at: Timestamp,
    },
    /// Email and name of a user, as the directory has them.
    UpdatePerson {
        user: UserId,
        email: String,
        name: Option<String>,
        updated_at: Timestamp,
    },
    /// The newest report of a subject.
    PutSubject {
        subject: Box<UpstreamSubject>,
        seen_at: Timestamp,
    },
    /// The event was taken.
    InsertEvent {
        id: String,
        at: Timestamp,
    },
    Audit(AuditEntry),
}
