//! The transitions of grants up to the code: the journalled start of the exchange, its result, the
//! hand-off page.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Context, attempts, audit, grant_row, users, worker::Done};
use crate::domain::{
    AttemptKey, AuditEvent, AuditSubject, CancelledBy, ConfirmationNumber, Grant, GrantId,
    GrantStage, ProblemCode, RequestId, Timestamp, UpstreamIdentity, User, UserId,
    may_begin_exchange,
};
use crate::keys::{AuthorizationCode, Purpose};
use crate::storage::{
    ExchangeStart, Fulfilment, GrantView, Minting, ReturnedAuthorization, StorageError,
};

pub(super) fn begin_exchange(
    db: &Connection,
    context: &Context,
    authorization: ReturnedAuthorization,
    now: Timestamp,
) -> Done<ExchangeStart> {
    let used: Option<GrantId> = db
        .prepare_cached("SELECT id FROM grants WHERE authorization = ?1")?
        .query_row([authorization.authorization], |row| row.get(0))
        .optional()?;
    if let Some(grant) = used.or(winner(db, authorization.request)?) {
        return Ok(ExchangeStart::AlreadyStarted(grant));
    }
    let attempt =
        authorization.attempt.map(|attempt| AttemptKey { attempt, jkt: authorization.jkt });
    if let Some(attempt) = attempt
        && attempts::is_cancelled(db, attempt)?
    {
        return Ok(ExchangeStart::Cancelled);
    }
    let of_request = grant_row::count_of_request(db, authorization.request)?;
    let of_attempt = attempt.map_or(Ok(0), |attempt| grant_row::count_of_attempt(db, attempt))?;
    if !may_begin_exchange(of_request, of_attempt) {
        return Ok(ExchangeStart::TooMany);
    }
    let random = &*context.random;
    let sealed_state =
        context.keys.seal(Purpose::ClientState, authorization.state.expose(), random);
    let grant = Grant {
        id: GrantId::draw(random),
        authorization: authorization.authorization,
        request: authorization.request,
        attempt: authorization.attempt,
        jkt: authorization.jkt,
        browser: authorization.browser,
        client_id: authorization.client_id,
        redirect_uri: authorization.redirect_uri,
        code_challenge: authorization.code_challenge,
        scope: authorization.scope,
        device_name: authorization.device_name,
        started_at: now,
        fulfilled_at: None,
        stage: GrantStage::Pending,
    };
    grant_row::insert(db, &grant, &sealed_state, now.plus(context.settings.grant_retention))?;
    Ok(ExchangeStart::Started(grant.id))
}

fn winner(db: &Connection, request: RequestId) -> rusqlite::Result<Option<GrantId>> {
    db.prepare_cached("SELECT id FROM grants WHERE request = ?1 AND fulfilled_at IS NOT NULL")?
        .query_row([request], |row| row.get(0))
        .optional()
}

pub(super) fn fulfil(
    db: &Connection,
    context: &Context,
    grant: GrantId,
    identity: &UpstreamIdentity,
    now: Timestamp,
) -> Done<Fulfilment> {
    let Some(grant) = grant_row::find(db, grant)? else { return Ok(Fulfilment::Ended) };
    if grant.stage != GrantStage::Pending {
        return Ok(Fulfilment::Ended);
    }
    if let Some(winner) = winner(db, grant.request)? {
        if let Ok(late) = grant.fail(ProblemCode::superseded()) {
            grant_row::store(db, &late)?;
        }
        return Ok(Fulfilment::Superseded(winner));
    }
    let random = &*context.random;
    let user = users::provision(db, context, identity, UserId::draw(random), now)?;
    let device_known = users::knows_key(db, context, user, grant.jkt, now)?;
    let number = ConfirmationNumber::draw(random);
    let Ok(grant) = grant.fulfil(user, device_known, number, now) else {
        return Ok(Fulfilment::Ended);
    };
    grant_row::store(db, &grant)?;
    audit::write(db, context, &AuditEvent::GrantFulfilled, &audit::of_grant(&grant), now)?;
    Ok(Fulfilment::Fulfilled { device_known })
}

pub(super) fn fail(
    db: &Connection,
    context: &Context,
    grant: GrantId,
    problem: &ProblemCode,
    now: Timestamp,
) -> Done<()> {
    let Some(grant) = grant_row::find(db, grant)? else { return Ok(()) };
    if let Ok(grant) = grant.fail(problem.clone()) {
        grant_row::store(db, &grant)?;
        let event = AuditEvent::GrantFailed(problem);
        audit::write(db, context, &event, &audit::of_grant(&grant), now)?;
    }
    Ok(())
}

pub(super) fn read(
    db: &Connection,
    context: &Context,
    grant: GrantId,
    now: Timestamp,
) -> Done<Option<GrantView>> {
    let Some(grant) = grant_row::find(db, grant)? else { return Ok(None) };
    let grant = as_of(context, grant, now);
    let outcome = match grant.attempt {
        Some(attempt) => attempts::outcome(db, AttemptKey { attempt, jkt: grant.jkt })?,
        None => None,
    };
    Ok(Some(GrantView { user: user_of(db, &grant)?, outcome, grant }))
}

/// The grant as it stands now: one that waited beyond its deadline reads as failed.
pub(super) fn as_of(context: &Context, grant: Grant, now: Timestamp) -> Grant {
    let exchange_deadline = grant.started_at.plus(context.settings.exchange_deadline);
    let problem = match &grant.stage {
        // The caller of that exchange is gone, or it would have been told by now.
        GrantStage::Pending if now.has_reached(exchange_deadline) => ProblemCode::interrupted(),
        GrantStage::Fulfilled { .. } if hand_off_is_over(context, &grant, now) => {
            ProblemCode::expired()
        }
        GrantStage::Minted { deadline, .. } if now.has_reached(*deadline) => ProblemCode::expired(),
        _ => return grant,
    };
    Grant { stage: GrantStage::Failed { problem }, ..grant }
}

fn user_of(db: &Connection, grant: &Grant) -> rusqlite::Result<Option<User>> {
    grant.stage.user().map_or(Ok(None), |user| users::find(db, user))
}

fn hand_off_is_over(context: &Context, grant: &Grant, now: Timestamp) -> bool {
    grant
        .fulfilled_at
        .is_some_and(|at| now.has_reached(at.plus(context.settings.hand_off_lifetime)))
}

pub(super) fn confirm(
    db: &Connection,
    context: &Context,
    grant: GrantId,
    now: Timestamp,
) -> Done<bool> {
    let Some(grant) = grant_row::find(db, grant)? else { return Ok(false) };
    if hand_off_is_over(context, &grant, now) {
        return Ok(false);
    }
    let Ok(grant) = grant.confirm() else { return Ok(false) };
    grant_row::store(db, &grant)?;
    audit::write(db, context, &AuditEvent::GrantConfirmed, &audit::of_grant(&grant), now)?;
    Ok(true)
}

pub(super) fn mint_code(
    db: &Connection,
    context: &Context,
    grant: GrantId,
    now: Timestamp,
) -> Done<Minting> {
    let Some(grant) = grant_row::find(db, grant)? else { return Ok(Minting::Ended) };
    match grant.stage {
        GrantStage::Minted { .. } | GrantStage::Exchanged { .. } => {
            return Ok(Minting::AlreadyMinted);
        }
        GrantStage::Fulfilled { .. } if !hand_off_is_over(context, &grant, now) => {}
        _ => return Ok(Minting::Ended),
    }
    let Ok(minted) = grant.mint(now.plus(context.settings.code_lifetime)) else {
        return Ok(Minting::NotConfirmed);
    };
    let sealed: String = db
        .prepare_cached("SELECT sealed_state FROM grants WHERE id = ?1")?
        .query_row([minted.id], |row| row.get(0))?;
    let state = context
        .keys
        .open(Purpose::ClientState, &sealed)
        .map_err(|_| StorageError::Damaged("a sealed state does not open".into()))?;
    let code = AuthorizationCode::draw(&*context.random);
    grant_row::store(db, &minted)?;
    db.prepare_cached("UPDATE grants SET code_hash = ?2 WHERE id = ?1")?
        .execute(params![minted.id, code.hash()])?;
    Ok(Minting::Minted { code, redirect_uri: minted.redirect_uri, state })
}

/// Cancels, and says whether it was not too late for that.
pub(super) fn cancel(
    db: &Connection,
    context: &Context,
    grant: Grant,
    by: CancelledBy,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let user = grant.stage.user();
    let Ok(grant) = grant.cancel(by) else { return Ok(false) };
    grant_row::store(db, &grant)?;
    let event = AuditEvent::GrantCancelled { by, signed_in: user.is_some() };
    let subject = AuditSubject { user, ..audit::of_grant(&grant) };
    audit::write(db, context, &event, &subject, now)?;
    Ok(true)
}
