//! Redeeming an authorization code, in the order that lets no thief burn it: key, then verifier,
//! then use. RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9700 §2.1.1.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::{Decided, Decision, RedemptionRows, Rules, audit, grants, sessions};
use crate::domain::{
    AuditEvent, AuditSubject, CancelledBy, EndedBecause, Grant, GrantStage, Timestamp,
};
use crate::storage::{CodeRefusal, RedeemCode, Redemption, StorageError};

impl Rules {
    /// `rows`: those of the grant with this code.
    pub(in crate::storage) fn redeem(
        &self,
        rows: Option<RedemptionRows>,
        request: &RedeemCode,
        now: Timestamp,
    ) -> Decided<Redemption> {
        let refused = |why| Ok(Decision::only(Redemption::Refused(why)));
        let refused_with = |why, writes| Ok(Decision::with(Redemption::Refused(why), writes));
        let Some(rows) = rows else { return refused(CodeRefusal::Unknown) };
        let grant = rows.grant;
        if grant.jkt != request.jkt || grant.client_id != request.client_id {
            let subject = AuditSubject { jkt: Some(request.jkt), ..audit::of_grant(&grant) };
            let tried = audit::entry(AuditEvent::CodeByForeignKey, subject, now);
            return refused_with(CodeRefusal::WrongDeviceKey, vec![tried]);
        }
        let is_proven = verifier_fits(&grant, request) && redirect_fits(&grant, request);
        match grant.stage {
            GrantStage::Minted { .. } if !is_proven => {
                let burnt = grants::cancel(grant, CancelledBy::WrongVerifier, now);
                refused_with(CodeRefusal::WrongVerifier, burnt.unwrap_or_default())
            }
            GrantStage::Minted { deadline, .. } if now.has_reached(deadline) => {
                refused(CodeRefusal::Expired)
            }
            GrantStage::Minted { .. } => {
                let user = rows
                    .user
                    .ok_or_else(|| StorageError::Damaged("a grant without its user".into()))?;
                let (issued, mut writes) =
                    self.begin_session(&grant, user, rows.older.as_ref(), request.address, now);
                let exchanged = grant
                    .exchange(issued.session.id)
                    .map_err(|wrong| StorageError::Damaged(wrong.to_string()))?;
                writes.push(grants::update(exchanged));
                Ok(Decision::with(Redemption::Redeemed(Box::new(issued)), writes))
            }
            GrantStage::Exchanged { .. } if !is_proven => refused(CodeRefusal::WrongVerifier),
            GrantStage::Exchanged { .. } => {
                let issued = rows.issued;
                let ended =
                    issued.map(|issued| sessions::end(&issued, EndedBecause::CodeReplayed, now));
                refused_with(CodeRefusal::Replayed, ended.unwrap_or_default())
            }
            GrantStage::Cancelled { .. } => refused(CodeRefusal::Cancelled),
            GrantStage::Pending | GrantStage::Fulfilled { .. } | GrantStage::Failed { .. } => {
                Err(StorageError::Damaged("a code on a grant that was not minted".into()))
            }
        }
    }
}

fn verifier_fits(grant: &Grant, request: &RedeemCode) -> bool {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(request.verifier.expose().as_bytes()));
    aws_lc_rs::constant_time::verify_slices_are_equal(
        challenge.as_bytes(),
        grant.code_challenge.as_bytes(),
    )
    .is_ok()
}

fn redirect_fits(grant: &Grant, request: &RedeemCode) -> bool {
    request.redirect_uri.as_ref().is_none_or(|redirect| *redirect == grant.redirect_uri)
}
