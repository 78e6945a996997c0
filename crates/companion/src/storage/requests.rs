//! What the transitions of storage are asked and what they answer.

use std::net::IpAddr;

use crate::domain::{
    AttemptId, BrowserHash, Grant, GrantId, IssuedSession, Outcome, RefreshRefusal, RequestId,
    Scope, SecretText, SessionId, Thumbprint, UpstreamAuthorizationId, User,
};
use crate::keys::AuthorizationCode;

/// An opened upstream authorization whose callback has come back with matching state and cookie.
#[derive(Debug)]
pub struct ReturnedAuthorization {
    /// Drawn at authorize; one upstream exchange per upstream authorization.
    pub id: UpstreamAuthorizationId,
    /// Drawn at PAR; one fulfilled upstream authorization per request.
    pub request: RequestId,
    /// The client's attempt, if it pushed one.
    pub attempt: Option<AttemptId>,
    /// The device key proved at PAR.
    pub jkt: Thumbprint,
    /// The hash of the browser's cookie.
    pub browser: BrowserHash,
    /// The client.
    pub client_id: String,
    /// As pushed.
    pub redirect_uri: String,
    /// The client's own `state`, stored sealed until the code is minted.
    pub state: SecretText,
    /// As pushed, S256.
    pub code_challenge: String,
    /// The granted scope.
    pub scope: Scope,
    /// What the device says of itself.
    pub device_name: Option<String>,
}

/// May the upstream exchange be sent?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExchangeStart {
    /// Yes, once, by this caller: it is journalled and committed.
    Started(GrantId),
    /// No: this upstream authorization was used, or another upstream authorization of the request
    /// was fulfilled. Show that grant.
    AlreadyStarted(GrantId),
    /// No: the client has cancelled the attempt.
    Cancelled,
    /// No: the request or the attempt has as many grants as it may have
    /// ([`Limits`](crate::domain::Limits)).
    TooMany,
}

/// What came of an exchange that the provider has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fulfilment {
    /// The grant is fulfilled.
    Fulfilled {
        /// True if this device key has signed this user in before.
        device_known: bool,
    },
    /// Another upstream authorization of the same request was faster; show that grant.
    Superseded(GrantId),
    /// The provider has told that the person has no access any more; the grant has failed.
    AccessEnded,
    /// The grant was cancelled or failed meanwhile, or it is not known (any more).
    Ended,
}

/// A grant as the hand-off page needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantView {
    /// The grant.
    pub grant: Grant,
    /// Who signed in, once that is known.
    pub user: Option<User>,
    /// What the device said became of it, where the client has pushed an attempt.
    pub outcome: Option<Outcome>,
}

/// What the redirect back to the app is made of.
#[derive(Debug)]
pub enum Minting {
    /// The code, this once.
    Minted {
        /// The code.
        code: AuthorizationCode,
        /// Where it goes.
        redirect_uri: String,
        /// The client's own `state`.
        state: SecretText,
    },
    /// The person has not pressed *Continue* on a device that is new to this user.
    NotConfirmed,
    /// It was minted before: show status only.
    AlreadyMinted,
    /// Not fulfilled, too late, failed or cancelled.
    Ended,
}

/// A code presented at the token endpoint, beside a valid proof.
#[derive(Debug)]
pub struct RedeemCode {
    /// The code as received.
    pub code: AuthorizationCode,
    /// The client that says it owns it.
    pub client_id: String,
    /// The key of the proof.
    pub jkt: Thumbprint,
    /// `code_verifier` as received.
    pub verifier: SecretText,
    /// `redirect_uri`, if it was sent.
    pub redirect_uri: Option<String>,
    /// Where the request came from, for the person's list of sessions.
    pub address: Option<IpAddr>,
}

/// What became of a code.
#[derive(Debug)]
pub enum Redemption {
    /// A session.
    Redeemed(Box<IssuedSession>),
    /// `invalid_grant`; the reason is for the log.
    Refused(CodeRefusal),
}

/// Why a code is refused. Each is `invalid_grant` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeRefusal {
    /// No such code (any more). Nothing changed.
    Unknown,
    /// Another client or device key than the code was minted for. Nothing changed.
    WrongDeviceKey,
    /// The right key with a wrong code verifier or redirect URI. The code is burnt.
    WrongVerifier,
    /// The 60 seconds are over.
    Expired,
    /// The grant was cancelled or the code was burnt.
    Cancelled,
    /// The code was redeemed before; what it gave is revoked now.
    Replayed,
}

/// A refresh token presented at the token endpoint, beside a valid proof.
#[derive(Debug)]
pub struct RotateRefresh {
    /// The token as received.
    pub token: SecretText,
    /// The client that says it owns it.
    pub client_id: String,
    /// The key of the proof.
    pub jkt: Thumbprint,
    /// Where the request came from, for the person's list of sessions.
    pub address: Option<IpAddr>,
}

/// What became of a refresh.
#[derive(Debug)]
pub enum Rotation {
    /// The session, and the one child of the presented token.
    Rotated(Box<IssuedSession>),
    /// `invalid_grant`; the reason is for the log.
    Refused(RefreshRefusal),
}

/// What the client wants revoked (RFC 7009).
#[derive(Debug)]
pub enum Revoke {
    /// A refresh token of any generation, as received.
    RefreshToken(SecretText),
    /// The session of an access token that has been verified.
    Session(SessionId),
    /// A session named by its id, if it is bound to the key of the proof.
    SessionOfKey {
        /// The session.
        session: SessionId,
        /// The key of the proof.
        jkt: Thumbprint,
    },
}

impl Revoke {
    /// The session, where it is named.
    pub(super) const fn session(&self) -> Option<SessionId> {
        match self {
            Self::RefreshToken(_) => None,
            Self::Session(session) | Self::SessionOfKey { session, .. } => Some(*session),
        }
    }

    /// The device key that the session must have, where one is told.
    pub(super) const fn key(&self) -> Option<Thumbprint> {
        match self {
            Self::RefreshToken(_) | Self::Session(_) => None,
            Self::SessionOfKey { jkt, .. } => Some(*jkt),
        }
    }
}

/// What a revocation did; the wire answer is 200 in both cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The session was alive and is over.
    Revoked(SessionId),
    /// There was nothing alive of this client to revoke.
    NothingToRevoke,
}

/// What one transaction has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedSessions {
    /// How many sessions.
    pub ended: usize,
    /// There may be more of the selector: end them too.
    pub may_be_more: bool,
}

/// A user of an upstream, and the upstream's sessions that sessions of ours began with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSessions {
    /// The upstream's id of the user.
    pub user: String,
    /// The upstream's ids of the sessions; some may be there more than once.
    pub sessions: Vec<String>,
}

impl UpstreamSessions {
    /// Of rows of one user's: the user's id and one session each.
    pub(super) fn of(rows: Vec<(String, String)>) -> Option<Self> {
        let user = rows.first()?.0.clone();
        Some(Self { user, sessions: rows.into_iter().map(|(_, session)| session).collect() })
    }
}

/// A part of a list of sessions that are alive, in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionsPage {
    /// Sessions after this one; from the beginning if there is none.
    pub after: Option<SessionId>,
    /// How many at most.
    pub limit: usize,
}
