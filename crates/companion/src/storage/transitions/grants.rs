//! The transitions of a grant up to the code: the journalled start of the exchange, its result, the
//! hand-off page.

use super::{BeginRows, Decided, Decision, FulfilRows, Rules, StoredGrant, Write, audit};
use crate::domain::{
    Attempt, AuditEvent, AuditSubject, CancelledBy, ConfirmationNumber, Grant, GrantId, GrantStage,
    ProblemCode, Timestamp, UpstreamAccess, UpstreamIdentity, User,
};
use crate::keys::{AuthorizationCode, Purpose};
use crate::storage::{
    ExchangeStart, Fulfilment, GrantView, Minting, ReturnedAuthorization, StorageError,
};

impl Rules {
    pub(in crate::storage) fn begin_exchange(
        &self,
        rows: &BeginRows,
        authorization: &ReturnedAuthorization,
        now: Timestamp,
    ) -> Decision<ExchangeStart> {
        if let Some(grant) = rows.same.or(rows.winner) {
            return Decision::only(ExchangeStart::AlreadyStarted(grant));
        }
        if rows.attempt.cancelled_at.is_some() {
            return Decision::only(ExchangeStart::Cancelled);
        }
        if !self.limits().may_begin_exchange(rows.of_request, rows.of_attempt) {
            return Decision::only(ExchangeStart::TooMany);
        }
        let state = authorization.state.expose();
        let sealed_state = self.keys().seal(Purpose::ClientState, state, self.random());
        let grant = Grant {
            id: GrantId::draw(self.random()),
            upstream_authorization: authorization.id,
            request: authorization.request,
            attempt: authorization.attempt,
            jkt: authorization.jkt,
            browser: authorization.browser,
            client_id: authorization.client_id.clone(),
            redirect_uri: authorization.redirect_uri.clone(),
            code_challenge: authorization.code_challenge.clone(),
            scope: authorization.scope.clone(),
            device_name: authorization.device_name.clone(),
            started_at: now,
            fulfilled_at: None,
            upstream_session: None,
            stage: GrantStage::Pending,
        };
        let answer = ExchangeStart::Started(grant.id);
        let sweep_at = now.plus(self.lifetimes().grant_retention);
        let insert = Write::InsertGrant { grant: Box::new(grant), sealed_state, sweep_at };
        Decision::with(answer, vec![insert])
    }

    pub(in crate::storage) fn fulfil(
        &self,
        rows: Option<FulfilRows>,
        identity: &UpstreamIdentity,
        now: Timestamp,
    ) -> Decided<Fulfilment> {
        let ended = Ok(Decision::only(Fulfilment::Ended));
        let Some(FulfilRows { grant, winner, user, subjects, key_seen }) = rows else {
            return ended;
        };
        if grant.stage != GrantStage::Pending {
            return ended;
        }
        if let Some(winner) = winner {
            let late = grant.fail(ProblemCode::superseded());
            let writes = late.map(update).into_iter().collect();
            return Ok(Decision::with(Fulfilment::Superseded(winner), writes));
        }
        if UpstreamAccess::of(&identity.person_keys(), &subjects) == UpstreamAccess::Withdrawn {
            let refused = fail(Some(grant), &ProblemCode::access_ended(), now);
            return Ok(Decision::with(Fulfilment::AccessEnded, refused.writes));
        }
        let device_known =
            key_seen.is_some_and(|seen| self.lifetimes().trusts_device_key(seen, now));
        let (user, mut writes) = self.provision(user, identity, now)?;
        let number = ConfirmationNumber::draw(self.random());
        let Ok(grant) = grant.fulfil(user, device_known, number, now) else { return ended };
        let upstream_session = identity.session().map(str::to_owned);
        let grant = Grant { upstream_session, ..grant };
        let event = audit::entry(AuditEvent::GrantFulfilled, audit::of_grant(&grant), now);
        writes.extend([update(grant), event]);
        Ok(Decision::with(Fulfilment::Fulfilled { device_known }, writes))
    }

    /// The grant as the hand-off page shows it.
    pub(in crate::storage) fn view(
        &self,
        grant: Grant,
        user: Option<User>,
        attempt: Attempt,
        now: Timestamp,
    ) -> GrantView {
        let grant = grant.as_of(self.lifetimes(), now);
        GrantView { grant, user, outcome: attempt.outcome }
    }

    pub(in crate::storage) fn confirm(
        &self,
        grant: Option<Grant>,
        now: Timestamp,
    ) -> Decision<bool> {
        let confirmed = grant
            .filter(|grant| !grant.hand_off_is_over(self.lifetimes(), now))
            .and_then(|grant| grant.confirm().ok());
        let Some(grant) = confirmed else { return Decision::only(false) };
        let event = audit::entry(AuditEvent::GrantConfirmed, audit::of_grant(&grant), now);
        Decision::with(true, vec![update(grant), event])
    }

    pub(in crate::storage) fn mint(
        &self,
        stored: Option<StoredGrant>,
        now: Timestamp,
    ) -> Decided<Minting> {
        let Some(StoredGrant { grant, sealed_state }) = stored else {
            return Ok(Decision::only(Minting::Ended));
        };
        match grant.stage {
            GrantStage::Minted { .. } | GrantStage::Exchanged { .. } => {
                return Ok(Decision::only(Minting::AlreadyMinted));
            }
            GrantStage::Fulfilled { .. } if !grant.hand_off_is_over(self.lifetimes(), now) => {}
            _ => return Ok(Decision::only(Minting::Ended)),
        }
        let deadline = now.plus(self.lifetimes().authorization_code);
        let Ok(minted) = grant.mint(deadline) else {
            return Ok(Decision::only(Minting::NotConfirmed));
        };
        let state = sealed_state
            .and_then(|sealed| self.keys().open(Purpose::ClientState, &sealed).ok())
            .ok_or_else(|| StorageError::Damaged("a sealed state does not open".into()))?;
        let code = AuthorizationCode::draw(self.random());
        let redirect_uri = minted.redirect_uri.clone();
        let write = Write::UpdateGrant {
            grant: Box::new(minted),
            code_hash: Some(code.hash()),
            keeps_state: false,
        };
        Ok(Decision::with(Minting::Minted { code, redirect_uri, state }, vec![write]))
    }
}

/// Pending → Failed. On any other stage it changes nothing.
pub(in crate::storage) fn fail(
    grant: Option<Grant>,
    problem: &ProblemCode,
    now: Timestamp,
) -> Decision<()> {
    let failed = grant.and_then(|grant| grant.fail(problem.clone()).ok());
    let Some(grant) = failed else { return Decision::only(()) };
    let event = audit::entry(AuditEvent::GrantFailed(problem), audit::of_grant(&grant), now);
    Decision::with((), vec![update(grant), event])
}

/// The writes that cancel a grant; `None` if it is too late for that.
pub(super) fn cancel(grant: Grant, by: CancelledBy, now: Timestamp) -> Option<Vec<Write>> {
    let user = grant.stage.user();
    let grant = grant.cancel(by).ok()?;
    let event = AuditEvent::GrantCancelled { by, signed_in: user.is_some() };
    let subject = AuditSubject { user, ..audit::of_grant(&grant) };
    let event = audit::entry(event, subject, now);
    Some(vec![update(grant), event])
}

/// Cancels a grant. False if it is too late for that.
pub(in crate::storage) fn cancel_one(
    grant: Option<Grant>,
    by: CancelledBy,
    now: Timestamp,
) -> Decision<bool> {
    match grant.and_then(|grant| cancel(grant, by, now)) {
        Some(writes) => Decision::with(true, writes),
        None => Decision::only(false),
    }
}

/// Writes the stage that a transition has led to. The client's state goes when nothing will need
/// it any more.
pub(super) fn update(grant: Grant) -> Write {
    let keeps_state = matches!(grant.stage, GrantStage::Pending | GrantStage::Fulfilled { .. });
    Write::UpdateGrant { grant: Box::new(grant), code_hash: None, keeps_state }
}
