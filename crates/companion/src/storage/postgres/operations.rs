//! The operations that write, each as data: what it reads, and the rule that decides. It can be run
//! from the beginning where another transaction was faster.

use deadpool_postgres::Transaction;

use super::failure::Done;
use super::rows;
use super::turns::Row;
use crate::domain::{
    AttemptKey, CancelledBy, GrantId, Outcome, ProblemCode, SessionId, Thumbprint, Timestamp,
    UpstreamIdentity,
};
use crate::keys::RefreshToken;
use crate::storage::transitions::{self, Decision, Rules};
use crate::storage::{
    ExchangeStart, Fulfilment, Minting, RedeemCode, Redemption, ReturnedAuthorization, Revocation,
    RotateRefresh, Rotation,
};

/// One transition in one transaction.
pub(super) trait Operation: Send + Sync + 'static {
    type Answer: Send + 'static;

    /// What it locks first.
    fn row(&self) -> Row;

    /// Reads and locks what the rule needs, and asks it.
    fn decide(
        &self,
        db: &Transaction<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> impl Future<Output = Done<Decision<Self::Answer>>> + Send;
}

pub(super) struct BeginExchange(pub(super) ReturnedAuthorization);

impl Operation for BeginExchange {
    type Answer = ExchangeStart;

    fn row(&self) -> Row {
        let (request, jkt) = (self.0.request, self.0.jkt);
        let of = |attempt| Row::Attempt(AttemptKey { attempt, jkt });
        self.0.attempt.map_or(Row::Request(request), of)
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Done<Decision<ExchangeStart>> {
        let rows = rows::for_begin(db, rules.limits(), &self.0).await?;
        Ok(rules.begin_exchange(&rows, &self.0, now))
    }
}

pub(super) struct Fulfil {
    pub(super) grant: GrantId,
    pub(super) identity: UpstreamIdentity,
}

impl Operation for Fulfil {
    type Answer = Fulfilment;

    fn row(&self) -> Row {
        Row::Grant(self.grant)
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Done<Decision<Fulfilment>> {
        let rows = rows::for_fulfil(db, self.grant, &self.identity).await?;
        Ok(rules.fulfil(rows, &self.identity, now)?)
    }
}

pub(super) struct Fail {
    pub(super) grant: GrantId,
    pub(super) problem: ProblemCode,
}

impl Operation for Fail {
    type Answer = ();

    fn row(&self) -> Row {
        Row::Grant(self.grant)
    }

    async fn decide(&self, db: &Transaction<'_>, _: &Rules, now: Timestamp) -> Done<Decision<()>> {
        Ok(transitions::fail(rows::find(db, self.grant).await?, &self.problem, now))
    }
}

pub(super) struct Confirm(pub(super) GrantId);

impl Operation for Confirm {
    type Answer = bool;

    fn row(&self) -> Row {
        Row::Grant(self.0)
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Done<Decision<bool>> {
        Ok(rules.confirm(rows::find(db, self.0).await?, now))
    }
}

pub(super) struct Mint(pub(super) GrantId);

impl Operation for Mint {
    type Answer = Minting;

    fn row(&self) -> Row {
        Row::Grant(self.0)
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Done<Decision<Minting>> {
        Ok(rules.mint(rows::locked_grant(db, self.0).await?, now)?)
    }
}

pub(super) struct Cancel {
    pub(super) grant: GrantId,
    pub(super) by: CancelledBy,
}

impl Operation for Cancel {
    type Answer = bool;

    fn row(&self) -> Row {
        Row::Grant(self.grant)
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        _: &Rules,
        now: Timestamp,
    ) -> Done<Decision<bool>> {
        Ok(transitions::cancel_one(rows::find(db, self.grant).await?, self.by, now))
    }
}

impl Operation for RedeemCode {
    type Answer = Redemption;

    fn row(&self) -> Row {
        Row::GrantOfCode(self.code.hash())
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Done<Decision<Redemption>> {
        let rows = rows::for_redemption(db, self).await?;
        Ok(rules.redeem(rows, self, now)?)
    }
}

pub(super) struct Rotate {
    pub(super) token: RefreshToken,
    pub(super) request: RotateRefresh,
}

impl Operation for Rotate {
    type Answer = Rotation;

    fn row(&self) -> Row {
        Row::Family(self.token.family)
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Done<Decision<Rotation>> {
        let rows = rows::for_rotation(db, self.token.family).await?;
        Ok(rules.rotate(rows, &self.token, &self.request, now)?)
    }
}

pub(super) enum Revoked {
    Family(RefreshToken),
    /// With the device key that it must have.
    Session(SessionId, Option<Thumbprint>),
}

pub(super) struct RevokeSession {
    pub(super) of: Revoked,
    pub(super) client_id: String,
}

impl Operation for RevokeSession {
    type Answer = Revocation;

    fn row(&self) -> Row {
        match &self.of {
            Revoked::Family(token) => Row::Family(token.family),
            Revoked::Session(session, _) => Row::Session(*session),
        }
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        _: &Rules,
        now: Timestamp,
    ) -> Done<Decision<Revocation>> {
        let (row, key) = match &self.of {
            Revoked::Family(token) => (rows::session_of(db, token.family).await?, None),
            Revoked::Session(session, key) => (rows::locked_session(db, *session).await?, *key),
        };
        Ok(transitions::revoke(row, &self.client_id, key, now))
    }
}

pub(super) struct Report {
    pub(super) key: AttemptKey,
    pub(super) outcome: Outcome,
}

impl Operation for Report {
    type Answer = ();

    fn row(&self) -> Row {
        Row::Attempt(self.key)
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Done<Decision<()>> {
        let rows = rows::for_attempt(db, rules.limits(), self.key).await?;
        Ok(rules.report(rows, self.key, &self.outcome, now))
    }
}

pub(super) struct CancelAttempt(pub(super) AttemptKey);

impl Operation for CancelAttempt {
    type Answer = ();

    fn row(&self) -> Row {
        Row::Attempt(self.0)
    }

    async fn decide(
        &self,
        db: &Transaction<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Done<Decision<()>> {
        let rows = rows::for_attempt(db, rules.limits(), self.0).await?;
        Ok(rules.cancel_attempt(rows, self.0, now))
    }
}
